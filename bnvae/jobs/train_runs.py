"""Trains runs' folders from wherever they stand to their end, alone or step for step beside each other."""

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread

import torch

from bnvae.config.display_names import data_title
from bnvae.jobs.heartbeat import Heart, beating
from bnvae.jobs.lockstep import Abandoned, Conductor
from bnvae.jobs.train_job import WRITTEN_FILES, Report, Session, StoppedWhileLoading
from bnvae.runs.groups import group_of
from bnvae.runs.progress import checkpoint
from bnvae.runs.progress.status import Status
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import BrokenRunError, remove_leftovers
from bnvae.runs.store import RunStore

LISTENING_SECONDS = 0.2
"""between two moments at which the main thread of a race hears signals"""
ABANDONED_SECONDS = 1.0
"""for the members of a race that is ended at once to leave what they write whole"""


def train_run(run: Run, report: Report | None = None) -> Status:
    """Train a run, or go on with one that was stopped; returns how it ended.

    Raises:
        BlockingIOError: another process trains it.
        ValueError: the configuration or its data is refused; a run that had begun before says so as well.
    """
    return train_runs([run], report)[0]


def train_runs(runs: Sequence[Run], report: Report | None = None) -> list[Status]:
    """Train runs step for step beside each other, whatever each one's speed; returns how each ended.

    One that ends, is stopped or fails is not waited for. Each computes what it would compute alone.

    One whose data or settings are refused before it ever began leaves no run behind.

    Raises:
        BlockingIOError: another process trains one of them; none was touched.
        Exception: what ended the first that failed, once all have ended.
    """
    tell = report or (lambda run, record, status: None)
    with ExitStack() as stack:
        leases = {run.id: stack.enter_context(ExitStack()) for run in runs}
        for run in runs:
            leases[run.id].enter_context(run.hold())
        conductor = Conductor()
        hearts = stack.enter_context(beating([run.folder for run in runs]))
        prepared = [(run, _prepare(run, tell, conductor, heart)) for run, heart in zip(runs, hearts, strict=True)]
        sessions = [(run, session) for run, session in prepared if isinstance(session, Session)]
        for run, session in prepared:
            if not isinstance(session, Session):
                leases[run.id].close()
        failures = [session for _, session in prepared if isinstance(session, Exception)]
        failures += _train_together(sessions, leases, conductor)
        if failures:
            raise failures[0]
        return [session.status if isinstance(session, Session) else run.status for run, session in prepared]


def _train_together(
    sessions: Sequence[tuple[Run, Session]], leases: Mapping[str, ExitStack], conductor: Conductor
) -> list[Exception]:
    """A thread a run, or this one for one run alone; what ended those that failed."""
    failures: list[Exception] = []

    def train(run: Run, session: Session) -> None:
        with leases[run.id]:  # given back when this run ends: the others may go on for hours
            try:
                with _last_words(run):
                    session.train()
            except Exception as error:
                failures.append(error)
            except Abandoned:
                return

    if len(sessions) < 2:  # in this thread, where a signal finds it
        for each in sessions:
            train(*each)
        return failures
    # Daemons: a second Ctrl-C ends the process, whatever they do.
    threads = [Thread(target=train, args=each, daemon=True) for each in sessions]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():  # a wait without end would be deaf to signals on some systems
                thread.join(LISTENING_SECONDS)
    except KeyboardInterrupt:
        conductor.abandon()
        end = time.monotonic() + ABANDONED_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        raise
    return failures


def _prepare(run: Run, report: Report, conductor: Conductor, heart: Heart) -> Session | Exception | None:
    """One after the other: building models and data sets is not made for threads."""
    session: Session | None = None
    threads = torch.get_num_threads()
    try:
        with _last_words(run):
            remove_leftovers(run.folder, WRITTEN_FILES)
            if run.status.state != "starting":
                # Meant for the worker before. Whoever submits a run clears it first, so a later one is meant for this.
                run.take_stop_request()
            session = Session(run, report, conductor, heart)
    except Exception as error:
        # A run that can't be read is no refusal: somebody may mend it.
        if isinstance(error, ValueError) and not isinstance(error, BrokenRunError) and not run.has_begun:
            RunStore(run.folder.parent).withdraw(run)
        return error
    finally:
        torch.set_num_threads(threads)  # the next run may leave the number to torch
    return session


@contextmanager
def _last_words(run: Run) -> Iterator[None]:
    """Let the run's status say what ended it."""
    try:
        yield
    except StoppedWhileLoading:
        message = "Stopped while the data was loaded."
        run.write_status(run.status.replace(state="stopped", seconds_left=None, message=message))
    except Exception as error:
        with suppress(OSError):  # a disk that is still full: what happened is in the log
            status = run.status.replace(state="failed", seconds_left=None, message=str(error) or repr(error))
            run.write_status(status.replace(not_finite=isinstance(error, FloatingPointError)))
        raise


def describe(run: Run) -> dict[str, object]:
    """One entry of a listing; a broken run says what is wrong instead of hiding."""
    entry: dict[str, object] = {"run": run.id, "group": group_of(run), "status": dataclasses.asdict(run.status)}
    try:
        entry["config"] = dataclasses.asdict(run.config)
        entry["data"] = data_title(run.config)
        evaluation = run.evaluation()
    except ValueError as error:
        return {**entry, "error": str(error)}
    if evaluation is not None:
        entry["test"] = evaluation.get("test")
    # Of one that trains, what was read of both files a moment apart need not fit.
    doubt = "" if run.status.alive else checkpoint.history_doubt(run.folder)
    return {**entry, "doubt": doubt} if doubt else entry
