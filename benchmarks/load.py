"""How many people can watch two trainings on one server of two cores: python -m benchmarks.load [--quick].

Viewers do what a browser does. They load the Train page with both runs on show over the server's WebSocket protocol,
and name the messages they have kept, so that the server need not send them twice. Then they ask the route that the
page's components ask for their numbers, as often as it lets them; where a page ticks instead, they run its fragments
again. Not measured is what a browser itself takes to load scripts and to draw.

First load: from the request for the page until its script has finished and its numbers are there. Age: for how long a
newer step than the one on show had been there to read, at the moment before it was shown; while a training evaluates
itself nothing newer is there, and no page is to blame. The server and its workers
are bound to two cores; where there are more, the viewers are on the others, elsewhere they take their share from the
server. The processor time is the server's own, which depends little on what else the machine does.
"""

import argparse
import asyncio
import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.browser import Server, serving
from benchmarks.report import publish
from benchmarks.viewers import Clock, Viewer
from bnvae.config.schema import DataConfig, HeadName, ModelConfig, RunConfig, TrainingConfig
from bnvae.jobs import launch
from bnvae.runs import Run, RunStore

TARGET_LOAD_SECONDS, TARGET_AGE_SECONDS, TARGET_SESSION_MB = 5.0, 2.0, 5.0
ARRIVALS_A_SECOND = 20
MOST_SECONDS = 400.0
"""of the whole command, after which no larger crowd is begun"""
SERVER_CORES = 2


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed; infinite for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


@dataclasses.dataclass(frozen=True)
class Seen:
    """What so many viewers met."""

    viewers: int
    load_seconds: float
    age_seconds: float
    megabytes_each: float
    processor_seconds_a_load: float
    processor_seconds_a_minute: float
    """of the server for each viewer, once all are there"""
    failures: list[str]

    @property
    def broken(self) -> list[str]:
        """What of the targets was missed."""
        parts = [f"{len(self.failures)} viewers failed ({self.failures[0]})"] if self.failures else []
        parts += ["first load"] if self.load_seconds > TARGET_LOAD_SECONDS else []
        parts += ["age"] if self.age_seconds > TARGET_AGE_SECONDS else []
        parts += ["memory"] if self.megabytes_each > TARGET_SESSION_MB else []
        return parts


async def crowd(server: Server, query: str, runs: Sequence[Run], viewers: int, seconds: float) -> Seen:
    """So many viewers, who come one after the other and look for a while."""
    clock, over = Clock(runs), asyncio.Event()
    watching = asyncio.create_task(clock.watch())
    before, used = server.resident_bytes, server.processor_seconds
    people = [Viewer(server, "/train", query, clock) for _ in range(viewers)]
    tasks = []
    for person in people:
        tasks.append(asyncio.create_task(person.watch(over)))
        await asyncio.sleep(1 / ARRIVALS_A_SECOND)
    with suppress(TimeoutError):
        async with asyncio.timeout(120):
            await asyncio.gather(*(person.loaded.wait() for person in people))
    for person in people:
        person.ages.clear()  # of the rush
    loaded, begun = server.processor_seconds, time.monotonic()
    await asyncio.sleep(seconds)
    grown, minutes = server.resident_bytes - before, (time.monotonic() - begun) / 60
    watched = server.processor_seconds - loaded
    over.set()
    await asyncio.gather(*tasks)
    watching.cancel()
    loads = [person.load_seconds for person in people if person.load_seconds is not None]
    return Seen(
        viewers=viewers,
        load_seconds=percentile(loads, 0.95) if len(loads) == viewers else float("inf"),
        age_seconds=percentile([age for person in people for age in person.ages], 0.95),
        megabytes_each=grown / viewers / 1e6,
        processor_seconds_a_load=(loaded - used) / viewers,
        processor_seconds_a_minute=watched / viewers / minutes,
        failures=[person.failure for person in people if person.failure],
    )


