"""The lease of a run: one worker holds it, and the operating system ends it with the worker, however that dies."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

WAIT_SECONDS = 2.0
"""longer than anybody who only asks holds the file"""


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lease within.

    Raises:
        BlockingIOError: another process holds it.
    """
    # Not of one thread: each member of a race gives its lease back in the thread that trained it.
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=WAIT_SECONDS, poll_interval=0.02)
    except Timeout:
        raise BlockingIOError(
            f"run {path.parent.name!r} is being trained by another process: stop that one first."
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Whether a living process holds the lease. Creates nothing, so a read-only folder can be asked as well."""
    if sys.platform == "win32":
        return path.exists() and _is_refused(path)
    import fcntl  # not on Windows

    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        # Shared: pages that ask at the same moment don't take each other for a worker.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without flock, where FileLock goes by the file's existence
        return _is_refused(path)
    finally:
        os.close(descriptor)
    return False


def _is_refused(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
