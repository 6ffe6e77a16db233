"""Where a user's pictures lie: a folder or a .zip, read in memory, nothing unpacked to disk."""

import os
import stat
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from bnvae.data.images.decode_image import MOST_BYTES, is_picture

MOST_ENTRIES = 250_000
MOST_TOTAL_BYTES = 2 << 30
MOST_EXPANSION = 200
"""A zip entry may become so many times larger than its compressed form; pictures hardly shrink at all (ratio)."""
_SMALL_BYTES = 1 << 20
"""Entries up to this size may expand as they like: a plain-coloured .bmp does."""
_MOST_DIRECTORY_BYTES = 128 << 20
_BLOCK_BYTES = 1 << 18


class PictureSource(ABC):
    """Pictures by name; names are paths with forward slashes, sorted."""

    path: str
    names: list[str]
    folders: list[str]
    """names of all folders, of the empty ones too"""

    @abstractmethod
    def read(self, name: str) -> bytes: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def open_source(path: Path) -> PictureSource:
    """The pictures in a folder or a .zip.

    Raises:
        ValueError: it is neither, or holds what a collection of pictures does not.
    """
    return PictureFolder(path) if path.is_dir() else PictureZip(path)


class PictureFolder(PictureSource):
    """Links are followed to files inside the folder only."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder)
        self._root = folder.resolve()
        self.names, self.folders = [], []
        for parent, folders, files in os.walk(self._root, onerror=_raise):
            self.folders += [Path(parent, name).relative_to(self._root).as_posix() for name in folders]
            for name in (*folders, *files):
                self._look_at(Path(parent, name))
        self.names.sort()

    def read(self, name: str) -> bytes:
        file = self._root / name
        if file.stat().st_size > MOST_BYTES:
            raise _refused(self.path, f"{name!r} has more than {MOST_BYTES} bytes")
        return file.read_bytes()

    def _look_at(self, entry: Path) -> None:
        name = entry.relative_to(self._root).as_posix()
        if entry.is_symlink() and not entry.resolve().is_relative_to(self._root):
            raise _refused(self.path, f"{name!r} is a link that leads out of the folder")
        if is_picture(name) and entry.is_file():
            self.names.append(name)
            if len(self.names) > MOST_ENTRIES:
                raise _refused(self.path, f"it holds more than {MOST_ENTRIES} pictures")


class PictureZip(PictureSource):
    """What the archive's directory says of sizes is not believed: bytes are counted as they are unpacked."""

    def __init__(
        self,
        file: Path,
        *,
        wanted: Callable[[str], bool] = is_picture,
        what: str = "pictures",
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.path = str(file)
        self._what = what
        self._most_bytes = most_bytes
        self._left = MOST_TOTAL_BYTES
        if (size := directory_bytes(file)) > _MOST_DIRECTORY_BYTES:
            raise self._refused(f"its list of entries has {size} bytes, more than {_MOST_DIRECTORY_BYTES}")
        try:
            self._archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise self._refused(f"it is not a .zip ({error})") from None
        entries = self._archive.infolist()
        if len(entries) > MOST_ENTRIES:
            raise self._refused(f"it has {len(entries)} entries, more than {MOST_ENTRIES}")
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            self._check_name(entry)
            if not entry.is_dir() and wanted(entry.filename):
                self._entries[entry.filename] = entry
        self.names = sorted(self._entries)
        self.folders = [entry.filename.rstrip("/") for entry in entries if entry.is_dir()]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()

    def read(self, name: str, first: int | None = None) -> bytes:
        """The bytes of an entry, or so many from its beginning."""
        if name not in self._entries:
            raise self._refused(f"it has no entry {name!r}")
        entry = self._entries[name]
        most = min(self._most_bytes, self._left, max(_SMALL_BYTES, MOST_EXPANSION * entry.compress_size))
        content = bytearray()
        try:
            with self._archive.open(entry) as file:
                while block := file.read(_BLOCK_BYTES):
                    content += block
                    if first is not None and len(content) >= first:
                        return bytes(content[:first])
                    if len(content) > most:
                        raise self._refused(f"{name!r} unpacks to more than the {most} bytes left to it")
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise self._refused(f"{name!r} cannot be unpacked ({error})") from None
        self._left -= len(content)
        return bytes(content)

    def _check_name(self, entry: zipfile.ZipInfo) -> None:
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename:
            raise self._refused(f"entry {entry.filename!r} leads out of the archive")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise self._refused(f"entry {entry.filename!r} is a link")
        if entry.flag_bits & 1:
            raise self._refused(f"entry {entry.filename!r} is encrypted")

    def _refused(self, reason: str) -> ValueError:
        return _refused(self.path, reason, self._what)


def directory_bytes(file: Path) -> int:
    """How large a .zip's list of entries is: `zipfile` reads it as a whole, so a huge one would fill the memory.

    It stands in the record that ends the file, or in the 64-bit one before that (PKWARE APPNOTE 4.3.14, 4.3.16).

    Raises:
        ValueError: the file does not end as a .zip does.
    """
    with file.open("rb") as archive:
        size = archive.seek(0, os.SEEK_END)
        archive.seek(max(size - (1 << 16) - 98, 0))
        tail = archive.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise _refused(str(file), "it is not a .zip, or its end is missing")
    if end >= 76 and tail[end - 20 : end - 16] == b"PK\x06\x07":
        if tail[end - 76 : end - 72] != b"PK\x06\x06":
            raise _refused(str(file), "its 64-bit end record is missing")
        return int(struct.unpack_from("<Q", tail, end - 76 + 40)[0])
    return int(struct.unpack_from("<L", tail, end + 12)[0])


def _raise(error: OSError) -> None:
    raise error


def _refused(path: str, reason: str, what: str = "pictures") -> ValueError:
    return ValueError(f"path is {path!r}: {reason}. Give a folder or a plain .zip of {what}.")
