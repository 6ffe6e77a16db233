"""Workers of their own: started, stopped, noticed when they die."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from bnvae.config.schema import RunConfig
from bnvae.jobs import heartbeat, launch
from bnvae.jobs.heartbeat import BEAT
from bnvae.jobs.project_runs import LEASE
from bnvae.runs import Run, RunStore, Status
from bnvae.runs.progress.control import PAUSE
from bnvae.runs.storage.lock import hold

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and sessions")


def wait_until(condition: Callable[[], bool], *, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def pid_of(run: Run) -> int:
    return int((run.folder / launch.PID).read_text())


@pytest.fixture
def endless(store: RunStore, tiny: RunConfig) -> Iterator[Run]:
    """A run that trains until it is stopped; its worker does not outlive the test."""
    run = store.create("a", dataclasses.replace(tiny, training=dataclasses.replace(tiny.training, epochs=100_000)))
    yield run
    for worker in launch._children:
        worker.kill()
        worker.wait()
    launch.reap()


@pytest.fixture
def stillborn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that end at once, after a word."""

    def start(runs: Sequence[Run], threads: int | None, sweep: str | None) -> "subprocess.Popen[bytes]":
        (runs[0].folder / "worker.log").write_text("Traceback ...\nMemoryError: no room\n")
        return subprocess.Popen(["true"])

    monkeypatch.setattr(launch, "_start", start)


def test_a_submitted_run_trains_in_its_own_session_until_it_is_stopped_and_goes_on(endless: Run) -> None:
    launch.submit(endless, threads=1)
    assert launch.state(endless).state in ("starting", "training")
    assert os.getsid(pid_of(endless)) != os.getsid(0)  # what ends this terminal does not end the worker
    own, worker = (os.getpriority(os.PRIO_PROCESS, pid) for pid in (0, pid_of(endless)))
    assert worker == min(19, own + launch.NICENESS)
    with pytest.raises(BlockingIOError, match="run 'a' is being trained already"):
        launch.submit(endless)
    wait_until(lambda: launch.state(endless).step > 0)
    assert launch.state(endless).device == "cpu, float32"
    launch.stop(endless)
    wait_until(lambda: launch.state(endless).state == "stopped")
    step = launch.state(endless).step
    launch._children[0].wait(60)
    launch.reap()
    assert not launch._children  # no zombie stays behind

    launch.submit(endless, threads=1)
    wait_until(lambda: launch.state(endless).step > step)
    os.kill(pid_of(endless), signal.SIGKILL)
    wait_until(lambda: launch.state(endless).state == "interrupted")
    wait_until(lambda: not launch._children)
    assert launch.state(endless).resumable


def test_a_stop_before_the_worker_began_is_kept(endless: Run) -> None:
    launch.submit(endless, threads=1)
    launch.stop(endless)
    wait_until(lambda: launch.state(endless).state == "stopped")


def test_a_worker_that_dies_before_its_first_word_is_noticed(endless: Run, stillborn: None) -> None:
    launch.submit(endless)
    wait_until(lambda: launch.state(endless).state == "failed")
    assert launch.state(endless).message == "The worker ended before it could begin: MemoryError: no room"
    assert launch.state(endless).resumable
    launch.submit(endless)  # and may be tried again


