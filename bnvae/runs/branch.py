"""A new run that goes on from where another stands, with something changed."""

import dataclasses
import errno
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from bnvae.config.scheduled_changes import STEERABLE, Change, steered, until
from bnvae.config.schema import SCALED, RunConfig
from bnvae.runs.artifacts import snapshots
from bnvae.runs.progress import checkpoint
from bnvae.runs.progress.history import HISTORY, ChangedHistoryError, checked_history
from bnvae.runs.progress.step_times import CLOCK
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import BrokenRunError, UnreadableRunError, read_json, write_atomic, write_json
from bnvae.runs.store import RunStore, check_id, name_taken

ORIGIN = "origin.json"
COPIED = ("tokenizer.json", "data.json", "examples.npz", "environment.json", CLOCK)


def fork_run(store: RunStore, run: Run, new_id: str, changed: dict[str, float], *, more_epochs: int = 0) -> Run:
    """Begin a run at the newest checkpoint of `run`, whose history it shares up to there; to be resumed.

    Raises:
        ValueError: the run has no checkpoint or no step left, the name is taken, or a value is refused; nothing is
            kept.
    """
    found = checkpoint.newest(run.folder)
    if found is None:
        raise ValueError(f"run {run.id!r} has no checkpoint to go on from: only what was trained here has one.")
    manifest, tensors = found
    step = int(manifest["step"])
    config = steered(run.config, until(run.desk.changes(), step + 1))
    config = steered(config, [Change(step=step, field=name, value=value) for name, value in changed.items()])
    config = dataclasses.replace(config, training=dataclasses.replace(config.training, precision=run.precision))
    config, total_steps = _prolonged(run, config, more_epochs, step)
    shared = _shared_history(run, manifest)
    if (store.root / check_id(new_id)).exists():
        raise name_taken(new_id)
    # Half of a fork would begin anew when it is resumed.
    with store.aside("fork") as aside:
        fork = RunStore(aside).create(new_id, config)
        for name in COPIED:
            if (run.folder / name).is_file():
                shutil.copyfile(run.folder / name, fork.folder / name)
        _copy_album(run.folder, fork.folder, step)
        write_atomic(fork.folder / HISTORY, shared)
        checkpoint.place(fork.folder, manifest, tensors)
        write_json(fork.folder / ORIGIN, {"run": run.id, "step": step, "changed": changed})
        message = f"Goes on from step {step} of {run.id}."
        status = run.status.replace(state="stopped", step=step, total_steps=total_steps, seconds_left=None)
        fork.write_status(status.replace(message=message))
        try:
            fork.folder.rename(store.root / new_id)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # taken a moment ago
                raise name_taken(new_id) from None
            raise
    return store.get(new_id)


@final
@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a branch goes on from."""

    run: str
    """name of the run at that time; it may be gone by now"""
    step: int
    """up to which the history is that run's"""


def origin_of(run: Run) -> Origin | None:
    """Where a branch left another run; None for a run that began by itself, or where that can't be read."""
    try:
        stored = read_json(run.folder / ORIGIN)
    except BrokenRunError:
        return None
    name, step = stored.get("run"), stored.get("step")
    if not isinstance(name, str) or isinstance(step, bool) or not isinstance(step, int) or step < 0:
        return None
    return Origin(run=name, step=step)


def _prolonged(run: Run, config: RunConfig, more_epochs: int, step: int) -> tuple[RunConfig, int]:
    """The configuration with so many epochs more, and its steps in all."""
    if more_epochs:
        training = dataclasses.replace(config.training, epochs=config.training.epochs + more_epochs)
        config = dataclasses.replace(config, training=training)
    examples = run.card.training_examples
    total_steps = config.training.epochs * (examples // min(config.training.batch_size, examples))
    if step >= total_steps:
        raise ValueError(
            f"run {run.id!r} has taken all of its {step} steps, so a branch of it would have none to take: give "
            "more epochs."
        )
    return config, total_steps


def _shared_history(run: Run, manifest: dict[str, Any]) -> bytes:
    pieces = checked_history(run.folder / HISTORY, int(manifest["history_bytes"]), manifest.get("history_sha256"))
    try:
        return b"".join(pieces)
    except UnreadableRunError as error:
        raise UnreadableRunError(f"{error} Branch off when its disk answers again and it may be read.") from None
    except ChangedHistoryError as error:
        raise ChangedHistoryError(f"{error} Put it back from a copy before branching off.") from None


def _copy_album(folder: Path, fork: Path, until_step: int) -> None:
    (fork / snapshots.FOLDER).mkdir()
    for path in sorted((folder / snapshots.FOLDER).glob("[0-9]*.npz")):
        if path.stem.isdigit() and int(path.stem) <= until_step:
            shutil.copyfile(path, fork / snapshots.FOLDER / path.name)


def steerable(run: Run) -> dict[str, float]:
    """The values now in force of what may be changed."""
    config = run.steered_config
    values = {name: getattr(config.training, name) for name in STEERABLE if name != "tau"}
    has_tau = config.model.head in SCALED and not config.model.amortised
    return values | ({"tau": config.model.tau} if has_tau else {})
