"""Seconds of training to each step, kept apart from the history, which is the same on any machine."""

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float

from bnvae.runs.storage.atomic_files import read_bytes

CLOCK = "clock.txt"
LARGEST_BYTES = 2**20
GROWTH = 1.01
"""a mark each hundredth of what is behind: some 1,400 for a million steps"""


@final
class Clock:
    """Counts the seconds of one process's training, evaluations included, on top of those before it.

    What a training waits for, as a pause, slow motion or other members of a race, is `skipped`. A disk that refuses the
    marks costs nothing but them.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._path = folder / CLOCK
        kept = [mark for mark in read_marks(folder) if mark[0] <= step]
        self._before = kept[-1][1] if kept else 0.0
        self._began = time.monotonic()
        self._next = step
        with suppress(OSError):
            self._path.write_text("".join(f"{at} {seconds:.3f}\n" for at, seconds in kept), encoding="ascii")

    def skipped(self, seconds: float) -> None:
        """So long nothing was computed."""
        self._began += seconds

    def mark(self, step: int, *, last: bool = False) -> None:
        """The training has come to this step."""
        if step < self._next and not last:
            return
        self._next = max(step + 1, math.ceil(step * GROWTH))
        with suppress(OSError), self._path.open("a", encoding="ascii") as file:
            file.write(f"{step} {self._before + time.monotonic() - self._began:.3f}\n")


def read_marks(folder: Path) -> list[tuple[int, float]]:
    """Steps and seconds, ascending; none of a run that came without them. What is no mark is passed over."""
    try:
        lines = read_bytes(folder / CLOCK, LARGEST_BYTES).decode("ascii", "replace").splitlines()
    except (OSError, ValueError):
        return []
    found: list[tuple[int, float]] = []
    for line in lines:
        words = line.split()
        try:
            step, seconds = int(words[0]), float(words[1])
        except (ValueError, IndexError):
            continue
        if math.isfinite(seconds) and seconds >= 0 and (not found or (step > found[-1][0] and seconds >= found[-1][1])):
            found.append((step, seconds))
    return found


def seconds_at(folder: Path, steps: Sequence[int]) -> Float[np.ndarray, " T"] | None:
    """Seconds of training until each step, linear between the marks; None where a run has not two of them."""
    marks = read_marks(folder)
    if len(marks) < 2:
        return None
    seconds: np.ndarray = np.interp(steps, [0, *(step for step, _ in marks)], [0.0, *(at for _, at in marks)])
    return seconds
