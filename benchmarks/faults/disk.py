"""A disk of which one operation goes wrong, in the place of this process's own."""

import errno
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import get_ident
from typing import IO, Any, Literal, get_args

FaultKind = Literal["error", "short", "exit", "full"]
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
FULL_OPERATIONS = 5
"""for which a disk that is full has no room"""
CHANGING = ("open", "replace", "unlink", "mkdir", "chmod", "fsync")
"""functions of `os` that change a folder, make a file or open one"""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one of a worker's operations on its disk."""

    kind: FaultKind
    """exit: the process ends there; error: EIO, once; full: ENOSPC for a while; short: half is written, then ENOSPC"""
    number: int
    """which of them, counted from 1; 0: none, they are only counted"""


class FaultyDisk:
    """Counts the operations of this thread on files below a folder, and has one of them go wrong.

    Counted are opens for reading and for writing, reads, writes, truncations, syncs, renames, removals, new folders
    and changed permissions. Signs of life come from another thread, and questions after a file's size change nothing.
    """

    def __init__(self, fault: Fault, *folders: Path) -> None:
        self.fault = fault
        self.seen: list[str] = []
        """what was asked of it, in order: "write history.jsonl" """
        self._opened: dict[int, str] = {}
        """descriptors and the names of their files"""
        self._folders = tuple(str(folder) for folder in folders)
        self._thread = get_ident()

    @property
    def operations(self) -> int:
        return len(self.seen)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """In the place of the real one within."""
        ours: list[tuple[Any, str, Callable[..., Any]]] = [
            *((os, name, self._guarded(name, getattr(os, name))) for name in CHANGING),
            (os, "close", self._forgetting(os.close)),
            (io, "open", self._wrapping(io.open)),
        ]
        real = [(module, name, getattr(module, name)) for module, name, _ in ours]
        try:
            for module, name, function in ours:
                setattr(module, name, function)
            yield
        finally:
            for module, name, function in real:
                setattr(module, name, function)

    def operate(self, name: str, file: str, path: Any = None, short: Callable[[], object] = lambda: None) -> None:
        """Count an operation; raise, as the real one would with the path it was given, or end the process."""
        self.seen.append(f"{name} {file}")
        number, kind = self.fault.number, self.fault.kind
        lasts = FULL_OPERATIONS if kind == "full" else 1
        if not number or not number <= self.operations < number + lasts:
            return
        if kind == "exit":
            os._exit(9)
        if kind == "short":
            short()
        code = errno.EIO if kind == "error" else errno.ENOSPC
        raise OSError(code, os.strerror(code), None if path is None else os.fspath(path))

    def _name(self, file: object) -> str | None:
        """Of a path or descriptor, if it is below a watched folder and asked for by the watched thread."""
        if get_ident() != self._thread:
            return None
        if isinstance(file, int):
            return self._opened.get(file)
        path = os.fspath(file) if isinstance(file, str | os.PathLike) else ""
        if not str(path).startswith(self._folders):
            return None
        # A temporary file's random part and a request's time differ from life to life.
        return re.sub(r"\.[a-z0-9_]{8}\.part|^[0-9]{20}-[0-9a-f]{8}", "~", Path(str(path)).name)

    def _guarded(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(file: Any, *arguments: Any, **options: Any) -> Any:
            known = self._name(file)
            if known is not None:
                self.operate(name, known, None if isinstance(file, int) else file)
            result = real(file, *arguments, **options)
            if name == "open" and known is not None:
                self._opened[result] = known
            return result

        return guarded

    def _forgetting(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def close(descriptor: int) -> None:
            self.forget(descriptor)
            real(descriptor)

        return close

    def forget(self, descriptor: int) -> None:
        """Its number may soon be another file's."""
        self._opened.pop(descriptor, None)

    def _wrapping(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(file: Any, *arguments: Any, **options: Any) -> Any:
            known = self._name(file)
            if known is not None and not isinstance(file, int):  # a descriptor was counted when it was opened
                self.operate("open", known, file)
            stream = real(file, *arguments, **options)
            if known is None:
                return stream
            self._opened[stream.fileno()] = known
            return _FaultyFile(stream, known, self)

        return opened


class _FaultyFile:
    """A file whose reads, writes and truncations the disk counts."""

    def __init__(self, stream: IO[bytes], name: str, disk: FaultyDisk) -> None:
        self._stream = stream
        self._name = name
        self._disk = disk

    def write(self, content: bytes) -> int:
        def short() -> None:
            self._stream.write(content[: len(content) // 2])
            self._stream.flush()

        self._disk.operate("write", self._name, short=short)
        return self._stream.write(content)

    def writelines(self, pieces: Sequence[bytes | memoryview]) -> None:
        """One write, whatever the number of pieces."""
        self.write(b"".join(pieces))

    def read(self, *size: int) -> bytes:
        self._disk.operate("read", self._name)
        return self._stream.read(*size)

    def truncate(self, size: int) -> int:
        self._disk.operate("truncate", self._name)
        return self._stream.truncate(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> "_FaultyFile":
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def close(self) -> None:
        self._disk.forget(self._stream.fileno())
        self._stream.close()
