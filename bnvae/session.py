"""One process's share of a run's training: the only code that writes what training produces."""

import dataclasses
import math
import platform
import time
from collections.abc import Callable
from functools import partial
from typing import final

import torch
from torch import Tensor

import bnvae
from bnvae.analysis.generation import decode_codes
from bnvae.analysis.metrics import evaluate
from bnvae.batches import check_batch_norm, mix
from bnvae.config import BATCH_NORMALISED, PrecisionName
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset
from bnvae.evaluation import encode, recompute_statistics
from bnvae.model import VAE
from bnvae.pacing import Conductor
from bnvae.posterior import Posterior
from bnvae.records import EvaluationRecord, Record, StepRecord
from bnvae.runs import checkpoint, snapshots
from bnvae.runs.control import PLAY, Control
from bnvae.runs.files import read_json, write_json
from bnvae.runs.history import HistoryWriter
from bnvae.runs.run import Preview, Run
from bnvae.runs.status import RunState, Status
from bnvae.steering import steered, until
from bnvae.training import Trainer

STATUS_SECONDS = 0.25
CHECKPOINT_SECONDS = 10.0
PREVIEW_RECONSTRUCTIONS = 8
PREVIEW_SAMPLES = 16
SNAPSHOT_MOMENT_EXAMPLES = 256
"""from which a snapshot's moments are taken: means are off by 1/16 of their spread, less than a drawn point's width"""
ENVIRONMENT = "environment.json"
GLANCE_SECONDS = 0.02
"""between two looks at the control: a look asks the file system, at short steps as long as a hundredth of one"""
REQUEST_SECONDS = 0.1
"""between two looks for requests while training at full speed: a look lists a folder"""

WRITTEN_FILES = (
    *("trainer-*", "weights", "tokenizer", "examples", "encodings", "preview", "data", "status"),
    *("environment", "live", "steering", f"{snapshots.FOLDER}/*"),
)
"""what nobody else writes while a worker lives: a half-written one is a killed worker's"""

Report = Callable[[Run, Record, Status], None]


class StoppedWhileLoading(Exception):
    """A stop was asked for while the data was loaded: there is nothing to save yet."""


