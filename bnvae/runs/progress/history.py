"""A run's history: one JSON record a line, appended while it trains and read while it grows."""

import hashlib
import os
import stat
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Self, TypeVar, final

from bnvae.runs.storage.atomic_files import BrokenRunError, UnreadableRunError
from bnvae.runs.storage.retry import insist, named
from bnvae.training.records import EvaluationRecord, Record, StepRecord, record_from_json

HISTORY = "history.jsonl"
LARGEST_HISTORY_BYTES = 256 * 2**20

READ_BYTES = 2**20
"""at a time, of a file that is only to be hashed"""

R = TypeVar("R", StepRecord, EvaluationRecord)


class ChangedHistoryError(BrokenRunError):
    """A history that is not, or no longer, the one that its training wrote."""


def check_history(path: Path, length_bytes: int, sha256: str) -> None:
    """Compare the beginning of a history with the hash that was kept of it.

    Raises:
        ChangedHistoryError: the file is missing, shorter, or another.
        UnreadableRunError: it can't be read now.
    """
    for _ in checked_history(path, length_bytes, sha256):
        pass


def checked_history(path: Path, length_bytes: int, sha256: str | None) -> Iterator[bytes]:
    """The beginning of a history in pieces; good only if none raises, as in `check_history`. Without a hash (None) only
    its length is compared."""
    name = f"{path.parent.name}/{path.name}"
    digest, left = hashlib.sha256(), length_bytes
    try:
        if not stat.S_ISREG(path.lstat().st_mode):  # to open a pipe would wait for ever
            raise ChangedHistoryError(f"{name} is not a plain file.")
        with path.open("rb") as file:
            while left > 0 and (part := file.read(min(left, READ_BYTES))):
                digest.update(part)
                left -= len(part)
                yield part
    except (FileNotFoundError, NotADirectoryError):
        raise ChangedHistoryError(f"{name} is missing.") from None
    except OSError as error:
        raise UnreadableRunError(f"{name} cannot be read ({error.strerror}).") from None
    if left > 0:
        raise ChangedHistoryError(f"{name} is {left} bytes shorter than its training left it: it was cut.")
    if sha256 is not None and digest.hexdigest() != sha256:
        raise ChangedHistoryError(
            f"{name} is not what its training wrote: something in its first {length_bytes} bytes was changed or "
            "damaged."
        )


@final
class HistoryWriter:
    """Appends records. `bytes_written` names a position to which the file can be cut back."""

    def __init__(self, path: Path, keep_bytes: int = 0) -> None:
        self._path = path
        self._file = insist(lambda: path.open("a+b", buffering=0), path)
        self._is_torn = False
        # A file that lost its end keeps its complete lines: truncating to more than there is would append zeros.
        with named(path):
            self._file.seek(0)
            kept = self._file.read(keep_bytes)
            self.bytes_written = kept.rfind(b"\n") + 1
            self._file.truncate(self.bytes_written)
        self._digest = hashlib.sha256(kept[: self.bytes_written])

    @property
    def sha256(self) -> str:
        """Of all that was written, up to `bytes_written`."""
        return self._digest.hexdigest()

    def append(self, record: Record) -> None:
        line = record.to_json().encode() + b"\n"
        insist(lambda: self._write(line), self._path)
        self.bytes_written += len(line)
        self._digest.update(line)

    def _write(self, line: bytes) -> None:
        if self._is_torn:  # half of it came onto a disk that was full then
            self._file.truncate(self.bytes_written)
        self._is_torn = True
        left = memoryview(line)
        while left:
            left = left[self._file.write(left) :]
        self._is_torn = False

    def sync(self) -> None:
        """Wait until all that was appended is on the disk.

        Raises:
            OSError: it is not, and can't be had by asking again: what a system failed to write out it has forgotten.
        """
        with named(self._path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


@final
class HistoryReader:
    """Follows a history: each `read` parses only what was appended since the one before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._last_line = b""
        """what must still precede the offset, or else the file is another one"""
        self.steps: list[StepRecord] = []
        self.evaluations: list[EvaluationRecord] = []

    def read(self) -> None:
        """Take in complete new lines; start over if the file was cut back or replaced.

        Raises:
            ValueError: a line is not a record, or the file is too large.
        """
        try:
            size = self._path.stat().st_size
            if size > LARGEST_HISTORY_BYTES:
                raise ValueError(f"{self._path.name} has {size} bytes: at most {LARGEST_HISTORY_BYTES} are read.")
            if size == self._offset:
                return
            self._take_in()
        except FileNotFoundError:
            self._forget()
        except OSError as error:  # a folder of that name, no permission
            raise ValueError(f"{self._path.name} cannot be read ({error.strerror}).") from None

    def copied(self) -> Self:
        """What was read so far, which a later `read` of this reader leaves as it is: two threads may share a reader."""
        twin = copy(self)
        twin.steps, twin.evaluations = list(self.steps), list(self.evaluations)
        return twin

    def _take_in(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._offset - len(self._last_line))
            if file.read(len(self._last_line)) != self._last_line:
                self._forget()
                file.seek(0)
            appended = file.read(LARGEST_HISTORY_BYTES)
        # A line without its end is still being written.
        complete = appended[: appended.rfind(b"\n") + 1]
        if not complete:
            return
        lines = complete[:-1].split(b"\n")
        for line in lines:
            record = record_from_json(line.decode("utf-8", "replace"))
            if isinstance(record, StepRecord):
                _keep_until(self.steps, record)
            else:
                _keep_until(self.evaluations, record)
        self._last_line = lines[-1] + b"\n"
        self._offset += len(complete)

    def _forget(self) -> None:
        self._offset, self._last_line = 0, b""
        self.steps.clear()
        self.evaluations.clear()


def _keep_until(records: list[R], record: R) -> None:
    """Append; a resumed run repeats the steps it had lost, and then the later line holds."""
    while records and records[-1].step >= record.step:
        records.pop()
    records.append(record)
