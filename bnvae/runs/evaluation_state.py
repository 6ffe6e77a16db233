"""A thorough evaluation of a run in a process of its own: who does it, how far it is, and the wish to end it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

from bnvae.runs.run import LARGEST_WEIGHTS_BYTES, WEIGHTS, Run
from bnvae.runs.storage.atomic_files import BrokenRunError, read_bytes, read_json, sha256, write_json
from bnvae.runs.storage.lock import hold, is_held

LEASE, PROGRESS, STOP = "evaluating.lock", "evaluating.json", "evaluating.stop"
SILENT_SECONDS = 60.0
"""longer than a process takes to import torch on a busy machine"""
EvaluatingState = Literal["idle", "starting", "running", "failed"]


class EvaluationStopped(Exception):
    """Somebody asked for it; nothing was written."""


@final
@dataclass(frozen=True, kw_only=True)
class Evaluating:
    """What an evaluation is doing."""

    state: EvaluatingState = "idle"
    what: str = ""
    """what is being computed, or why it ended"""
    share: float = 0.0
    """of `what`, from 0 to 1"""


@final
class EvaluationDesk:
    """Both ends: a page starts, watches and stops; the process that evaluates reports and looks for a stop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    # -- a page's end -------------------------------------------------------------------------------------------------

    @property
    def is_held(self) -> bool:
        """Whether a living process evaluates this run."""
        return is_held(self._folder / LEASE)

    def announce(self) -> None:
        """A process is about to be started."""
        (self._folder / STOP).unlink(missing_ok=True)
        self._write(Evaluating(state="starting", what="Starting."))

    def request_stop(self) -> None:
        """Ask the process to end; it looks several times a second."""
        (self._folder / STOP).touch()

    def look(self) -> Evaluating:
        """What was last reported; a process that died without a word has failed."""
        if not (self._folder / PROGRESS).exists():
            return Evaluating()
        try:
            stored = read_json(self._folder / PROGRESS)
            found = Evaluating(
                state=stored["state"], what=str(stored["what"]), share=min(1.0, max(0.0, float(stored["share"])))
            )
        except (BrokenRunError, KeyError, TypeError, ValueError, OverflowError):
            return Evaluating()
        if found.state not in ("starting", "running", "failed"):
            return Evaluating()
        if found.state == "starting" and not self.is_held and self._age_seconds() > SILENT_SECONDS:
            return Evaluating(state="failed", what="The evaluation did not begin; evaluating.log may say why.")
        if found.state == "running" and not self.is_held:
            if not (self._folder / PROGRESS).exists():
                return Evaluating()  # it ended in order between the two looks
            return Evaluating(state="failed", what="The evaluation ended without a word.")
        return found

    # -- the process's end --------------------------------------------------------------------------------------------

    @contextmanager
    def working(self) -> Iterator[None]:
        """Be the only one to evaluate the run within; what ends it is left for pages to read.

        Raises:
            BlockingIOError: another process evaluates this run.
        """
        try:
            lease = hold(self._folder / LEASE)
            lease.__enter__()
        except BlockingIOError:
            raise BlockingIOError(
                f"run {self._folder.name!r} is being evaluated by another process: wait, or stop that one first."
            ) from None
        try:
            yield
        except EvaluationStopped:
            self._clear()
            raise
        except Exception as error:
            self._write(Evaluating(state="failed", what=str(error) or repr(error)))
            raise
        else:
            self._clear()
        finally:
            lease.__exit__(None, None, None)

    def wait(self, place: int) -> None:
        """Say how long the line is; raises EvaluationStopped if that was asked for."""
        if (self._folder / STOP).exists():
            self._clear()
            raise EvaluationStopped
        words = f"Waiting for others: place {place} in line."
        if self.look().what != words or self._age_seconds() > SILENT_SECONDS / 4:
            self._write(Evaluating(state="starting", what=words))

    def report(self, what: str, share: float) -> None:
        """Raises EvaluationStopped if that was asked for."""
        if (self._folder / STOP).exists():
            raise EvaluationStopped
        self._write(Evaluating(state="running", what=what, share=share))

    def _age_seconds(self) -> float:
        """Since the last report."""
        try:
            return time.time() - (self._folder / PROGRESS).stat().st_mtime
        except OSError:
            return 0.0

    def _clear(self) -> None:
        for name in (PROGRESS, STOP):
            (self._folder / name).unlink(missing_ok=True)

    def _write(self, now: Evaluating) -> None:
        write_json(
            self._folder / PROGRESS, {"state": now.state, "what": now.what, "share": now.share, "process": os.getpid()}
        )


def weights_digest(run: Run) -> str:
    """sha256 of the published weights: figures that carry it are theirs."""
    return sha256(read_bytes(run.folder / WEIGHTS, LARGEST_WEIGHTS_BYTES))


def kept_thorough(run: Run, weights: str | None = None) -> dict[str, Any] | None:
    """The thorough figures kept with a run; None if there are none, or not of its weights (or those of this digest)."""
    try:
        figures = (run.evaluation() or {}).get("thorough")
        if not isinstance(figures, dict) or figures.get("weights") != (weights or weights_digest(run)):
            return None
    except BrokenRunError:
        return None
    return figures
