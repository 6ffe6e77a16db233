"""Starts workers that outlive the page, the tab and the server that asked for them."""

import os
import subprocess
import sys
from pathlib import Path

from bnvae.runs.run import Run
from bnvae.runs.status import Status

_children: list["subprocess.Popen[bytes]"] = []


def submit(run: Run, *, threads: int | None = None) -> None:
    """Start `python -m bnvae resume RUN` as a process of its own, with a bounded number of processor threads.

    Raises:
        BlockingIOError: the run is being trained already.
    """
    reap()
    if run.is_held:
        raise BlockingIOError(f"run {run.id!r} is being trained already.")
    run.write_status(run.status.replace(state="starting", message="Starting the worker."))
    environment = os.environ | {"BNVAE_CHECKPOINTS": str(run.folder.parent.resolve())}
    if threads:
        environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    with (run.folder / "worker.log").open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "bnvae", "resume", run.id, "--quiet"],
            cwd=Path(__file__).resolve().parents[1],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Its own session: closing the terminal or stopping the server leaves it alone.
            start_new_session=True,
        )
    (run.folder / "worker.pid").write_text(f"{worker.pid}\n")
    _children.append(worker)


def reap() -> None:
    """Collect workers that ended, so that none stays behind as a zombie."""
    _children[:] = [worker for worker in _children if worker.poll() is None]


def state(run: Run) -> Status:
    """The run's status, with a worker that died before its first word noticed."""
    reap()
    status = run.status
    if status.state == "starting" and not run.is_held and not _lives(run):
        status = run.status  # it may have ended in order in between
        if status.state == "starting":
            tail = run.log_tail.strip().splitlines()
            last = tail[-1] if tail else "it left no message"
            return status.replace(state="failed", message=f"The worker ended before it could begin: {last}")
    return status


def stop(run: Run) -> None:
    """Ask the run's worker to save what there is and end."""
    run.request_stop()


def _lives(run: Run) -> bool:
    try:
        pid = int((run.folder / "worker.pid").read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return False
    return True