@final
class Session:
    """Takes a run from wherever it stands to its end, or to a stop."""

    def __init__(self, run: Run, report: Report, conductor: Conductor) -> None:
        self.run = run
        self.report = report
        self.conductor = conductor
        self._desk = run.desk
        self._stopping = False
        self._steered = 0
        self._published_at = -1
        self._newest: StepRecord | None = None
        self.status = run.status.replace(state="training", message="Loading the data.", seconds_left=None)
        run.write_status(self.status)
        self._written_at = time.monotonic()
        config = run.config
        # Of this thread: a race has one for each run, and a new one starts with what the last run chose.
        self._threads = config.training.threads or torch.get_num_threads()
        torch.set_num_threads(self._threads)
        self.dataset = load_dataset(config.data, tokenizer=run.tokenizer, progress=self._loading)
        check_batch_norm(self.dataset.training, config.model.head in BATCH_NORMALISED)
        self.trainer = _build_trainer(run, self.dataset)
        position = checkpoint.restore(run.folder, self.trainer, self.dataset.digest)
        if position is None and run.has_weights:
            raise ValueError(
                f"run {run.id!r} came without the state of its training, as bundled and imported runs do: it can be "
                "looked at and evaluated, but not resumed. Train a new run."
            )
        run.write_data(self.dataset)
        self._write_environment()
        self.history = HistoryWriter(run.folder / "history.jsonl", position.history_bytes if position else 0)
        run.drop_live()  # of a step that is to be taken again
        self._skipped = " ".join(position.skipped) if position else ""
        self._refusal = ""
        self._changes = self._desk.changes()
        self._steer()
        pictures = PREVIEW_SAMPLES + PREVIEW_RECONSTRUCTIONS
        size_bytes = snapshots.most_bytes(self.dataset, config.model.latent_dimensions, pictures)
        # A checkpoint's own snapshot was taken before it.
        planned = snapshots.planned(self.trainer.total_steps, size_bytes)
        self._moments = [step for step in planned if step > self.trainer.step]
        self._speed = _Speed(self.trainer.step)
        self._saved_at = self._written_at = time.monotonic()
        self._asked_at = self._looked_at = -math.inf  # what waits on the desk is taken before the first step
        self._control = PLAY
        conductor.join(run.id, self.trainer.step)

    def _loading(self, what: str, share: float) -> None:
        now = time.monotonic()
        if now - self._written_at > STATUS_SECONDS:
            if self.run.take_stop_request():
                raise StoppedWhileLoading
            self._written_at = now
            self.status = self.status.replace(message=f"{what}: {share:.0%}")
            self.run.write_status(self.status)

    def train(self) -> Status:
        trainer = self.trainer
        torch.set_num_threads(self._threads)
        self._write_status("Training.")
        try:
            for record in trainer.fit(self._wait_for_turn):
                self.history.append(record)
                self.report(self.run, record, self.status)
                now = time.monotonic()
                if isinstance(record, StepRecord):
                    self._newest = record
                    self._take_snapshot()
                if isinstance(record, EvaluationRecord):
                    if not self.run.has_weights:
                        self._save_checkpoint()  # weights without one mark a run that came from elsewhere
                    self._publish()
                if now - self._saved_at > CHECKPOINT_SECONDS and trainer.is_settled:
                    self._save_checkpoint()
                if now - self._written_at > STATUS_SECONDS:
                    self._write_status("Training.")
                if (
                    (self._stopping or self._desk.control().stop)
                    and trainer.is_settled
                    and trainer.step < trainer.total_steps
                ):
                    return self._stop()
            return self._finish()
        finally:
            self.conductor.leave(self.run.id)  # first: to close a history on a full disk may fail
            self.history.close()

    def _wait_for_turn(self) -> None:
        """Before each step: wait while paused, for the other runs of a race, and for the beat; take in changes."""
        trainer = self.trainer
        self._take_snapshot()
        self.conductor.arrive(self.run.id, trainer.step)
        if self._steered < len(self._changes):
            self._steer()  # a resumed run comes again to where it was changed
        while True:
            control = self._look()
            self._take_requests(patient=control == PLAY)
            if control.stop or self._stopping:
                self._stopping = True  # goes on to the next whole record, without waiting for anybody
                return
            if self.conductor.may_go(self.run.id, partial(self._may_begin, control), GLANCE_SECONDS):
                break
            if self._is_paused(control):
                self._show("paused", "Paused.")
            elif control.steps_per_second is not None:
                self._show("training", "In slow motion.")
            time.sleep(GLANCE_SECONDS)
        if self.status.state == "paused":
            self._speed = _Speed(trainer.step)
            self._write_status("Training.")

    def _look(self) -> Control:
        now = time.monotonic()
        if now - self._looked_at >= GLANCE_SECONDS:
            self._looked_at, self._control = now, self._desk.control()
        return self._control

    def _is_paused(self, control: Control) -> bool:
        return control.pause_at is not None and self.trainer.step >= control.pause_at

    def _may_begin(self, control: Control) -> bool:
        return not self._is_paused(control) and self.conductor.metronome.is_time(control.steps_per_second)

    def _show(self, state: RunState, message: str) -> None:
        """Let pages see this very step, and what was said to a visitor's wish, once."""
        shown = self.status
        if (shown.state, shown.step, shown.message) == (state, self.trainer.step, self._with_notes(message)):
            return
        record = self.trainer.peek() or self._newest
        if record is not None and record.step == self.trainer.step:
            self.run.write_live(record)
        self._write_status(message, state=state)

    def _take_requests(self, *, patient: bool) -> None:
        """Make what visitors asked for part of the schedule, and apply what is due."""
        now = time.monotonic()
        if patient and now - self._asked_at < REQUEST_SECONDS:
            return
        self._asked_at = now
        for request in self._desk.requested():
            try:
                change = self._desk.take(request, self.trainer.step)
                steered(self.run.config, [*self._changes, change])
                self._desk.keep_changes([*self._changes, change])
                self._changes.append(change)
                self._refusal = ""
            except ValueError as error:
                self._refusal = f"A change was refused: {error}"
            self._desk.drop(request)
            self._steer()

    def _steer(self) -> None:
        due = until(self._changes, self.trainer.step + 1)
        if len(due) != self._steered:
            self._steered = len(due)
            self.trainer.steer(steered(self.run.config, due))

    def _stop(self) -> Status:
        self._save_checkpoint()
        with self.trainer.evaluating():
            self._publish()
        return self._end("stopped", f"Stopped at step {self.trainer.step}. What was learned is kept; resume to go on.")

    def _finish(self) -> Status:
        self._save_checkpoint()
        if self._published_at != self.trainer.step:  # killed between the last step's checkpoint and its pictures
            with self.trainer.evaluating():
                self._publish()
        self._write_status("Evaluating.")
        self.run.write_evaluation(evaluate_dataset(self.trainer.model, self.dataset))
        posterior = encode(self.trainer.model, self.dataset.test.examples)
        self.run.write_posterior(posterior, self.dataset.test.labels)
        return self._end("finished", "Finished.")

    def _end(self, state: RunState, message: str) -> Status:
        self.run.take_stop_request()
        self._write_status(message, state=state, seconds_left=None)
        return self.status

    def _publish(self) -> None:
        """Weights and previews of the model as it stands, in eval mode with exact moments."""
        model, test = self.trainer.model, self.dataset.test
        self.run.write_weights(model)
        posterior = self.trainer.test_posterior
        assert posterior is not None
        samples, reconstructions = self._made(posterior)
        self.run.write_preview(
            Preview(
                step=self.trainer.step,
                originals=test.examples[:PREVIEW_RECONSTRUCTIONS],
                reconstructions=reconstructions,
                samples=samples,
            )
        )
        if self.trainer.step < self.trainer.total_steps:
            self.run.write_posterior(posterior, test.labels[: len(posterior.mean)])
        self._published_at = self.trainer.step

    def _made(self, posterior: Posterior) -> tuple[Tensor, Tensor]:
        """What the model makes of fixed prior codes, and of the first test examples: pixels or tokens."""
        # The same codes every time and for every twin: what changes in a picture is the model.
        codes = self.trainer.model.sample_prior(
            PREVIEW_SAMPLES, torch.Generator().manual_seed(mix(self.run.config.training.seed, 3))
        )
        # Together: one token after another, few codes take as long as many.
        both = torch.cat([codes.cpu(), posterior.mean[:PREVIEW_RECONSTRUCTIONS]])
        made = decode_codes(self.trainer.model, self.dataset.shape, both)
        return made[:PREVIEW_SAMPLES], made[PREVIEW_SAMPLES:]

    def _take_snapshot(self) -> None:
        """Put the present moment into the album, if it is time for one."""
        step, model, test = self.trainer.step, self.trainer.model, self.dataset.test
        if not self._moments or step < self._moments[0]:
            return
        self._moments = [later for later in self._moments if later > step]
        stored = {name: value.clone() for name, value in model.head.named_buffers()}
        # Moments of a sample of the training set: enough to draw by, at a tenth of the time.
        recompute_statistics(model, self.trainer.batches.examples[:SNAPSHOT_MOMENT_EXAMPLES])
        posterior = encode(model, test.examples[: snapshots.POINTS])
        samples, reconstructions = self._made(posterior)
        for name, value in model.head.named_buffers():
            value.copy_(stored[name])  # what is trained and saved is that of a training without an album
        snapshot = snapshots.Snapshot(
            step=step,
            mean=posterior.mean[:, : snapshots.MOST_DIMENSIONS],
            std=posterior.std[:, : snapshots.MOST_DIMENSIONS],
            labels=test.labels[: snapshots.POINTS],
            samples=samples,
            reconstructions=reconstructions,
        )
        snapshots.save(self.run.folder, snapshot)

    def _save_checkpoint(self) -> None:
        assert self.trainer.is_settled
        self.history.sync()
        checkpoint.save(self.run.folder, self.trainer, self.history.bytes_written, self.dataset.digest)
        self._saved_at = time.monotonic()

    def _write_status(self, message: str, *, state: RunState = "training", seconds_left: float | None = 0.0) -> None:
        trainer = self.trainer
        steps_per_second = self._speed.steps_per_second(trainer.step)
        left = (trainer.total_steps - trainer.step) / steps_per_second if steps_per_second else None
        self.status = Status(
            state=state,
            step=trainer.step,
            total_steps=trainer.total_steps,
            epoch=trainer.epoch,
            examples_per_second=steps_per_second * trainer.batches.batch_size,
            seconds_left=None if seconds_left is None else left,
            message=self._with_notes(message),
            device=f"{trainer.device.type}, {str(trainer.precision).removeprefix('torch.')}",
        )
        self.run.write_status(self.status)
        self._written_at = time.monotonic()

    def _with_notes(self, message: str) -> str:
        return " ".join(filter(None, (message, self._skipped, self._refusal)))

    def _write_environment(self) -> None:
        write_json(
            self.run.folder / ENVIRONMENT,
            {
                "bnvae": bnvae.__version__,
                "python": platform.python_version(),
                "system": platform.system(),
                **checkpoint.fingerprint(self.trainer),
            },
        )


