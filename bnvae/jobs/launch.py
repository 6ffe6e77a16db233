"""Starts workers that outlive the page, the tab and the server that asked for them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bnvae.jobs.heartbeat import is_silent, with_signs
from bnvae.jobs.project_runs import automatic, is_mapped_now
from bnvae.runs.evaluation_state import EvaluationDesk
from bnvae.runs.progress.status import Status
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import write_atomic

PID = "worker.pid"
LOG = "worker.log"
MAPS_LOG = "projecting.log"
EVALUATION_LOG = "evaluating.log"
NICENESS = 5
"""by which what is started yields to the app: on a busy machine visitors are answered before a step is taken"""
_children: list["subprocess.Popen[bytes]"] = []
# A server's sessions are threads: two may submit at once, and one asks for a state while another starts the worker.
_lock = threading.RLock()


def submit(*runs: Run, threads: int | None = None, sweep: str | None = None) -> None:
    """Start `python -m bnvae resume RUN ...` as a process of its own, with a bounded number of processor threads.

    Several runs are a race: they go step for step in one process. The runs of a `sweep`, a group of that name, go one
    after the other: `python -m bnvae sweep --run GROUP`.

    Raises:
        BlockingIOError: one of the runs is being trained already; none is started.
    """
    with _lock:
        for run in runs:
            if state(run).alive:
                raise BlockingIOError(f"run {run.id!r} is being trained already.")
        for run in runs:
            run.take_stop_request()  # one that came too late for the worker before
            run.write_status(run.status.replace(state="starting", message="Starting the worker."))
        worker = _start(runs, threads, sweep)
        for run in runs:
            write_atomic(run.folder / PID, f"{worker.pid}\n".encode())
        _look_after(worker, runs[0].folder / LOG)


def draw_maps(*runs: Run, with_data: bool = False, methods: Sequence[str] = ()) -> bool:
    """Start `python -m bnvae project RUN ...` as a patient process of its own; False where one is at it already.

    `with_data` lets it load, and if need be download, the data set; a page asks for no download.
    """
    with _lock:
        reap()
        if is_mapped_now(runs[0]):
            return False
        options = ["--with-data"] if with_data else []
        options += [f"--method={method}" for method in methods]
        command = ["project", *(run.id for run in runs), *options, "--quiet"]
        _look_after(_start_process(runs[0], command, threads=1, log=MAPS_LOG), runs[0].folder / MAPS_LOG)
    return True


def examine(run: Run, *, samples: int, examples: int) -> bool:
    """Start `python -m bnvae evaluate RUN --samples K` as a process of its own; False where one is at it already."""
    desk = EvaluationDesk(run.folder)
    with _lock:
        reap()
        if desk.look().state in ("starting", "running"):
            return False
        desk.announce()
        command = ["evaluate", run.id, f"--samples={samples}", f"--examples={examples}", "--queue", "--quiet", "--json"]
        _look_after(_start_process(run, command, threads=1, log=EVALUATION_LOG), run.folder / EVALUATION_LOG)
    return True


def draw_maps_of(finished: Sequence[Run]) -> None:
    """After a training: maps of what it finished, unless BNVAE_MAPS is 0. Its data is on this machine already."""
    if finished and automatic():
        with suppress(OSError):  # a full disk: the page asks again
            draw_maps(*finished, with_data=True)


def _start(runs: Sequence[Run], threads: int | None, sweep: str | None) -> "subprocess.Popen[bytes]":
    command = ["sweep", "--run", sweep] if sweep else ["resume", *(run.id for run in runs), "--queue"]
    command.append("--quiet")
    worker = _start_process(runs[0], command, threads=threads, log=LOG)
    for run in runs[1:]:  # one process, one log: each run has the same file
        with suppress(OSError):  # a file system without links: only the first run has the log
            (run.folder / LOG).unlink(missing_ok=True)
            os.link(runs[0].folder / LOG, run.folder / LOG)
    return worker


def _start_process(run: Run, command: Sequence[str], *, threads: int | None, log: str) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"BNVAE_CHECKPOINTS": str(run.folder.parent.resolve())}
    if threads:
        environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    with (run.folder / log).open("wb") as file:
        started = subprocess.Popen(
            [sys.executable, "-m", "bnvae", *command],
            cwd=Path(__file__).resolve().parents[2],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            # Its own session: closing the terminal or stopping the server leaves it alone.
            start_new_session=True,
        )
    if sys.platform != "win32":
        with suppress(OSError):  # it has ended already
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, started.pid, min(19, own + NICENESS))
    return started


def _look_after(child: "subprocess.Popen[bytes]", log: Path) -> None:
    """Whoever was started is waited for, whether or not anybody asks how it is doing."""
    _children.append(child)
    threading.Thread(target=_await_end, args=(child, log), daemon=True, name=f"waits for {child.pid}").start()


def reap() -> None:
    """Forget workers that ended."""
    with _lock:
        _children[:] = [worker for worker in _children if worker.poll() is None]


def _await_end(child: "subprocess.Popen[bytes]", log: Path) -> None:
    """Collect a process the moment it ends, so that it never is a zombie; of a death without a word, say how."""
    code = child.wait()
    if code < 0:
        with suppress(OSError), log.open("ab") as file:
            file.write(f"The worker was ended by signal {-code} ({signal.strsignal(-code)}).\n".encode())


def state(run: Run) -> Status:
    """The run's status, with a worker that died before its first word, waits for a disk or gives no sign noticed."""
    reap()
    status = run.status
    if status.alive:
        status = with_signs(run, status)
    if status.state != "starting":
        return status
    with _lock:
        if run.is_held or _pid(run) is not None:
            return status
        status = run.status  # it may have ended in order in between
    if status.state != "starting":
        return status
    tail = run.log_tail.strip().splitlines()
    last = tail[-1] if tail else "it left no message"
    return status.replace(state="failed", message=f"The worker ended before it could begin: {last}")


def end(run: Run) -> None:
    """End a worker that hangs; its run can be resumed from the last checkpoint.

    Raises:
        ValueError: it does not hang, or is not a worker of this machine.
    """
    if not is_silent(run) or (pid := _pid(run)) is None:
        raise ValueError(f"run {run.id!r} has no worker here that hangs: stop it instead.")
    os.kill(pid, signal.SIGKILL)


def stop(run: Run) -> None:
    """Ask the run's worker to save what there is and end."""
    run.request_stop()


def _pid(run: Run) -> int | None:
    """Of the run's worker, if it lives."""
    try:
        pid = int((run.folder / PID).read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid if _may_be_worker(pid) else None


def _may_be_worker(pid: int) -> bool:
    """Whether a process may be a worker: after a restart of the machine its number may be anybody's."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # not Linux, or gone this moment
        return True
    return b"bnvae" in command or not command  # none of one that has only been forked
