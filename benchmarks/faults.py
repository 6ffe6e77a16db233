"""Trainings that are killed, or whose disk fails, end with the bytes of undisturbed ones: python -m benchmarks.faults.

Workers are forked from a process that has torch loaded, so that a life costs what its training costs.
"""

import argparse
import ctypes
import errno
import io
import itertools
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import IO, Any, Literal, get_args

from benchmarks.report import publish
from bnvae.config import DataConfig, HeadName, ModelConfig, RunConfig, TrainingConfig
from bnvae.runs import Run, RunStore, checkpoint
from bnvae.runs.beat import read_beat

FaultKind = Literal["full", "error", "exit", "short"]
HEADS: tuple[HeadName, ...] = get_args(HeadName)
MODALITIES = ("image", "text")
LONGEST_LIFE_SECONDS = 300.0
FULL_OPERATIONS = 5
"""for which a disk that is full has no room"""

_workers = multiprocessing.get_context("forkserver")
_workers.set_forkserver_preload(["bnvae.worker", "sklearn.datasets"])


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one of a worker's opens for writing, writes, syncs and renames."""

    kind: FaultKind
    """full: no space for a while; error: this one fails; exit: the process ends there; short: half is written"""
    number: int
    """which of them, counted from 1; 0: none, they are only counted"""


class FaultyDisk:
    """Counts the operations that change a run's files, and has one of them go wrong."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.operations = 0

    def install(self) -> None:
        """For the rest of this process."""
        for module, name in ((os, "replace"), (os, "fsync"), (tempfile, "mkstemp")):
            setattr(module, name, self._guarded(getattr(module, name)))
        for module, name in ((os, "fdopen"), (io, "open")):
            setattr(module, name, self._wrapping(getattr(module, name)))

    def operate(self, short: Callable[[], object] = lambda: None) -> None:
        self.operations += 1
        number, kind = self.fault.number, self.fault.kind
        lasts = FULL_OPERATIONS if kind == "full" else 1
        if not number or not number <= self.operations < number + lasts:
            return
        if kind == "exit":
            os._exit(9)
        if kind == "short":
            short()
        raise OSError(errno.EIO if kind == "error" else errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _guarded(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **options: Any) -> Any:
            self.operate()
            return real(*arguments, **options)

        return guarded

    def _wrapping(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def opened(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            writes = set(mode) & set("wax+") and "b" in mode
            if writes and not isinstance(file, int):
                self.operate()
            stream = real(file, mode, *arguments, **options)
            return _FaultyFile(stream, self) if writes else stream

        return opened


class _FaultyFile:
    """A file whose writes the disk counts."""

    def __init__(self, stream: IO[bytes], disk: FaultyDisk) -> None:
        self._stream = stream
        self._disk = disk

    def write(self, content: bytes) -> int:
        def short() -> None:
            self._stream.write(content[: len(content) // 2])
            self._stream.flush()

        self._disk.operate(short)
        return self._stream.write(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> "_FaultyFile":
        return self

    def __exit__(self, *reason: object) -> None:
        self._stream.close()


def config_of(head: HeadName, modality: str, *, epochs: int) -> RunConfig:
    """A run of some milliseconds an epoch, of eight steps."""
    training = TrainingConfig(
        epochs=epochs, batch_size=16, device="cpu", precision="fp32", threads=1, record_every=3, learning_rate=1e-3
    )
    if modality == "text":
        data = DataConfig(name="storybook", training_examples=128, vocabulary_size=60)
        model = ModelConfig(network="lstm", head=head, hidden_units=8, embedding_units=8, latent_dimensions=3)
    else:
        data = DataConfig(name="digits", training_examples=128)
        model = ModelConfig(network="mlp", head=head, hidden_units=8, latent_dimensions=3)
    return RunConfig(data=data, model=model, training=training)


def _without_waiting(descriptor: int) -> None:
    """A killed process loses nothing that it gave to the system, and syncs would take most of its life."""


def _forgo_privileges() -> None:
    """Of root's rights, keep none that override a folder's: read-only then means read-only."""
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, nothing):
        raise OSError(ctypes.get_errno(), "capset")


def _live(
    folders: Sequence[str], checkpoint_seconds: float, fault: Fault | None, largest_file_bytes: int, counted: Any
) -> None:
    """A worker's whole life; its exit status says whether it ended in order."""
    from bnvae import session, worker
    from bnvae.runs import patience

    patience.WAIT_SECONDS = 0.02
    session.CHECKPOINT_SECONDS, session.STATUS_SECONDS = checkpoint_seconds, 0.05 if fault is None else 1e9
    os.fsync = _without_waiting  # type: ignore[assignment]
    disk = FaultyDisk(fault or Fault(kind="error", number=0))
    if fault is not None:
        disk.install()
    if largest_file_bytes:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file_bytes, most))
    if sys.platform == "linux":
        _forgo_privileges()
    status = 0
    try:
        worker.train_runs([Run(Path(folder)) for folder in folders])
    except (OSError, ValueError):
        status = 1
    counted.value = disk.operations
    os._exit(status)


