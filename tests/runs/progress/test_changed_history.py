"""Runs whose history was changed, removed or is unreadable: resumed, branched off and listed."""

import errno
import os
from pathlib import Path

import pytest

from bnvae.config.schema import RunConfig
from bnvae.jobs.train_runs import describe, train_run
from bnvae.runs import BrokenRunError, Run, RunStore, Status
from bnvae.runs.branch import fork_run
from bnvae.runs.progress import checkpoint, intervals
from bnvae.runs.progress.history import HISTORY, ChangedHistoryError
from bnvae.runs.storage.atomic_files import UnreadableRunError
from bnvae.training.records import Record
from tests.runs.damage import flip


@pytest.fixture
def whole(store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Finished, undisturbed."""
    monkeypatch.setattr(intervals, "CHECKPOINT_SECONDS", -1.0)
    run = store.create("whole", tiny)
    train_run(run)
    return run


@pytest.fixture
def stopped(whole: Run, store: RunStore, tiny: RunConfig) -> Run:
    """At step 6, with a checkpoint of step 3 as well."""
    run = store.create("a", tiny)

    def report(told: Run, record: Record, status: Status) -> None:
        if record.step == 6:
            told.request_stop()

    train_run(run, report)
    return run


def history_bytes(run: Run) -> list[int]:
    """Of its checkpoints, the older one's first."""
    return sorted(manifest["history_bytes"] for manifest in checkpoint._manifests(run.folder)[0].values())


def test_a_changed_digit_after_the_older_checkpoint_is_trained_anew(whole: Run, stopped: Run) -> None:
    flip(stopped.folder / HISTORY, 8 * (history_bytes(stopped)[0] + 40))
    status = train_run(stopped)
    assert "checkpoint of step 6 passed over: a/history.jsonl is not what its training wrote" in status.message
    for name in (HISTORY, "weights.safetensors"):
        assert (stopped.folder / name).read_bytes() == (whole.folder / name).read_bytes()


def test_a_changed_digit_before_both_checkpoints_is_refused_until_it_is_put_right(whole: Run, stopped: Run) -> None:
    flip(stopped.folder / HISTORY, 400)
    with pytest.raises(ChangedHistoryError, match=r"what was learned is whole, but history\.jsonl is not"):
        train_run(stopped)
    assert stopped.status.state == "failed"
    assert "put it back from a copy and resume" in stopped.status.message
    flip(stopped.folder / HISTORY, 400)
    assert train_run(stopped).state == "finished"
    assert (stopped.folder / HISTORY).read_bytes() == (whole.folder / HISTORY).read_bytes()


def test_without_its_damaged_history_a_run_goes_on_with_shorter_curves(whole: Run, stopped: Run) -> None:
    (stopped.folder / HISTORY).rename(stopped.folder / "history.damaged")
    status = train_run(stopped)
    assert (status.state, "history.jsonl is missing: its curves begin at step 6" in status.message) == (
        "finished",
        True,
    )
    assert (whole.folder / HISTORY).read_bytes().endswith((stopped.folder / HISTORY).read_bytes())
    assert stopped.history().steps[0].step == 9
    name = "weights.safetensors"
    assert (stopped.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert checkpoint.history_doubt(stopped.folder) == ""


@pytest.mark.parametrize("step", [9, 15], ids=["at once", "later"])
def test_a_run_that_goes_on_without_its_history_may_be_killed_at_any_step(
    step: int, whole: Run, stopped: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(run: Run, record: Record, status: Status) -> None:
        if record.step == step:
            raise KeyboardInterrupt

    (stopped.folder / HISTORY).rename(stopped.folder / "history.damaged")
    monkeypatch.setattr(intervals, "CHECKPOINT_SECONDS", 1e9)
    with pytest.raises(KeyboardInterrupt):
        train_run(stopped, killed)
    newest = checkpoint.newest(stopped.folder)
    assert newest is not None
    assert (newest[0]["history_bytes"] > 0) == (step > 9)  # after its first record one is saved that knows it
    assert checkpoint.history_doubt(stopped.folder) == ""
    assert train_run(stopped).state == "finished"
    assert (whole.folder / HISTORY).read_bytes().endswith((stopped.folder / HISTORY).read_bytes())
    assert stopped.history().steps[0].step == 9


def test_a_branch_does_not_take_over_a_changed_history(stopped: Run, store: RunStore) -> None:
    flip(stopped.folder / HISTORY, 400)
    with pytest.raises(
        BrokenRunError,
        match=r"a/history\.jsonl is not what its training wrote: .* Put it back from a copy before branch",
    ):
        fork_run(store, stopped, "b", {"beta": 2.0})
    assert "b" not in store


def test_a_branch_does_not_call_a_history_damaged_that_cannot_be_read_now(
    stopped: Run, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    def failing(self: Path, *arguments: object, **options: object) -> object:
        if self.name == HISTORY:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))
        return real(self, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", failing)
    with pytest.raises(
        UnreadableRunError, match=r"a/history\.jsonl cannot be read .* Branch off when its disk answers"
    ):
        fork_run(store, stopped, "b", {"beta": 2.0})
    assert "b" not in store


def test_a_listing_says_that_the_curves_of_a_finished_run_were_changed(whole: Run) -> None:
    assert "doubt" not in describe(whole)
    flip(whole.folder / HISTORY, 8 * ((whole.folder / HISTORY).stat().st_size - 40))  # in the last line
    assert "whole/history.jsonl is not what its training wrote" in str(describe(whole)["doubt"])


def test_a_run_that_came_without_checkpoints_is_not_in_doubt(whole: Run) -> None:
    for path in whole.folder.glob("trainer-*"):
        path.unlink()
    assert checkpoint.history_doubt(whole.folder) == ""
