"""Workers' whole lives: forked from a process that has torch loaded, so that one costs what its training costs."""

import ctypes
import multiprocessing
import os
import resource
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, get_args

from benchmarks.faults.disk import Fault, FaultyDisk
from bnvae.config.schema import DataConfig, HeadName, ModelConfig, RunConfig, TrainingConfig
from bnvae.jobs.heartbeat import read_beat
from bnvae.runs import Run, RunStore
from bnvae.runs.progress import checkpoint

HEADS: tuple[HeadName, ...] = get_args(HeadName)
MODALITIES = ("image", "text")
LONGEST_LIFE_SECONDS = 300.0
REFUSED = 3
"""exit status of a life that ended with an error a user is told of"""
KILLED = 9
UNDISTURBED = Fault(kind="error", number=0)
"""a disk that only counts"""

_workers = multiprocessing.get_context("forkserver")
_workers.set_forkserver_preload(["bnvae.jobs.train_runs", "sklearn.datasets"])


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
    folders: Sequence[str], checkpoint_seconds: float, fault: Fault | None, largest_file_bytes: int, told: Connection
) -> None:
    """A worker's whole life; its exit status says how it ended."""
    from bnvae.jobs import train_job, train_runs
    from bnvae.runs.progress import intervals
    from bnvae.runs.storage import retry

    retry.WAIT_SECONDS = 0.02
    intervals.CHECKPOINT_SECONDS, intervals.CHECKPOINT_STRETCH = checkpoint_seconds, 1.0
    train_job.STATUS_SECONDS = 0.05
    os.fsync = _without_waiting  # type: ignore[assignment]
    disk = FaultyDisk(fault or UNDISTURBED, *map(Path, folders))
    if largest_file_bytes:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file_bytes, most))
    if sys.platform == "linux":
        _forgo_privileges()
    status = 0
    with disk.installed() if fault is not None else nullcontext():
        if fault is not None:  # nothing may depend on the clock: the n-th operation is to be the same one every time
            train_job.STATUS_SECONDS, train_job.GLANCE_SECONDS, train_job.REQUEST_SECONDS = 1e9, 0.0, 0.0
        try:
            train_runs.train_runs([Run(Path(folder)) for folder in folders])
        except (OSError, ValueError):
            status = REFUSED
    told.send(disk.seen)
    os._exit(status)


def start(
    *runs: Run, checkpoint_seconds: float = 0.05, fault: Fault | None = None, largest_file_bytes: int = 0
) -> tuple[ForkServerProcess, Connection]:
    """A worker of its own for these runs, and an end at which it tells what its disk was asked, if it lives so long."""
    hears, tells = _workers.Pipe(duplex=False)
    arguments = ([str(run.folder) for run in runs], checkpoint_seconds, fault, largest_file_bytes, tells)
    process = _workers.Process(target=_live, args=arguments)
    process.start()
    tells.close()
    return process, hears


def live(*runs: Run, **options: Any) -> tuple[int, list[str]]:
    """A whole life: its exit status, and what its disk was asked; nothing is told by one that was killed."""
    process, hears = start(*runs, **options)
    try:
        seen: list[str] = hears.recv() if hears.poll(LONGEST_LIFE_SECONDS) else []
    except EOFError:
        seen = []
    process.join(LONGEST_LIFE_SECONDS)
    if process.exitcode is None:
        said = [(run.status, read_beat(run.folder)) for run in runs]
        process.kill()
        raise AssertionError(f"the worker hangs: {said}")
    return process.exitcode, seen


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


def undisturbed(store: RunStore, config: RunConfig) -> Run:
    """A training to its end, saved only there."""
    run = store.create(store.free_id("whole"), config)
    status, _ = live(run, checkpoint_seconds=1e9)
    assert status == 0, run.status.message
    return run