def start(
    *runs: Run, checkpoint_seconds: float = 0.05, fault: Fault | None = None, largest_file_bytes: int = 0
) -> tuple[ForkServerProcess, Any]:
    """A worker of its own for these runs, and the number of operations on its disk, once it has ended."""
    counted = _workers.Value("i", 0)
    arguments = ([str(run.folder) for run in runs], checkpoint_seconds, fault, largest_file_bytes, counted)
    process = _workers.Process(target=_live, args=arguments)
    process.start()
    return process, counted


def live(*runs: Run, **options: Any) -> tuple[int, int]:
    """A whole life: its exit status, and how many operations its disk saw."""
    process, counted = start(*runs, **options)
    process.join(LONGEST_LIFE_SECONDS)
    if process.exitcode is None:
        said = [(run.status, read_beat(run.folder)) for run in runs]
        process.kill()
        raise AssertionError(f"the worker hangs: {said}")
    return process.exitcode, counted.value


def outcome(run: Run) -> dict[str, bytes]:
    """What a training leaves, by name; the trainer's state whichever slot it is in."""
    names = ("weights.safetensors", "history.jsonl", "preview.npz", "encodings.npz", "evaluation.json", "examples.npz")
    found = {name: (run.folder / name).read_bytes() for name in names}
    found |= {f"snapshots/{path.name}": path.read_bytes() for path in (run.folder / "snapshots").iterdir()}
    newest = checkpoint.newest(run.folder)
    assert newest is not None
    return found | {"trainer": newest[1], "manifest": repr(newest[0]).encode()}


def differing(run: Run, wanted: dict[str, bytes]) -> list[str]:
    """Names of what isn't as in an undisturbed training."""
    if run.status.state != "finished":
        return [f"the run is {run.status.state}: {run.status.message}"]
    found = outcome(run)
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def kill_again_and_again(
    store: RunStore, config: RunConfig, wanted: dict[str, bytes], *, kills: int, rng: random.Random, within_s: float
) -> list[str]:
    """Kill workers of one run at random moments, then let it end; what differs then. Early ends begin a new run."""
    run = store.create(store.free_id("killed"), config)
    while kills:
        process, _ = start(run)
        time.sleep(rng.uniform(0, within_s))
        process.kill()
        process.join()
        if process.exitcode == 0:
            if found := differing(run, wanted):
                return found
            run = store.create(store.free_id("killed"), config)
        else:
            kills -= 1
    live(run)
    return differing(run, wanted)


def strike(store: RunStore, config: RunConfig, wanted: dict[str, bytes], fault: Fault) -> list[str]:
    """One fault in a run's first life, then a second life; what differs then."""
    run = store.create(store.free_id("struck"), config)
    live(run, checkpoint_seconds=-1.0, fault=fault)
    live(run, checkpoint_seconds=-1.0)
    found = differing(run, wanted)
    found += [f"{path.name} was left" for path in run.folder.rglob(".*.part")]
    shutil.rmtree(run.folder)
    return found


def undisturbed(store: RunStore, config: RunConfig, *, checkpoint_seconds: float = 1e9) -> tuple[Run, int]:
    """A training to its end, and how many operations its disk saw."""
    run = store.create(store.free_id("whole"), config)
    status, operations = live(run, checkpoint_seconds=checkpoint_seconds, fault=Fault(kind="error", number=0))
    assert status == 0, run.status.message
    return run, operations


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--operations", type=int, default=1, help="every k-th file operation fails in turn; 0: none")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        if options.kills:
            _publish_kills(store, options.kills, random.Random(options.seed))
        if options.operations:
            _publish_faults(store, options.operations)


def _publish_kills(store: RunStore, kills: int, rng: random.Random) -> None:
    rows = []
    cases = list(itertools.product(HEADS, MODALITIES))
    each = -(-kills // len(cases))
    for head, modality in cases:
        config = config_of(head, modality, epochs=40)
        begun = time.monotonic()
        whole, _ = undisturbed(store, config)
        seconds = time.monotonic() - begun
        wanted, failures = outcome(whole), []
        for number in range(0, each, 5):
            failures += kill_again_and_again(
                store, config, wanted, kills=min(5, each - number), rng=rng, within_s=0.6 * seconds
            )
        rows.append([head, modality, str(each), ", ".join(failures) or "none"])
    publish("Workers killed at random moments", ["head", "data", "kills", "differing files"], rows)


def _publish_faults(store: RunStore, every: int) -> None:
    config = config_of("rms-scaler", "image", epochs=1)
    whole, operations = undisturbed(store, config, checkpoint_seconds=-1.0)
    wanted = outcome(whole)
    for kind in get_args(FaultKind):
        numbers = range(1, operations + 1, every)
        failures = [
            f"{number}: {', '.join(found)}"
            for number in numbers
            if (found := strike(store, config, wanted, Fault(kind=kind, number=number)))
        ]
        row = [kind, f"{len(numbers)} of {operations}", "; ".join(failures) or "none"]
        publish("File operations that fail", ["fault", "operations", "differing files"], [row])


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
