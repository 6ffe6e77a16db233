"""Takes turns: more trainings than the machine should run at once wait in line, whichever process started them.

A ticket is a numbered file whose owner holds a lease on it, so a ticket of a process that died counts no longer.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from bnvae.runs.storage.lock import hold, is_held

QUEUE = ".queue"
GLANCE_SECONDS = 0.25


def most_trainings() -> int:
    """How many workers of the app train at once: BNVAE_TRAININGS, else half of the cores, at least 2.

    Raises:
        ValueError: BNVAE_TRAININGS is not a whole number from 1.
    """
    configured = os.environ.get("BNVAE_TRAININGS")
    if configured is None:
        return max(2, (os.cpu_count() or 2) // 2)
    if not configured.isdecimal() or int(configured) < 1:
        raise ValueError(f"BNVAE_TRAININGS is {configured!r}: give how many trainings may run at once, 1 or more.")
    return int(configured)


@contextmanager
def turn(root: Path, waiting: Callable[[int], None]) -> Iterator[None]:
    """Wait until fewer than `most_trainings` are before this one; within, it counts as one of them.

    `waiting` is told the place in line, 1 for the next, several times a second; what it raises ends the waiting.
    """
    queue, most = root / QUEUE, most_trainings()
    queue.mkdir(parents=True, exist_ok=True)
    with FileLock(queue / "counter.lock"):
        # Under the lock, so that nobody takes a ticket that is not held yet for a dead one.
        number = 1 + max((int(path.stem) for path in _tickets(queue)), default=0)
        ticket = queue / f"{number:010d}.ticket"
        held = hold(ticket)
        held.__enter__()
    try:
        while (place := _before(queue, ticket) - most + 1) > 0:
            waiting(place)
            time.sleep(GLANCE_SECONDS)
        yield
    finally:
        held.__exit__(None, None, None)
        ticket.unlink(missing_ok=True)


def _tickets(queue: Path) -> list[Path]:
    return sorted(path for path in queue.glob("*.ticket") if path.stem.isdecimal())


def _before(queue: Path, ticket: Path) -> int:
    """Living tickets before this one; dead ones are cleared away."""
    count = 0
    for path in _tickets(queue):
        if path.name >= ticket.name:
            break
        if is_held(path):
            count += 1
        else:
            with FileLock(queue / "counter.lock"):
                if not is_held(path):
                    path.unlink(missing_ok=True)
    return count
