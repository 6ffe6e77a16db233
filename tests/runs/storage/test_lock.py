"""One worker a run, and any number who ask."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bnvae.runs.storage import lock

HOLDER = """
import sys, time
from pathlib import Path
from bnvae.runs.storage.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lease_is_held_within_and_free_after(tmp_path: Path) -> None:
    path = tmp_path / "lease.lock"
    assert not lock.is_held(path)
    with lock.hold(path):
        assert lock.is_held(path)
    assert not lock.is_held(path)


def test_asking_creates_nothing(tmp_path: Path) -> None:
    lock.is_held(tmp_path / "lease.lock")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_loses_its_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lease.lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert lock.is_held(path)
        monkeypatch.setattr(lock, "WAIT_SECONDS", 0.05)
        with pytest.raises(BlockingIOError, match=f"run '{tmp_path.name}' is being trained"), lock.hold(path):
            pass
        process.kill()
    assert not lock.is_held(path)
    with lock.hold(path):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no shared locks to ask with")
def test_those_who_ask_at_once_never_take_each_other_for_a_worker(tmp_path: Path) -> None:
    path = tmp_path / "lease.lock"
    path.touch()
    answers: list[bool] = []

    def ask() -> None:
        answers.extend(lock.is_held(path) for _ in range(300))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        with lock.hold(path):  # those who ask never keep a worker out
            pass
    for thread in threads:
        thread.join()
    assert len(answers) == 1200


def test_nobody_who_asks_is_told_that_another_asker_is_a_worker(tmp_path: Path) -> None:
    path = tmp_path / "lease.lock"
    path.touch()
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda: answers.extend(lock.is_held(path) for _ in range(300))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(answers)
