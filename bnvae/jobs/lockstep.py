"""Step for step: keeps the trainings of one process together, whatever each one's speed."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import final

Wishes = Callable[[], Mapping[str, frozenset[str]]]
"""Names of what visitors asked of a member, each with the ids of all whom it was asked of."""

GRACE_SECONDS = 2.0
"""after which a wish counts that not all have got: who made it ended in between"""


class Abandoned(BaseException):
    """The process is to end at once: raised in the threads of the members."""


def _no_wishes() -> Mapping[str, frozenset[str]]:
    return {}


@final
class Conductor:
    """Members may take step s + 1 once every member has taken s steps; one that leaves is no longer waited for."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._taken: dict[str, int] = {}
        self._begun = -1
        self._wishes: dict[str, Wishes] = {}
        self._agreed: dict[str, list[tuple[int, str]]] = {}
        self._known: set[tuple[str, str]] = set()
        """member and wish, for those that were agreed on"""
        self._seen_at: dict[str, float] = {}
        self._abandoned = False
        self.metronome = Metronome()

    def join(self, member: str, step: int, wishes: Wishes = _no_wishes) -> None:
        """Take part from `step` on; all members join before the first one goes."""
        with self._turn:
            self._taken[member] = step
            self._wishes[member] = wishes
            self._agreed[member] = []

    def leave(self, member: str) -> None:
        """Take no further part: ended, stopped or failed."""
        with self._turn:
            self._taken.pop(member, None)
            self._wishes.pop(member, None)
            self._turn.notify_all()

    def abandon(self) -> None:
        """End all members before their next step, with nothing saved or said.

        Raises:
            Abandoned: in the threads of the members.
        """
        with self._turn:
            self._abandoned = True
            self._turn.notify_all()

    @property
    def is_abandoned(self) -> bool:
        return self._abandoned

    def arrive(self, member: str, step: int) -> None:
        """Say how many steps were taken."""
        with self._turn:
            self._taken[member] = step
            self._turn.notify_all()

    def agreed(self, member: str, *, look: bool) -> list[str]:
        """Wishes that the member is to take before its next step: at the same step for all whom they were made of.

        With `look`, what came since is agreed on first; not once a member has begun the step, for it could not follow.
        """
        with self._turn:
            step = self._taken[member]
            if look and self._begun < step:
                self._agree(step)
            mine = self._agreed[member]
            self._agreed[member] = [(at, name) for at, name in mine if at > step]
            return [name for at, name in mine if at <= step]

    def _agree(self, step: int) -> None:
        now = time.monotonic()
        waiting = {member: wishes() for member, wishes in self._wishes.items()}
        for member, names in waiting.items():
            for name, asked in names.items():
                if (member, name) in self._known:
                    continue
                late = now - self._seen_at.setdefault(name, now) > GRACE_SECONDS
                if late or all(name in waiting[other] for other in asked & waiting.keys()):
                    self._agreed[member].append((step, name))
                    self._known.add((member, name))

    def may_go(self, member: str, ready: Callable[[], bool], timeout_s: float) -> bool:
        """Whether the member may take its next step; waits up to `timeout_s` for the slowest.

        The first to ask decides with `ready` for all, so that a pause finds every member at the same step. Nobody goes
        who has a wish to take before.
        """
        with self._turn:
            together = self._turn.wait_for(
                lambda: self._abandoned or self._taken[member] <= min(self._taken.values()), timeout_s
            )
            if self._abandoned:
                raise Abandoned
            step = self._taken[member]
            if not together or any(at <= step for at, _ in self._agreed[member]):
                return False
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
