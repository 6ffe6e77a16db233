"""Files from the web: https, bounded, resumed after a break, checked, and never from inside the own network."""

import contextlib
import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bnvae.data.download.url_guard import RefusedAddressError, check_address, opener
from bnvae.data.limits import Progress

_ATTEMPTS = 3
_PAUSE_SECONDS = 0.5
_TIMEOUT_SECONDS = 30
_BLOCK_BYTES = 1 << 20
_NETWORK_ERRORS = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, RefusedAddressError)


class DownloadError(OSError):
    """A file that could not be had from any of its hosts."""


class _BrokenError(ConnectionError):
    """The transfer ended early; what came is kept and the rest can be asked for."""


class _DamagedError(ConnectionError):
    """The whole file came, and it is not the published one."""


def cache_folder() -> Path:
    """Where downloaded files are kept: the folder named by BNVAE_DATA, or the platform's own place for caches."""
    if named := os.environ.get("BNVAE_DATA", ""):
        return Path(named).expanduser()
    import pooch

    return Path(pooch.os_cache("bnvae"))


def fetch(mirrors: Sequence[str], target: Path, *, most_bytes: int, progress: Progress, md5: str = "") -> Path:
    """`target`, downloaded from the first mirror that delivers it; a file that is already there is left as it is.

    A transfer that broke off goes on where it stopped, also in a later call: its beginning waits in `<target>.part`.
    Plain http is used only where an md5 sum is known.

    Raises:
        ValueError: an address is not one to download from.
        DownloadError: no mirror delivered the file; the message says what each said and what to do.
    """
    if target.is_file():
        return target
    for address in mirrors:
        check_address(address, plain_http=bool(md5))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    problems: list[str] = []
    with _only_writer(part):
        if target.is_file():  # another process was faster
            return target
        for address in mirrors:
            try:
                _download(address, part, most_bytes=most_bytes, md5=md5, progress=progress)
            except _NETWORK_ERRORS as error:
                problems.append(f"{urlsplit(address).hostname}: {getattr(error, 'reason', None) or error}")
                continue
            os.replace(part, target)
            _validator_file(part).unlink(missing_ok=True)
            return target
    raise DownloadError(
        f"cannot download {target.name} ({'; '.join(problems)}). "
        f"Try again when the host can be reached, or put the file there by hand as {target}."
    )


def _download(address: str, part: Path, *, most_bytes: int, md5: str, progress: Progress) -> None:
    for attempt in range(_ATTEMPTS):
        last = attempt == _ATTEMPTS - 1
        try:
            resumed = _transfer(address, part, most_bytes=most_bytes, checked=bool(md5), progress=progress)
        except _BrokenError:
            if last:
                raise
            time.sleep(_PAUSE_SECONDS)
            continue
        if not md5 or _md5_of(part) == md5:
            return
        _discard(part)
        if last or not resumed:
            raise _DamagedError(f"the file's md5 sum is not {md5}")


def _transfer(address: str, part: Path, *, most_bytes: int, checked: bool, progress: Progress) -> bool:
    """Appends to the part what it lacks; whether anything of it was there before."""
    have, validator = _resumable(part, checked=checked)
    headers = {"User-Agent": "bnvae", "Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": validator} if validator else {})
    request = urllib.request.Request(address, headers=headers)
    try:
        answer = opener(plain_http=checked).open(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            # All of it is here already, or the file has become shorter: the md5 sum tells, or it is taken anew.
            if not checked:
                _discard(part)
                raise _BrokenError("the file changed while it was downloaded") from None
            return True
        raise
    with answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0
            _remember_validator(part, answer.headers.get("ETag", ""))
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length and length.isdecimal() else None
        _receive(answer, part, have=have, total=total, most_bytes=most_bytes, progress=progress)
    return have > 0


def _receive(
    answer: http.client.HTTPResponse, part: Path, *, have: int, total: int | None, most_bytes: int, progress: Progress
) -> None:
    if (total or 0) > most_bytes:
        raise ConnectionError(f"the file has {total} bytes, more than the {most_bytes} allowed")
    what = f"downloading {part.stem}"
    progress(what, have / total if total else 0.0)
    with part.open("ab" if have else "wb") as file:
        while block := _read(answer):
            have += len(block)
            if have > most_bytes:
                raise ConnectionError(f"the file has more than the {most_bytes} bytes allowed")
            file.write(block)
            progress(what, min(have / total, 1.0) if total else 0.0)
    if total is not None and have < total:
        raise _BrokenError(f"the transfer broke off after {have} of {total} bytes")


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read(_BLOCK_BYTES)
    except (ConnectionError, TimeoutError, http.client.IncompleteRead) as error:
        raise _BrokenError(f"the transfer broke off: {error!r}") from None


def _resumable(part: Path, *, checked: bool) -> tuple[int, str]:
    """Bytes to keep, and the server's name for their version: without an md5 sum only that makes going on safe."""
    have = part.stat().st_size if part.exists() else 0
    validator = _validator_file(part).read_text() if _validator_file(part).exists() else ""
    return (have, validator) if checked or validator else (0, "")


def _remember_validator(part: Path, entity_tag: str) -> None:
    if entity_tag.startswith('"'):  # a weak tag ('W/...') does not promise the same bytes
        _validator_file(part).write_text(entity_tag)
    else:
        _validator_file(part).unlink(missing_ok=True)


def _discard(part: Path) -> None:
    part.unlink()
    _validator_file(part).unlink(missing_ok=True)


def _validator_file(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _md5_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


@contextlib.contextmanager
def _only_writer(part: Path) -> Iterator[None]:
    """Holds off other processes that want the same file; the app and a training worker often start together."""
    try:
        import fcntl
    except ImportError:  # Windows: both download, and the later one replaces the file with the same bytes
        yield
        return
    with part.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    if part.exists() and part.stat().st_size == 0:
        part.unlink()
