"""TensorBoard event files of a run, made from its history whenever they are asked for."""

import importlib.util
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bnvae.runs.progress.step_times import seconds_at
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import write_atomic
from bnvae.training.records import EvaluationRecord, StepRecord

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"
"""in a run's folder: `tensorboard --logdir checkpoints` finds the event files of all runs"""
FILE = "events.out.tfevents.0.bnvae"
"""one name, so that newer ones replace it; TensorBoard reads every file with `tfevents` in its name"""


OF_EVALUATIONS = ("mutual_information", "permuted_rise")
"""figures that only evaluations have; missing in histories that were written before they were taken"""


def check_tensorboard() -> None:
    """Raises ValueError where the library that writes event files is not installed, before anything is trained."""
    if importlib.util.find_spec("tensorboard") is None:
        raise ValueError(
            "tensorboard is asked for and not installed: pip install tensorboard, or leave --tensorboard out."
        )


def write_event_file(run: Run, folder: Path) -> Path:
    """Scalars of each record, and the KL of all dimensions as a histogram; returns the file, which is written whole.

    Scalars are called as in the history, those of training batches under `training`, of evaluations under `validation`,
    or `test` in a run whose data has no validation split; nats per example. The wall time of each is the seconds of
    training until then, where the run knows them.

    Raises:
        ValueError: the run is broken or has no history, or the library is missing.
    """
    check_tensorboard()
    from torch.utils.tensorboard import SummaryWriter

    history = run.history()
    records: list[StepRecord | EvaluationRecord] = [*history.steps, *history.evaluations]
    if not records:
        remedy = "it was brought in and has no training to tell of." if run.is_brought else "train it first."
        raise ValueError(f"run {run.id!r} has no history: {remedy}")
    records.sort(key=lambda record: record.step)
    seconds = seconds_at(run.folder, [record.step for record in records])
    with tempfile.TemporaryDirectory() as aside:
        writer = SummaryWriter(aside)
        for index, record in enumerate(records):
            where = "training" if isinstance(record, StepRecord) else run.card.watched
            _add(writer, where, record, 0.0 if seconds is None else float(seconds[index]))
        writer.close()
        (made,) = Path(aside).iterdir()
        content = made.read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / FILE, content)
    return folder / FILE


def _add(writer: "SummaryWriter", where: str, record: StepRecord | EvaluationRecord, seconds: float) -> None:
    figures = {"elbo": record.elbo, "distortion": record.distortion, "rate": record.rate}
    figures["active_units"] = float(record.active_units)
    if isinstance(record, StepRecord):
        figures |= {"loss": record.loss, "kl_weight": record.kl_weight}
    else:
        figures |= {name: value for name in OF_EVALUATIONS if (value := getattr(record, name)) is not None}
    for name, value in figures.items():
        writer.add_scalar(f"{where}/{name}", value, record.step, walltime=seconds)
    kl = np.array([value for value in record.kl_per_dimension if math.isfinite(value)])
    if len(kl):
        writer.add_histogram(f"{where}/kl_per_dimension", kl, record.step, walltime=seconds)
