"""A worker's sign of life, once a second, and what a watching process makes of it.

The worker writes a count; the watcher sees by its own clock whether the count grows. No clock has to be right.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bnvae.runs.progress.status import Status
from bnvae.runs.run import Run

BEAT = "worker.beat"
BEAT_SECONDS = 1.0
BEAT_BYTES = 1_024
"""always as long, and written in place: for this a full disk has room, and a reader sees no half of it"""
PACKAGE = Path(__file__).resolve().parents[1]


@final
@dataclass(frozen=True, kw_only=True)
class Beat:
    """What a worker last said without a word of its training."""

    count: int
    """beats so far: a living worker's grows"""
    still_seconds: float = 0.0
    """since the training itself last gave a sign: at each step, and while it waits (s, by the worker's clock)"""
    where: str = ""
    """what the training is busy with, if it has been still for long"""
    note: str = ""
    """what can't be said in the status: the disk is full"""


@final
class Heart:
    """One run's signs of life, within `beating`."""

    def __init__(self, folder: Path) -> None:
        self.note = ""
        self._path = folder / BEAT
        self._count = 0
        self._signed_at = time.monotonic()
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        with suppress(OSError):  # a read-only folder: the training will say so itself
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
        self.beat()

    def sign(self) -> None:
        """The training lives; so cheap that every step can afford it."""
        now = time.monotonic()
        was_still = now - self._signed_at > STILL_SECONDS
        self._signed_at, self._thread = now, threading.get_ident()
        if was_still:  # what was said of it is no longer true
            self.beat()

    def beat(self) -> None:
        """The process lives; and what the training last gave as a sign."""
        still = time.monotonic() - self._signed_at
        self._count += 1
        where = _place_of(self._thread) if still > STILL_SECONDS else ""
        said = {"count": self._count, "still_seconds": round(still, 1), "where": where[:200], "note": self.note[:500]}
        with suppress(OSError), self._lock:
            if self._descriptor is not None:
                os.lseek(self._descriptor, 0, os.SEEK_SET)
                os.write(self._descriptor, json.dumps(said).encode()[:BEAT_BYTES].ljust(BEAT_BYTES))

    def end(self) -> None:
        """No more signs: the run's status has the last word."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


STILL_SECONDS = 4.0
"""after which a training is asked where it stands"""


def _place_of(thread: int) -> str:
    """The innermost line of this package that the thread is in: "bnvae/runs/progress/checkpoint.py:52 in save"."""
    frame = sys._current_frames().get(thread)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE):
            return f"{path.relative_to(PACKAGE.parent)}:{frame.f_lineno} in {frame.f_code.co_name}"
        frame = frame.f_back
    return ""


@contextmanager
def beating(folders: Sequence[Path]) -> Iterator[list[Heart]]:
    """A heart for each run's folder, beating until the block ends."""
    hearts = [Heart(folder) for folder in folders]
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT_SECONDS):
            for heart in hearts:
                heart.beat()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield hearts
    finally:
        ended.set()
        thread.join()
        for heart in hearts:
            heart.end()


def read_beat(folder: Path) -> Beat | None:
    """The last sign of life; None if there is none, or one that is being written this moment."""
    try:
        stored = json.loads((folder / BEAT).read_bytes()[:BEAT_BYTES])
        return Beat(
            count=int(stored["count"]),
            still_seconds=float(stored["still_seconds"]),
            where=str(stored["where"]),
            note=str(stored["note"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


SILENT_SECONDS = 4.0
"""without a new beat, of which there is one a second, after which a worker is said to be silent"""

_seen_lock = threading.Lock()
_seen: dict[Path, tuple[int, float]] = {}
"""of each run with a beat: its count, and when it was first seen by a clock that never jumps"""


def silent_seconds(folder: Path, beat: Beat | None) -> float:
    """Since the last new beat, or since the first look (s); 0 for a run without one."""
    now = time.monotonic()
    with _seen_lock:
        if beat is None:
            _seen.pop(folder, None)
            return 0.0
        count, since = _seen.get(folder, (None, now))
        if count != beat.count:
            _seen[folder] = (beat.count, since := now)
        return now - since


def is_silent(run: Run) -> bool:
    """Whether the run's worker lives and has given no sign of it for some seconds: it hangs, or its machine sleeps."""
    return run.status.alive and silent_seconds(run.folder, read_beat(run.folder)) > SILENT_SECONDS


def with_signs(run: Run, status: Status) -> Status:
    """A status that says as well what its worker could not say itself: that it hangs, or that the disk is full."""
    beat = read_beat(run.folder)
    if (silent := silent_seconds(run.folder, beat)) > SILENT_SECONDS:
        message = f"Its worker has given no sign of life for {silent:.0f} s: it hangs, or its machine sleeps."
        return status.replace(message=message)
    if beat is None:
        return status
    if beat.note:
        return status.replace(state="paused", message=beat.note)
    if beat.still_seconds > SILENT_SECONDS and beat.where:
        return status.replace(message=f"{status.message} For {beat.still_seconds:.0f} s in {beat.where}.")
    return status
