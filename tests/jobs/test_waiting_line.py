"""Trainings take turns, whichever process they run in, and a dead one is not waited for."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bnvae.jobs.waiting_line import QUEUE, most_trainings, turn

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from bnvae.jobs.waiting_line import turn
with turn(Path(sys.argv[1]), lambda place: None):
    print("in", flush=True)
    time.sleep(60)
"""


class TurnedAway(Exception):
    pass


def turn_away(place: int) -> None:
    raise TurnedAway(place)


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNVAE_TRAININGS", "1")


def test_the_first_does_not_wait(tmp_path: Path) -> None:
    with turn(tmp_path, turn_away):
        pass
    assert not list((tmp_path / QUEUE).glob("*.ticket"))


def test_a_second_is_told_its_place(tmp_path: Path) -> None:
    with turn(tmp_path, turn_away), pytest.raises(TurnedAway, match="1"), turn(tmp_path, turn_away):
        pass


def test_as_many_as_are_allowed_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNVAE_TRAININGS", "2")
    with turn(tmp_path, turn_away), turn(tmp_path, turn_away), pytest.raises(TurnedAway), turn(tmp_path, turn_away):
        pass


def test_turns_come_in_the_order_of_asking(tmp_path: Path) -> None:
    came: list[int] = []

    def take(number: int) -> None:
        with turn(tmp_path, lambda place: None):
            came.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(3)]
    with turn(tmp_path, turn_away):
        for number, thread in enumerate(threads, start=1):
            thread.start()
            while len(list((tmp_path / QUEUE).glob("*.ticket"))) <= number:
                time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert came == [0, 1, 2]


def test_a_killed_process_is_not_waited_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"in\n"
        with pytest.raises(TurnedAway), turn(tmp_path, turn_away):
            pass
        holder.kill()
        holder.wait()
        with turn(tmp_path, turn_away):
            pass


@pytest.mark.parametrize("value", ["0", "-1", "many", ""])
def test_a_refused_limit_names_the_variable(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNVAE_TRAININGS", value)
    with pytest.raises(ValueError, match="BNVAE_TRAININGS"):
        most_trainings()
