"""Contenders that take turns of a few steps each, so that a busy machine slows all of them alike."""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch

Contender = Callable[[int], None]
"""takes so many steps"""


class Seconds(NamedTuple):
    """Processor seconds are those of all threads; on a busy machine they leave out the time given to others."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> "Seconds":
        return cls(time.perf_counter(), time.process_time())

    def __sub__(self, other: "Seconds") -> "Seconds":
        return Seconds(self.wall - other.wall, self.processor - other.processor)


def nothing(index: int, steps: int) -> None: ...


def take_turns(
    contenders: Mapping[str, Contender], steps: int, rounds: int, between: Callable[[int, int], None] = nothing
) -> dict[str, list[Seconds]]:
    """What each turn of so many steps took; `between` is called before each round."""
    turns: dict[str, list[Seconds]] = {name: [] for name in contenders}
    for index in range(rounds + 1):
        between(index, steps)
        # Every other round backwards: nobody always runs after the same neighbour.
        for name in list(contenders)[:: 1 if index % 2 else -1]:
            started = Seconds.now()
            contenders[name](steps)
            if index:  # the first round warms up
                turns[name].append(Seconds.now() - started)
    return turns


def speed_ratio(theirs: list[Seconds], ours: list[Seconds]) -> Seconds:
    """Our speed over theirs: the median over rounds, since neighbouring turns saw the same machine."""
    pairs = list(zip(theirs, ours, strict=True))
    return Seconds(
        statistics.median(they.wall / we.wall for they, we in pairs),
        statistics.median(they.processor / we.processor for they, we in pairs),
    )


def chosen_turns(
    parser: argparse.ArgumentParser, cases: Iterable[str], *, rounds: int = 31, threads: int = 1
) -> argparse.Namespace:
    """The command line of a measurement by turns: `rounds`, the cases in `only`, and the threads, which are set."""
    names = list(cases)
    parser.add_argument("--rounds", type=int, default=rounds, help="turns that each contender takes")
    parser.add_argument("--only", nargs="*", choices=names, default=names)
    parser.add_argument("--threads", type=int, default=threads, help="processor threads; 0: as many as torch chooses")
    chosen = parser.parse_args()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    return chosen
