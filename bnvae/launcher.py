"""Starts workers that outlive the page, the tab and the server that asked for them."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from bnvae.runs.files import write_atomic
from bnvae.runs.run import Run
from bnvae.runs.status import Status

PID = "worker.pid"
_children: list["subprocess.Popen[bytes]"] = []
# A server's sessions are threads: two may submit at once, and one asks for a state while another starts the worker.
_lock = threading.RLock()


def submit(run: Run, *, threads: int | None = None) -> None:
    """Start `python -m bnvae resume RUN` as a process of its own, with a bounded number of processor threads.

    Raises:
        BlockingIOError: the run is being trained already.
    """
    with _lock:
        if state(run).alive:
            raise BlockingIOError(f"run {run.id!r} is being trained already.")
        run.take_stop_request()  # one that came too late for the worker before
        run.write_status(run.status.replace(state="starting", message="Starting the worker."))
        worker = _start(run, threads)
        write_atomic(run.folder / PID, f"{worker.pid}\n".encode())
        _children.append(worker)


def _start(run: Run, threads: int | None) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"BNVAE_CHECKPOINTS": str(run.folder.parent.resolve())}
    if threads:
        environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    with (run.folder / "worker.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "bnvae", "resume", run.id, "--quiet"],
            cwd=Path(__file__).resolve().parents[1],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Its own session: closing the terminal or stopping the server leaves it alone.
            start_new_session=True,
        )


def reap() -> None:
    """Collect workers that ended, so that none stays behind as a zombie."""
    with _lock:
        _children[:] = [worker for worker in _children if worker.poll() is None]


def state(run: Run) -> Status:
    """The run's status, with a worker that died before its first word noticed."""
    reap()
    status = run.status
    if status.state != "starting":
        return status
    with _lock:
        if run.is_held or _lives(run):
            return status
        status = run.status  # it may have ended in order in between
    if status.state != "starting":
        return status
    tail = run.log_tail.strip().splitlines()
    last = tail[-1] if tail else "it left no message"
    return status.replace(state="failed", message=f"The worker ended before it could begin: {last}")


def stop(run: Run) -> None:
    """Ask the run's worker to save what there is and end."""
    run.request_stop()


def _lives(run: Run) -> bool:
    try:
        pid = int((run.folder / PID).read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return False
    return True
