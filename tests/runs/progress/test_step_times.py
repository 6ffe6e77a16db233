"""The seconds of a training, beside its history."""

import time
from pathlib import Path

import pytest

from bnvae.config.schema import RunConfig
from bnvae.jobs.train_runs import train_run
from bnvae.runs import RunStore
from bnvae.runs.progress.step_times import CLOCK, Clock, read_marks, seconds_at


class Now:
    """A clock that a test moves by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.seconds)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    return Now(monkeypatch)


def test_steps_between_two_marks_are_on_the_line_between_them(tmp_path: Path, now: Now) -> None:
    clock = Clock(tmp_path, 0)
    clock.mark(0)
    now.seconds += 10
    clock.mark(100)
    now.seconds += 30
    clock.mark(200)
    seconds = seconds_at(tmp_path, [0, 50, 100, 150, 200])
    assert seconds is not None
    assert seconds.tolist() == [0, 5, 10, 25, 40]


def test_what_was_waited_for_is_not_training(tmp_path: Path, now: Now) -> None:
    clock = Clock(tmp_path, 0)
    now.seconds += 10
    clock.skipped(8)
    clock.mark(5)
    assert read_marks(tmp_path) == [(5, 2.0)]


def test_a_resumed_training_goes_on_from_its_checkpoint(tmp_path: Path, now: Now) -> None:
    """Steps after the checkpoint are taken again: their marks go, and the time between two processes is none."""
    first = Clock(tmp_path, 0)
    for step in (0, 100, 200):
        first.mark(step)
        now.seconds += 10
    now.seconds += 3600
    second = Clock(tmp_path, 150)
    now.seconds += 7
    second.mark(160)
    assert read_marks(tmp_path) == [(0, 0.0), (100, 10.0), (160, 17.0)]


def test_a_long_training_has_few_marks_and_its_last_step_one(tmp_path: Path, now: Now) -> None:
    clock = Clock(tmp_path, 0)
    for step in range(20_000):
        now.seconds += 0.01
        clock.mark(step)
    clock.mark(19_999, last=True)
    marks = read_marks(tmp_path)
    assert len(marks) < 800  # the first 100 steps, then ln(200) / ln(1.01) = 532 more, and rounding up
    assert marks[-1][0] == 19_999
    assert marks[-1][1] == pytest.approx(200.0)


@pytest.mark.parametrize("content", ["", "x y\n", "1\n", "1 2\n", "1 nan\n2 inf\n", "5 1\n5 2\n", "1 1\n2 0.5\n"])
def test_a_strangers_marks_that_are_none_are_passed_over(content: str, tmp_path: Path) -> None:
    (tmp_path / CLOCK).write_text(content)
    assert seconds_at(tmp_path, [1]) is None


def test_a_run_without_marks_has_no_seconds(tmp_path: Path) -> None:
    assert seconds_at(tmp_path, [1]) is None


def test_a_disk_that_refuses_marks_costs_only_them(tmp_path: Path) -> None:
    Clock(tmp_path / "nowhere", 0).mark(0)


def test_a_trained_run_knows_its_seconds_and_its_history_does_not(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("a", tiny)
    before = time.monotonic()
    status = train_run(run)
    took = time.monotonic() - before
    steps, seconds = zip(*read_marks(run.folder), strict=True)
    assert steps[-1] == status.total_steps
    assert 0 < seconds[-1] <= took
    assert "seconds" not in (run.folder / "history.jsonl").read_text()
