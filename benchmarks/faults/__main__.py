"""Killed trainings and failing disks against undisturbed ones, byte for byte: python -m benchmarks.faults."""

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.faults import kills, sweep
from benchmarks.faults.disk import KINDS, Fault
from benchmarks.faults.lives import KILLED, MODALITIES, REFUSED
from benchmarks.report import publish
from bnvae.runs import RunStore


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--sweep", nargs="*", choices=MODALITIES, default=["image"], help="whose operations fail")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="a file for what is done, from which another call goes on")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder) / "runs")
        log: Path = options.log or Path(folder) / "log.jsonl"
        if options.kills:
            _publish_kills(kills.run_rounds(store, options.kills, options.seed, log))
        for modality in options.sweep:
            for short in sweep.short_lives(store, modality):
                _publish_sweep(short, sweep.sweep(store, short, log))


def _publish_kills(done: dict[kills.Round, kills.Struck]) -> None:
    rows = []
    for head, modality in dict.fromkeys((each.head, each.modality) for each in done):
        mine = [(each, found) for each, found in done.items() if (each.head, each.modality) == (head, modality)]
        failures = [name for _, found in mine for name in found.differing]
        rows.append(
            [
                head,
                modality,
                str(sum(len(found.steps) for _, found in mine)),
                ", ".join(str(each.kills) for each, _ in mine),
                str(sum(found.half_written for _, found in mine)),
                ", ".join(failures) or "none",
            ]
        )
    header = ["head", "data", "kills", "in a row, of each run", "files left half written", "differing files"]
    publish("Workers killed at random moments", header, rows)


def _publish_sweep(short: sweep.Short, done: dict[Fault, sweep.Found]) -> None:
    rows = []
    for kind in KINDS:
        mine = [(fault.number, found) for fault, found in done.items() if fault.kind == kind]
        ends = [found.ended for _, found in mine]
        wrong = [f"{number} ({found.operation}): {', '.join(found.wrong)}" for number, found in mine if found.wrong]
        counts = [len(mine), ends.count(0), ends.count(REFUSED), ends.count(KILLED)]
        rows.append([kind, *map(str, counts), "; ".join(wrong) or "none"])
    header = ["fault", "operations", "waited out", "ended with an error", "killed", "wrong after another life"]
    publish(f"Every one of {len(short.seen)} file operations fails in turn: {short.name}", header, rows)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