class _Speed:
    """Steps a second over the last seconds, evaluations included: what a person waiting would measure."""

    def __init__(self, step: int) -> None:
        self._marks = [(time.monotonic(), step)]

    def steps_per_second(self, step: int) -> float:
        now = time.monotonic()
        self._marks.append((now, step))
        self._marks = [mark for mark in self._marks if now - mark[0] < 10] or self._marks[-1:]
        started, first = self._marks[0]
        return (step - first) / (now - started) if now > started else 0.0


def _build_trainer(run: Run, dataset: Dataset) -> Trainer:
    config = run.config
    model = VAE.build(config.network, config.model, dataset.shape, seed=config.training.seed)
    training = dataclasses.replace(config.training, precision=_precision(run))
    return Trainer(model, dataset.training, dataset.test, training, record_every=config.record_every)


def _precision(run: Run) -> PrecisionName:
    """What `auto` meant when this training began: timed again, it might mean something else."""
    precision = run.config.training.precision
    if precision != "auto" or not (run.folder / ENVIRONMENT).exists():
        return precision
    began = read_json(run.folder / ENVIRONMENT).get("precision")
    return {"bfloat16": "bf16", "float32": "fp32"}.get(str(began), "auto")  # type: ignore[return-value]


def evaluate_dataset(model: VAE, dataset: Dataset, *, tau: float | None = None) -> dict[str, object]:
    """Figures of both splits, the head's moments recomputed over the training set first."""
    recompute_statistics(model, dataset.training.examples)
    return {
        "test": evaluate(model, dataset.test.examples, tau=tau).to_dict(),
        "training": evaluate(model, dataset.training.examples, tau=tau).to_dict(),
    }
