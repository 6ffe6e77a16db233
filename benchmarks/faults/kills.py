"""Workers killed at random moments, one after the other of the same run, until it is left to end."""

import itertools
import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from benchmarks.faults.lives import HEADS, MODALITIES, config_of, differing, live, outcome, start, undisturbed
from bnvae.config.schema import HeadName, RunConfig
from bnvae.runs import Run, RunStore

IN_A_ROW = (1, 2, 5)
"""consecutive interruptions of a run, in turn"""
EPOCHS = 26
"""evaluations at steps 100, 200 and 208"""
STEPS_PER_EPOCH = 8
POLL_SECONDS = 0.01
LOADING_SHARE = 0.15
"""of the kills that strike before a first step"""
LONGEST_PAUSE_SECONDS = 0.1
"""at most, from the step a kill waits for to the kill: it strikes between two steps, in one, and in a save"""


@dataclass(frozen=True, kw_only=True)
class Round:
    """One run that is killed so many times in a row and then left to end."""

    head: HeadName
    modality: str
    number: int
    kills: int


@dataclass(frozen=True, kw_only=True)
class Struck:
    """What a round found."""

    steps: list[int] = field(default_factory=list)
    """that the run's status told at each kill"""
    half_written: int = 0
    """files that a killed worker left half made"""
    differing: list[str] = field(default_factory=list)
    """names of what isn't as in an undisturbed training"""


def rounds(kills: int) -> Iterator[Round]:
    """Over every head and both modalities, so many kills in all, rounded up to as many for each."""
    cases = list(itertools.product(HEADS, MODALITIES))
    for head, modality in cases:
        left, lengths = -(-kills // len(cases)), itertools.cycle(IN_A_ROW)
        for number in itertools.count():
            if not left:
                break
            count = min(left, next(lengths))
            left -= count
            yield Round(head=head, modality=modality, number=number, kills=count)


def strike(store: RunStore, config: RunConfig, wanted: dict[str, bytes], *, kills: int, rng: random.Random) -> Struck:
    """Kill so many workers of one run in a row at random moments, then let it end. An early end begins another run."""
    run, left = store.create(store.free_id("killed"), config), kills
    steps: list[int] = []
    half_written = 0
    while left:
        process, _ = start(run)
        _wait_for_moment(run, process, rng)
        process.kill()
        process.join()
        if process.exitcode == 0:
            if found := differing(run, wanted):
                return Struck(steps=steps, half_written=half_written, differing=found)
            run, left = store.create(store.free_id("killed"), config), kills
            continue
        left -= 1
        steps.append(run.status.step)
        half_written += len(list(run.folder.rglob(".*.part")))
    live(run)
    return Struck(steps=steps, half_written=half_written, differing=differing(run, wanted))


def _wait_for_moment(run: Run, process: ForkServerProcess, rng: random.Random) -> None:
    """By its steps and not by the clock alone: on a busy machine most of a life is spent on loading."""
    begun, total = run.status.step, EPOCHS * STEPS_PER_EPOCH
    if rng.random() < LOADING_SHARE:
        time.sleep(rng.uniform(0, 5 * LONGEST_PAUSE_SECONDS))
        return
    aim = rng.randint(begun + 1, max(begun + 1, total))
    while process.is_alive() and run.status.step < aim:
        time.sleep(POLL_SECONDS)
    time.sleep(rng.uniform(0, LONGEST_PAUSE_SECONDS))


def logged(log: Path) -> dict[Round, Struck]:
    """Rounds that are done, by a log of one JSON line each; a line that was never finished counts for nothing."""
    done = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        try:
            stored = json.loads(line)
        except ValueError:
            continue
        if "round" in stored:
            done[Round(**stored["round"])] = Struck(**stored["struck"])
    return done


def run_rounds(store: RunStore, kills: int, seed: int, log: Path) -> dict[Round, Struck]:
    """All rounds, those in the log taken from there, each other one added to it when it is done."""
    done = logged(log)
    wanted: dict[tuple[HeadName, str], dict[str, bytes]] = {}
    for each in rounds(kills):
        if each in done:
            continue
        config, case = config_of(each.head, each.modality, epochs=EPOCHS), (each.head, each.modality)
        if case not in wanted:
            wanted[case] = outcome(undisturbed(store, config))
        done[each] = strike(store, config, wanted[case], kills=each.kills, rng=random.Random(f"{seed} {each}"))
        with log.open("a") as file:
            file.write(json.dumps({"round": asdict(each), "struck": asdict(done[each])}) + "\n")
    return done
