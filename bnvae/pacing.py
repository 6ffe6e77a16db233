"""Step for step: keeps the trainings of one process together, whatever each one's speed."""

import threading
import time
from collections.abc import Callable
from typing import final


@final
class Conductor:
    """Members may take step s + 1 once every member has taken s steps; one that leaves is no longer waited for."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._taken: dict[str, int] = {}
        self._begun = -1
        self.metronome = Metronome()

    def join(self, member: str, step: int) -> None:
        """Take part from `step` on; all members join before the first one goes."""
        with self._turn:
            self._taken[member] = step

    def leave(self, member: str) -> None:
        """Take no further part: ended, stopped or failed."""
        with self._turn:
            self._taken.pop(member, None)
            self._turn.notify_all()

    def arrive(self, member: str, step: int) -> None:
        """Say how many steps were taken."""
        with self._turn:
            self._taken[member] = step
            self._turn.notify_all()

    def may_go(self, member: str, ready: Callable[[], bool], timeout_s: float) -> bool:
        """Whether the member may take its next step; waits up to `timeout_s` for the slowest.

        The first to ask decides with `ready` for all, so that a pause finds every member at the same step.
        """
        with self._turn:
            if not self._turn.wait_for(lambda: self._taken[member] <= min(self._taken.values()), timeout_s):
                return False
            step = self._taken[member]
            if self._begun < step and not ready():
                return False
            self._begun = max(self._begun, step)
            return True


@final
class Metronome:
    """Slow motion: holds each step back until its time."""

    def __init__(self) -> None:
        self._last = 0.0

    def is_time(self, steps_per_second: float | None) -> bool:
        """Whether a step may be taken now; True counts as having taken it."""
        now = time.monotonic()
        if steps_per_second is not None and now - self._last < 1 / steps_per_second:
            return False
        self._last = now
        return True
