"""What to do where a disk refuses a write: within `patient`, wait until there is room; elsewhere, say so at once."""

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")

WAIT_SECONDS = 1.0
"""between two attempts"""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class Waiting(Protocol):
    """Who is told while a write has to wait."""

    def refused(self, error: OSError) -> None:
        """Before each wait; `error.filename` is what can't be written. What it raises ends the waiting."""

    def relieved(self) -> None:
        """Once, when the write was taken after all."""


_waiting: ContextVar[Waiting | None] = ContextVar("waiting", default=None)
"""of this thread: the writes of a page that runs beside a training in one process wait for nobody"""


@contextmanager
def patient(waiting: Waiting | None) -> Iterator[None]:
    """Within, writes that are refused for want of room or of permission are tried again until they are taken."""
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)


def insist(write: Callable[[], T], path: Path) -> T:
    """Do a write that can be done again; of what goes wrong with it, `path` is named.

    Other errors than a lack of room or of permission are final: after an I/O error nobody knows what a disk holds.

    Raises:
        OSError: the write was refused, and there is no `patient` waiting.
    """
    refusals = 0
    while True:
        try:
            done = write()
        except OSError as error:
            error.filename = str(path)
            waiting = _waiting.get()
            if waiting is None or error.errno not in NO_ROOM + READ_ONLY:
                raise
            refusals += 1
            with patient(None):
                waiting.refused(error)
            time.sleep(WAIT_SECONDS)
        else:
            if refusals and (waiting := _waiting.get()) is not None:
                waiting.relieved()
            return done


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Within, an error of reading or syncing, which knows only an open file's number, gets the file's name."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def refusal_words(error: OSError) -> str:
    """Which file waits, for what, and that nothing has to be pressed."""
    name = Path(str(error.filename)).name
    remedy = "there is room" if error.errno in NO_ROOM else "its folder may be written again"
    return f"Waiting: {name} can't be written ({error.strerror}). Training goes on by itself when {remedy}."
