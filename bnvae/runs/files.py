"""Reading and writing files of a run so that a reader never meets a half-written one."""

import errno
import hashlib
import io
import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnvae.runs.patience import insist

MIB = 2**20
LARGEST_JSON_BYTES = 64 * MIB
LARGEST_ARRAYS_BYTES = 512 * MIB


class BrokenRunError(ValueError):
    """A run folder whose file is missing, truncated, foreign or inconsistent; the message names the file."""


def write_atomic(path: Path, content: bytes) -> None:
    """Replace a file in one step: after a crash it holds the old content or the new, and nothing else is left.

    Raises:
        OSError: no space, read-only folder, ...; the old file is untouched, and named. A training waits instead.
    """

    def write() -> None:
        try:
            _replace(path, content)
        except FileNotFoundError:  # a worker that began took the new content for what a killed one had left
            _replace(path, content)

    insist(write, path)


def _replace(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp makes it private; a run folder may be shared
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what is to be said
            Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def check_writable(folder: Path) -> None:
    """Raises OSError if nothing can be made or replaced in a folder; an absent right, or a read-only file system."""
    if not os.access(folder, os.W_OK):
        is_mounted_so = sys.platform != "win32" and os.statvfs(folder).f_flag & os.ST_RDONLY
        number = errno.EROFS if is_mounted_so else errno.EACCES
        raise OSError(number, os.strerror(number))


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut; where a system can't open folders, they survive without it."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: object) -> None:
    write_atomic(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


def read_bytes(path: Path, limit: int) -> bytes:
    """Raises BrokenRunError if the file is missing, unreadable, not a plain file, or larger than `limit` bytes."""
    if path.is_symlink() or not path.is_file():
        raise BrokenRunError(f"{path.parent.name}/{path.name} is missing: the run folder is incomplete.")
    try:
        if (size := path.stat().st_size) > limit:
            raise BrokenRunError(f"{path.parent.name}/{path.name} has {size} bytes: at most {limit} are read.")
        return path.read_bytes()
    except OSError as error:  # no permission, or the run was deleted this moment
        raise BrokenRunError(f"{path.parent.name}/{path.name} cannot be read ({error.strerror}).") from None


def read_json(path: Path) -> dict[str, Any]:
    """Raises BrokenRunError if the file is missing, too large, or not a JSON object."""
    content = read_bytes(path, LARGEST_JSON_BYTES)
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BrokenRunError(f"{path.parent.name}/{path.name} is not JSON ({error}).") from None
    if not isinstance(value, dict):
        raise BrokenRunError(f"{path.parent.name}/{path.name} is not a JSON object.")
    return value


def write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_atomic(path, buffer.getvalue())


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The named arrays of an .npz file; object arrays are refused, since reading them would run code.

    Raises:
        BrokenRunError: the file is missing, damaged, or lacks one of the names.
    """
    content = read_bytes(path, LARGEST_ARRAYS_BYTES)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            expanded = sum(info.file_size for info in stored.zip.infolist())
            if expanded > LARGEST_ARRAYS_BYTES:
                raise BrokenRunError(f"{path.parent.name}/{path.name} expands to {expanded} bytes: too large.")
            return {name: stored[name] for name in names}
    except BrokenRunError:
        raise
    except Exception as error:  # zipfile, numpy and zlib raise a dozen kinds for damaged files
        raise BrokenRunError(f"{path.parent.name}/{path.name} cannot be read ({error}).") from None


def remove_leftovers(folder: Path, names: tuple[str, ...]) -> None:
    """Remove half-written versions of these files, named from `folder`; a process killed while writing leaves one."""
    for name in names:
        *parents, last = name.split("/")
        for leftover in folder.joinpath(*parents).glob(f".{last}.*.part"):
            leftover.unlink(missing_ok=True)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
