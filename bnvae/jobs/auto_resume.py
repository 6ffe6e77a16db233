"""What a server does about the trainings that were under way when it, its workers or its machine ended."""

import os
from collections.abc import Sequence

from bnvae.jobs.launch import PID, state, submit
from bnvae.runs import Run, RunStore, Status

MODES = ("", "auto")


def recover(store: RunStore) -> list[str]:
    """Clear away what was left half made and, with BNVAE_RESUME=auto, let interrupted trainings go on; their ids.

    Runs of one worker were a race and go on as one, each as fast or as paused as it was. One that can't go on says why
    in its status and keeps nobody else from it.

    Raises:
        ValueError: BNVAE_RESUME has another value.
    """
    mode = os.environ.get("BNVAE_RESUME", "")
    if mode not in MODES:
        raise ValueError(f"BNVAE_RESUME is {mode!r}: leave it out, or set 'auto'.")
    if store.root.is_dir():
        store.clear_away()
    if mode != "auto":
        return []
    resumed = []
    for race in _together([run for run in store.runs() if _was_interrupted(run)]):
        try:
            submit(*race, threads=_threads(race))
        except (OSError, ValueError) as error:
            _say(race, str(error))
        else:
            resumed += [run.id for run in race]
    return resumed


def _was_interrupted(run: Run) -> bool:
    """Also one whose worker was still waiting in line: what it left says that it starts, and nobody does."""
    return run.can_go_on and (
        run.status.state == "interrupted" or (run.status.state == "starting" and state(run).state == "failed")
    )


def _together(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs by the worker they had; a run that had none of the app's is alone."""
    races: dict[str, list[Run]] = {}
    for run in runs:
        try:
            worker = (run.folder / PID).read_text().strip()
        except (OSError, UnicodeDecodeError):
            worker = f"none of {run.id}"
        races.setdefault(worker, []).append(run)
    return list(races.values())


def _threads(race: Sequence[Run]) -> int | None:
    return 1 if len(race) > 1 else race[0].config.training.threads or None


def _say(race: Sequence[Run], why: str) -> None:
    for run in race:
        status: Status = run.status
        run.write_status(status.replace(state="failed", seconds_left=None, message=f"It could not go on: {why}"))
