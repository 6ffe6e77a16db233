"""Reading and writing files of a run so that a reader never meets a half-written one."""

import errno
import hashlib
import io
import json
import os
import stat
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnvae.runs.storage.retry import insist

MIB = 2**20
LARGEST_JSON_BYTES = 64 * MIB
LARGEST_ARRAYS_BYTES = 512 * MIB


class BrokenRunError(ValueError):
    """A run folder whose file is missing, truncated, foreign or inconsistent; the message names the file."""


class UnreadableRunError(BrokenRunError):
    """A file that is there and can't be read now: an I/O error, no permission. What it holds may be whole."""


def write_atomic(path: Path, content: bytes) -> None:
    """Replace a file in one step: after a crash it holds the old content or the new, and nothing else is left.

    Raises:
        OSError: no space, read-only folder, ...; the old file is untouched, and named. A training waits instead.
    """

    def write() -> None:
        try:
            _replace(path, [content])
        except FileNotFoundError:  # a worker that began took the new content for what a killed one had left
            _replace(path, [content])

    insist(write, path)


def _replace(path: Path, pieces: Sequence[bytes | memoryview]) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp makes it private; a run folder may be shared
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what is to be said
            Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def overwrite(path: Path, pieces: Sequence[bytes | memoryview]) -> None:
    """Write one piece after the other over what a file holds, so that large ones are neither copied nor given new room.

    A file beside it costs the system twice the time of its pages, and a full disk has no room for one. After a crash
    there may be old and new in it: for what has its hash elsewhere, and another copy to go by meanwhile.

    Raises:
        OSError: as `write_atomic`.
    """

    def write() -> None:
        if path.is_symlink() or not os.access(path, os.W_OK):  # none yet, or somebody else's
            _replace(path, pieces)
            return
        with path.open("r+b") as file:
            file.writelines(pieces)
            file.truncate(file.tell())
            file.flush()
            os.fsync(file.fileno())

    insist(write, path)


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
    """A plain file's content.

    Raises:
        UnreadableRunError: it can't be read now.
        BrokenRunError: it is missing, not a plain file, or larger than `limit` bytes.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise FileNotFoundError
        if found.st_size > limit:
            raise BrokenRunError(f"{name} has {found.st_size} bytes: at most {limit} are read.")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):  # or the run was deleted this moment
        raise BrokenRunError(f"{name} is missing: the run folder is incomplete.") from None
    except OSError as error:
        raise UnreadableRunError(f"{name} cannot be read ({error.strerror}).") from None


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


def read_arrays(path: Path, names: tuple[str, ...], *, optional: tuple[str, ...] = ()) -> dict[str, NDArray[Any]]:
    """The named arrays of an .npz file, and the optional ones that it has.

    Object arrays are refused, since reading them would run code.

    Raises:
        BrokenRunError: the file is missing, damaged, or lacks one of the names.
    """
    content = read_bytes(path, LARGEST_ARRAYS_BYTES)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            expanded = sum(info.file_size for info in stored.zip.infolist())
            if expanded > LARGEST_ARRAYS_BYTES:
                raise BrokenRunError(f"{path.parent.name}/{path.name} expands to {expanded} bytes: too large.")
            return {name: stored[name] for name in (*names, *(name for name in optional if name in stored))}
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
