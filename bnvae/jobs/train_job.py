"""One process's share of a run's training: the only code that writes what training produces."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import final

import torch

from bnvae.config.scheduled_changes import steered, until
from bnvae.config.schema import BATCH_NORMALISED
from bnvae.data import load_dataset
from bnvae.jobs.environment import trainer_of, write_environment
from bnvae.jobs.heartbeat import Heart
from bnvae.jobs.lockstep import Conductor
from bnvae.jobs.preview_writer import Showcase
from bnvae.metrics.both_splits import evaluate_dataset
from bnvae.metrics.figures.example_figures import ExampleFigures
from bnvae.runs.artifacts import snapshots
from bnvae.runs.derived.kept_example_figures import write_example_figures
from bnvae.runs.progress import checkpoint, intervals
from bnvae.runs.progress.control import PLAY, Control
from bnvae.runs.progress.history import HISTORY, HistoryWriter
from bnvae.runs.progress.status import RunState, Status
from bnvae.runs.progress.step_times import Clock
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import check_writable
from bnvae.runs.storage.retry import insist, patient, refusal_words
from bnvae.training.records import EvaluationRecord, Record, StepRecord
from bnvae.training.sampler import check_batch_norm

STATUS_SECONDS = 0.25
GLANCE_SECONDS = 0.02
"""between two looks at the control: a look asks the file system, at short steps as long as a hundredth of one"""
REQUEST_SECONDS = 0.1
"""between two looks for requests while training at full speed: a look lists a folder"""

WRITTEN_FILES = (
    *("trainer-*", "weights", "tokenizer", "examples", "encodings", "preview", "data", "status", "evaluation"),
    "example_figures",
    *("environment", "live", "steering", f"{snapshots.FOLDER}/*"),
)
"""what nobody else writes while a worker lives, so that a half-written one is a killed worker's; an evaluation apart,
which is written anew by whoever loses half of it to a worker that begins"""

Report = Callable[[Run, Record, Status], None]


class StoppedWhileLoading(Exception):
    """A stop was asked for while the data was loaded: there is nothing to save yet."""


@final
class Session:
    """Takes a run from wherever it stands to its end, or to a stop."""

    def __init__(self, run: Run, report: Report, conductor: Conductor, heart: Heart) -> None:
        self.run = run
        self.report = report
        self.conductor = conductor
        self._heart = heart
        self._desk = run.desk
        self._stopping = False
        self._steered = 0
        self._newest: StepRecord | None = None
        self.status = run.status.replace(state="training", message="Loading the data.", seconds_left=None)
        self._written_at = time.monotonic()
        with patient(self):
            self._begin()

    def _begin(self) -> None:
        run, config = self.run, self.run.config
        run.write_status(self.status)
        # Of this thread: a race has one for each run, and a new one starts with what the last run chose.
        self._threads = config.training.threads or torch.get_num_threads()
        torch.set_num_threads(self._threads)
        self.dataset = load_dataset(config.data, tokenizer=run.tokenizer, progress=self._loading)
        check_batch_norm(self.dataset.training, config.model.head in BATCH_NORMALISED)
        self.trainer = trainer_of(run, self.dataset)
        position = checkpoint.restore(run.folder, self.trainer, self.dataset.digest)
        if position is None and run.has_weights:
            raise ValueError(
                f"run {run.id!r} came without the state of its training, as bundled and imported runs do: it can be "
                "looked at and evaluated, but not resumed. Train a new run."
            )
        run.write_data(self.dataset)
        write_environment(run, self.trainer)
        self.history = HistoryWriter(run.folder / HISTORY, position.history_bytes if position else 0)
        run.drop_live()  # of a step that is to be taken again
        self._skipped = " ".join(position.skipped) if position else ""
        self._refusal = ""
        self._changes = self._desk.changes()
        self._steer()
        self._showcase = Showcase(run, self.trainer, self.dataset)
        self._speed = _Speed(self.trainer.step)
        self._clock = Clock(run.folder, self.trainer.step)
        self._written_at = time.monotonic()
        # Without a history it is saved soon: the old one, if it is put back after that, is refused rather than cut.
        self._saved_at = -math.inf if position and not position.history_bytes else self._written_at
        self._checkpoint_seconds = intervals.checkpoint_interval(0.0)
        self._asked_at = self._looked_at = -math.inf  # what waits on the desk is taken before the first step
        self._control = PLAY
        self.conductor.join(run.id, self.trainer.step, self._desk.wishes)

    def _loading(self, what: str, share: float) -> None:
        self._heart.sign()
        now = time.monotonic()
        if now - self._written_at > STATUS_SECONDS:
            if self.run.take_stop_request():
                raise StoppedWhileLoading
            self._written_at = now
            self.status = self.status.replace(message=f"{what}: {share:.0%}")
            self.run.write_status(self.status)

    def train(self) -> Status:
        with patient(self):
            return self._train()

    def _train(self) -> Status:
        trainer = self.trainer
        torch.set_num_threads(self._threads)
        self._write_status("Training.")
        try:
            for record in trainer.fit(self._wait_for_turn):
                self.history.append(record)
                self.report(self.run, record, self.status)
                now = time.monotonic()
                self._clock.mark(record.step)
                if isinstance(record, StepRecord):
                    self._newest = record
                    self._showcase.take_snapshot()
                if isinstance(record, EvaluationRecord):
                    if not self.run.has_weights:
                        self._save_checkpoint()  # weights without one mark a run that came from elsewhere
                    self._showcase.publish()
                if now - self._saved_at > self._checkpoint_seconds and trainer.is_settled:
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
            self._clock.mark(trainer.step, last=True)
            self.history.close()

    def _wait_for_turn(self) -> None:
        """Before each step: wait while paused, for the other runs of a race, and for the beat; take in changes."""
        trainer = self.trainer
        self._showcase.take_snapshot()
        asked = time.monotonic()
        self.conductor.arrive(self.run.id, trainer.step)
        if self._steered < len(self._changes):
            self._steer()  # a resumed run comes again to where it was changed
        while True:
            control = self._look()
            self._take_requests(hurried=control == PLAY)
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
        self._clock.skipped(time.monotonic() - asked)
        if self.status.state == "paused":
            self._speed = _Speed(trainer.step)
            self._write_status("Training.")

    def _look(self) -> Control:
        self._heart.sign()
        now = time.monotonic()
        if now - self._looked_at >= GLANCE_SECONDS:
            # The history stays open, and would go on growing in a folder in which nothing can be saved any more.
            insist(lambda: check_writable(self.run.folder), self.run.folder / HISTORY)
            self._looked_at, self._control = now, self._desk.control()
        return self._control

    def refused(self, error: OSError) -> None:
        """The disk refuses a write: the training waits for it, says so wherever that can be said, and hears a stop."""
        message = refusal_words(error)
        self._heart.sign()
        if self._desk.control().stop or self.conductor.is_abandoned:
            raise error
        if self._heart.note != message:
            self._heart.note = message
            self._heart.beat()
            self.status = self.status.replace(state="paused", message=message, seconds_left=None)
            with suppress(OSError):
                self.run.write_status(self.status)

    def relieved(self) -> None:
        """The disk took the write; the next status says that training goes on."""
        self._heart.note = ""
        self._heart.beat()

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

    def _take_requests(self, *, hurried: bool) -> None:
        """Make what visitors asked for part of the schedule, and apply what is due."""
        now = time.monotonic()
        look = not hurried or now - self._asked_at >= REQUEST_SECONDS
        if look:
            self._asked_at = now
        for name in self.conductor.agreed(self.run.id, look=look):
            request = self._desk.request_named(name)
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
        with self.trainer.evaluating(last=True):
            self._showcase.publish()
        return self._end("stopped", f"Stopped at step {self.trainer.step}. What was learned is kept; resume to go on.")

    def _finish(self) -> Status:
        self._save_checkpoint()
        if (
            self._showcase.published_at != self.trainer.step
        ):  # killed between the last step's checkpoint and its pictures
            with self.trainer.evaluating(last=True):
                self._showcase.publish()
        self._write_status("Evaluating.")
        each: list[ExampleFigures] = []
        figures = evaluate_dataset(self.trainer.model, self.dataset, keep=each.append)
        for one in each:
            write_example_figures(self.run, one, self.dataset.digest, figures)
        self.run.write_evaluation(figures)
        self.run.write_encodings(self.trainer.model, self.dataset)
        return self._end("finished", "Finished.")

    def _end(self, state: RunState, message: str) -> Status:
        self.run.take_stop_request()
        self._write_status(message, state=state, seconds_left=None)
        return self.status

    def _save_checkpoint(self) -> None:
        assert self.trainer.is_settled
        begun, history = time.monotonic(), self.history
        history.sync()
        checkpoint.save(
            self.run.folder,
            self.trainer,
            history.bytes_written,
            self.dataset.digest,
            history_sha256=history.sha256,
        )
        self._saved_at = time.monotonic()
        self._checkpoint_seconds = intervals.checkpoint_interval(self._saved_at - begun)

    def _write_status(self, message: str, *, state: RunState = "training", seconds_left: float | None = 0.0) -> None:
        trainer = self.trainer
        steps_per_second = self._speed.steps_per_second(trainer.step)
        left = (trainer.total_steps - trainer.step) / steps_per_second if steps_per_second else None
        status = Status(
            state=state,
            step=trainer.step,
            total_steps=trainer.total_steps,
            epoch=trainer.epoch,
            examples_per_second=steps_per_second * trainer.batches.batch_size,
            seconds_left=None if seconds_left is None else left,
            message=self._with_notes(message),
            device=f"{trainer.device.type}, {str(trainer.precision).removeprefix('torch.')}",
        )
        self.run.write_status(status)
        self.status = status  # after what `refused` said meanwhile
        self._written_at = time.monotonic()

    def _with_notes(self, message: str) -> str:
        return " ".join(filter(None, (message, self.dataset.note, self._skipped, self._refusal)))


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
