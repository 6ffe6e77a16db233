"""A new run that goes on from where another stands, with something changed."""

import dataclasses
import shutil

from bnvae.config import SCALED
from bnvae.runs import checkpoint
from bnvae.runs.files import write_atomic, write_json
from bnvae.runs.run import Run
from bnvae.runs.store import RunStore
from bnvae.steering import STEERABLE, Change, steered, until

ORIGIN = "origin.json"
COPIED = ("tokenizer.json", "data.json", "examples.npz", "environment.json")


def fork_run(store: RunStore, run: Run, new_id: str, changed: dict[str, float]) -> Run:
    """Begin a run at the newest checkpoint of `run`, whose history it shares up to there; to be resumed.

    Raises:
        ValueError: the run has no checkpoint, the name is taken, or a value is refused; nothing is kept.
    """
    found = checkpoint.newest(run.folder)
    if found is None:
        raise ValueError(f"run {run.id!r} has no checkpoint to go on from: only what was trained here has one.")
    manifest, tensors = found
    step = int(manifest["step"])
    config = steered(run.config, until(run.desk.changes(), step + 1))
    config = steered(config, [Change(step=step, field=name, value=value) for name, value in changed.items()])
    fork = store.create(new_id, config)
    try:
        for name in COPIED:
            if (run.folder / name).is_file():
                shutil.copyfile(run.folder / name, fork.folder / name)
        with (run.folder / "history.jsonl").open("rb") as history:
            write_atomic(fork.folder / "history.jsonl", history.read(int(manifest["history_bytes"])))
        checkpoint.place(fork.folder, manifest, tensors)
        write_json(fork.folder / ORIGIN, {"run": run.id, "step": step, "changed": changed})
        message = f"Goes on from step {step} of {run.id}."
        fork.write_status(dataclasses.replace(run.status, state="stopped", step=step, message=message))
    except BaseException:
        shutil.rmtree(fork.folder, ignore_errors=True)
        raise
    return fork


def steerable(run: Run) -> dict[str, float]:
    """The values now in force of what may be changed."""
    config = run.steered_config
    values = {name: getattr(config.training, name) for name in STEERABLE if name != "tau"}
    return values | ({"tau": config.model.tau} if config.model.head in SCALED else {})