def test_a_worker_that_cannot_be_started_is_noticed(endless: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(FileNotFoundError):
        launch.submit(endless)
    assert launch.state(endless).state == "failed"


def test_one_of_many_sessions_that_submit_at_once_starts_the_worker(
    endless: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, refused = [], []

    def start(runs: Sequence[Run], threads: int | None, sweep: str | None) -> "subprocess.Popen[bytes]":
        started.append(runs)
        time.sleep(0.05)
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)  # in the place of bnvae"])

    monkeypatch.setattr(launch, "_start", start)

    def submit() -> None:
        try:
            launch.submit(endless)
        except BlockingIOError:
            refused.append(endless)

    threads = [threading.Thread(target=submit) for _ in range(6)]
    for thread in threads:
        thread.start()
    states = {launch.state(endless).state for _ in range(20)}
    for thread in threads:
        thread.join()
    assert (len(started), len(refused)) == (1, 5)
    assert states <= {"starting", "stopped"}  # never failed, in the moment before the worker's id is known


def test_a_stale_stop_request_does_not_stop_a_new_worker(endless: Run, stillborn: None) -> None:
    endless.request_stop()
    launch.submit(endless)
    assert not endless.take_stop_request()


def test_a_run_whose_worker_id_is_damaged_is_not_believed_alive(endless: Run) -> None:
    endless.write_status(Status(state="starting"))
    (endless.folder / launch.PID).write_text("not a number")
    assert launch.state(endless).state == "failed"


def is_there(pid: int) -> bool:
    """Also true of a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_hangs_is_noticed_within_five_seconds_and_can_be_ended(endless: Run) -> None:
    launch.submit(endless, threads=1)
    wait_until(lambda: launch.state(endless).step > 0)
    pid = pid_of(endless)
    with pytest.raises(ValueError, match="no worker here that hangs"):
        launch.end(endless)
    os.kill(pid, signal.SIGSTOP)
    stopped_at = time.monotonic()
    wait_until(lambda: heartbeat.is_silent(endless))
    assert time.monotonic() - stopped_at < 5
    assert "has given no sign of life for" in launch.state(endless).message
    assert launch.state(endless).alive  # it may only be asleep
    launch.end(endless)
    wait_until(lambda: launch.state(endless).state == "interrupted")
    wait_until(lambda: not is_there(pid))  # nobody had to ask for it: it never stays a zombie
    wait_until(lambda: endless.log_tail == "The worker was ended by signal 9 (Killed).\n")


def test_a_worker_that_wakes_up_is_silent_no_more(endless: Run) -> None:
    launch.submit(endless, threads=1)
    wait_until(lambda: launch.state(endless).step > 0)
    os.kill(pid_of(endless), signal.SIGSTOP)
    wait_until(lambda: heartbeat.is_silent(endless))
    os.kill(pid_of(endless), signal.SIGCONT)
    wait_until(lambda: not heartbeat.is_silent(endless))
    assert "sign of life" not in launch.state(endless).message


def test_a_paused_worker_is_not_taken_for_one_that_hangs(endless: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "SILENT_SECONDS", 3.0)
    endless.desk.command(PAUSE)
    launch.submit(endless, threads=1)
    wait_until(lambda: launch.state(endless).state == "paused")
    end = time.monotonic() + 5
    while time.monotonic() < end:
        status = launch.state(endless)
        assert (status.state, status.message) == ("paused", "Paused.")
        time.sleep(0.2)


def test_a_training_that_is_long_at_one_thing_says_at_what(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("a", tiny)
    (run.folder / BEAT).write_text(
        '{"count": 1, "still_seconds": 9.4, "where": "bnvae/training/evaluation.py:40 in encode", "note": ""}'
    )
    with run.hold():
        run.write_status(Status(state="training", message="Evaluating."))
        assert launch.state(run).message == "Evaluating. For 9 s in bnvae/training/evaluation.py:40 in encode."
        (run.folder / BEAT).write_text('{"count": 2}')  # damaged: no sign, and no reason to say anything
        assert launch.state(run).message == "Evaluating."


def test_maps_are_drawn_of_what_finished_with_its_data_unless_that_is_switched_off(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, ...]] = []

    def start(run: Run, command: Sequence[str], *, threads: int | None, log: str) -> "subprocess.Popen[bytes]":
        started.append(tuple(command))
        return subprocess.Popen(["true"])

    monkeypatch.setattr(launch, "_start_process", start)
    runs = [store.create("a", tiny), store.create("b", tiny)]
    launch.draw_maps_of(runs)  # the tests' own setting
    monkeypatch.delenv("BNVAE_MAPS")
    launch.draw_maps_of([])
    assert not started
    launch.draw_maps_of(runs)
    assert started == [("project", "a", "b", "--with-data", "--quiet")]
    with hold(runs[0].folder / LEASE):
        assert not launch.draw_maps(runs[0], methods=["tsne"])
    assert launch.draw_maps(runs[0], methods=["tsne"])
    assert started[1:] == [("project", "a", "--method=tsne", "--quiet")]


def test_a_worker_that_waits_in_line_lives_and_one_that_hangs_there_is_noticed(
    endless: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNVAE_TRAININGS", "1")
    second = store.create("second", endless.config)
    launch.submit(endless, threads=1)
    wait_until(lambda: launch.state(endless).step > 0)
    launch.submit(second, threads=1)
    line = "Waiting for other trainings: place 1 in line."
    wait_until(lambda: launch.state(second).message == line)
    end = time.monotonic() + heartbeat.SILENT_SECONDS + 1
    while time.monotonic() < end:
        assert launch.state(second).message == line
        time.sleep(0.2)
    os.kill(pid_of(second), signal.SIGSTOP)
    wait_until(lambda: heartbeat.is_silent(second))
    assert "no sign of life" in launch.state(second).message


@pytest.mark.parametrize(
    "start",
    [lambda run: launch.draw_maps(run), lambda run: launch.examine(run, samples=1, examples=1)],
    ids=["maps", "examination"],
)
def test_what_was_started_leaves_no_zombie_though_nobody_asks_after_it(
    start: Callable[[Run], bool], store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "true")  # ends at once, whatever it is told
    assert start(store.create("a", tiny))
    pid = launch._children[-1].pid
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), seconds=30)
