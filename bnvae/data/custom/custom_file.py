"""A user's own file: on this machine, or at an https address."""

import hashlib
import os
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from bnvae.data.download.fetch import cache_folder, fetch
from bnvae.data.download.url_guard import check_address
from bnvae.data.limits import Progress


def is_address(path: str) -> bool:
    return "://" in path


def own_file(path: str, *, suffixes: tuple[str, ...], most_bytes: int, progress: Progress) -> Path:
    """The file; one at an address is downloaded once and kept, so that a resumed run sees the same data.

    Raises:
        ValueError: there is no such file, it is too large, or its name has none of the suffixes.
        DownloadError: it cannot be downloaded.
    """
    if (file := here(path, suffixes=suffixes, most_bytes=most_bytes)) is not None:
        return file
    name = hashlib.sha256(path.encode()).hexdigest()[:16] + _suffix(path)
    return fetch([path], cache_folder() / "own" / name, most_bytes=most_bytes, progress=progress)


def here(path: str, *, suffixes: tuple[str, ...], most_bytes: int) -> Path | None:
    """The file on this machine; None for an address that may be downloaded from.

    Raises:
        ValueError: as `own_file`.
    """
    if _suffix(path) not in suffixes:
        raise ValueError(f"path is {path!r}: give a file whose name ends in one of {', '.join(suffixes)}.")
    if is_address(path):
        check_address(path)
        return None
    # os.path, because pathlib raises where a name cannot exist, and where "~somebody" is unknown.
    file = Path(os.path.expanduser(path))
    if not os.path.isfile(file):
        raise ValueError(f"path is {path!r}: there is no such file; give its full path.")
    if file.stat().st_size > most_bytes:
        raise ValueError(f"path is {path!r}: it has {file.stat().st_size} bytes, more than the {most_bytes} allowed.")
    return file


def _suffix(path: str) -> str:
    return PurePosixPath(unquote(urlsplit(path).path) if is_address(path) else path).suffix.lower()