async def come_and_go(server: Server, query: str, times: int, at_once: int = 5) -> list[float]:
    """Visitors who leave once the page is there: the server's resident memory after each tenth of them (MB)."""
    clock, found = Clock([]), [server.resident_bytes / 1e6]
    for number in range(0, times, at_once):
        over = asyncio.Event()
        people = [Viewer(server, "/train", query, clock) for _ in range(at_once)]
        tasks = [asyncio.create_task(person.watch(over)) for person in people]
        await asyncio.gather(*(person.loaded.wait() for person in people))
        over.set()
        await asyncio.gather(*tasks)
        if (number + at_once) % max(at_once, times // 10) < at_once:
            found.append(server.resident_bytes / 1e6)
    return found


def begin_trainings(store: RunStore) -> list[Run]:
    """Two of the app's own workers, which train for as long as the measurement takes."""
    runs = []
    heads: dict[int, HeadName] = {1_000: "gaussian", 1_001: "rms-scaler"}
    for epochs, head in heads.items():
        config = RunConfig(
            data=DataConfig(name="storybook"),
            model=ModelConfig(network="lstm", head=head),
            training=TrainingConfig(epochs=epochs, device="cpu", threads=1),
        )
        run = store.create(store.free_id(f"storybook-{head}"), config)
        launch.submit(run, threads=1)
        runs.append(run)
    end = time.monotonic() + 120
    while not all(run.status.step > 100 for run in runs):
        if time.monotonic() > end:
            raise RuntimeError(f"a training did not begin: {[run.status.message for run in runs]}")
        time.sleep(0.2)
    return runs


def end_trainings(runs: Sequence[Run]) -> None:
    for run in runs:
        launch.stop(run)
    end = time.monotonic() + 60
    while any(run.is_held for run in runs) and time.monotonic() < end:
        time.sleep(0.2)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 20, 100, 200, 400])
    parser.add_argument("--seconds", type=float, default=20.0, help="for which each crowd looks")
    parser.add_argument("--visits", type=int, default=1_000, help="connects and disconnects; 0: none")
    parser.add_argument("--quick", action="store_true", help="1 and 10 viewers for 10 s, 50 visits")
    options = parser.parse_args(arguments)
    if options.quick:
        options.viewers, options.seconds, options.visits = [1, 10], 10.0, 50
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:SERVER_CORES])  # of the server and the workers, which are started here
    begun, folder = time.monotonic(), Path(tempfile.mkdtemp())
    os.environ["BNVAE_CHECKPOINTS"] = str(folder)
    runs: list[Run] = []
    try:
        runs = begin_trainings(RunStore(folder))
        query = "&".join(f"runs={run.id}" for run in runs)
        with serving(folder) as server:
            os.sched_setaffinity(0, cores[SERVER_CORES:] or cores)
            asyncio.run(crowd(server, query, runs, 1, 2.0))  # the first visitor pays for all imports
            if options.visits:
                _publish_visits(server, query, options.visits)
            _publish_crowds(server, query, runs, options.viewers, options.seconds, until=begun + MOST_SECONDS)
    finally:
        end_trainings(runs)
        shutil.rmtree(folder, ignore_errors=True)


def _publish_crowds(
    server: Server, query: str, runs: Sequence[Run], sizes: Sequence[int], seconds: float, *, until: float
) -> None:
    rows = []
    for viewers in sizes:
        if time.monotonic() + viewers / ARRIVALS_A_SECOND + seconds > until:
            print(f"no time is left for {viewers} viewers", flush=True)
            break
        seen = asyncio.run(crowd(server, query, runs, viewers, seconds))
        figures = (
            f"{seen.load_seconds:.2f}",
            f"{seen.age_seconds:.2f}",
            f"{seen.megabytes_each:.2f}",
            f"{seen.processor_seconds_a_load:.3f}",
            f"{seen.processor_seconds_a_minute:.2f}",
        )
        rows.append([str(viewers), *figures, ", ".join(seen.broken) or "none"])
        print(rows[-1], flush=True)
        if seen.failures or not max(seen.load_seconds, seen.age_seconds) < 10 * TARGET_LOAD_SECONDS:
            break
    header = [
        "viewers",
        "first load, p95 (s)",
        "age, p95 (s)",
        "memory each (MB)",
        "server's processor time a load (s)",
        "and a viewer-minute (s)",
        "missed",
    ]
    publish("Viewers of two trainings", header, rows)


def _publish_visits(server: Server, query: str, visits: int) -> None:
    used = server.processor_seconds
    megabytes = asyncio.run(come_and_go(server, query, visits))
    each = (server.processor_seconds - used) / visits
    half = len(megabytes) // 2
    growth = 1_000 * (megabytes[-1] - megabytes[half]) / (visits / 2)
    header = [
        "visits",
        "resident memory after each tenth (MB)",
        "growth over the second half (kB a visit)",
        "server's processor time a visit (s)",
    ]
    row = [str(visits), ", ".join(f"{m:.0f}" for m in megabytes), f"{growth:.0f}", f"{each:.3f}"]
    publish("Visitors who come and go", header, [row])


if __name__ == "__main__":
    main()
