"""A run that goes on from where another stands."""

from typing import Any

import pytest

from bnvae.config.schema import RunConfig
from bnvae.jobs.train_runs import train_run
from bnvae.runs import Run, RunStore, Status
from bnvae.runs import branch as branch_module
from bnvae.runs.branch import Origin, fork_run, origin_of, steerable
from bnvae.runs.progress import checkpoint, intervals
from bnvae.runs.progress.step_times import CLOCK, read_marks
from bnvae.training.records import EvaluationRecord, Record, StepRecord


@pytest.fixture
def stopped(store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch) -> Run:
    """At step 6 of 16."""
    monkeypatch.setattr(intervals, "CHECKPOINT_SECONDS", -1.0)
    run = store.create("a", tiny)

    def report(told: Run, record: Record, status: Status) -> None:
        if record.step == 6:
            told.request_stop()

    train_run(run, report)
    return run


def test_a_fork_shares_the_history_and_the_album_and_goes_on_with_the_change(store: RunStore, stopped: Run) -> None:
    branch = fork_run(store, stopped, "b", {"tau": 0.9})
    assert (branch.status.state, branch.status.step, branch.status.resumable) == ("stopped", 6, True)
    shared = (stopped.folder / "history.jsonl").read_bytes()
    assert (branch.folder / "history.jsonl").read_bytes() == shared
    assert train_run(branch).state == train_run(stopped).state == "finished"
    assert (branch.folder / "history.jsonl").read_bytes().startswith(shared)
    assert branch.load_model().head.scaler.tau == 0.9  # type: ignore[union-attr]
    assert branch.history().steps[-1].loss != stopped.history().steps[-1].loss
    assert [each.step for each in branch.snapshots()] == [each.step for each in stopped.snapshots()]


def test_a_fork_with_nothing_changed_ends_as_its_origin(store: RunStore, stopped: Run) -> None:
    branch = fork_run(store, stopped, "b", {})
    train_run(branch)
    train_run(stopped)
    for name in ("weights.safetensors", "history.jsonl"):
        assert (branch.folder / name).read_bytes() == (stopped.folder / name).read_bytes()


def test_a_fork_begins_with_what_its_origin_was_steered_to(store: RunStore, stopped: Run) -> None:
    stopped.desk.request("beta", 3.0)
    train_run(stopped)
    assert steerable(stopped)["beta"] == 3.0
    assert fork_run(store, stopped, "b", {"tau": 0.25}, more_epochs=1).config.training.beta == 3.0


@pytest.mark.parametrize(
    ("new_id", "changed", "message"),
    [
        ("a", {"tau": 0.3}, "that name is taken"),
        ("../b", {"tau": 0.3}, "run is"),
        ("b", {"tau": 1.0}, "tau"),
        ("b", {"beta": -1.0}, "beta"),
        ("b", {"epochs": 3.0}, "epochs"),
    ],
)
def test_a_refused_fork_leaves_nothing(
    new_id: str, changed: dict[str, float], message: str, store: RunStore, stopped: Run
) -> None:
    with pytest.raises(ValueError, match=message):
        fork_run(store, stopped, new_id, changed)
    assert [path.name for path in store.root.iterdir()] == ["a"]


def test_a_run_without_a_checkpoint_cannot_be_forked(store: RunStore, tiny: RunConfig) -> None:
    with pytest.raises(ValueError, match="'a' has no checkpoint"):
        fork_run(store, store.create("a", tiny), "b", {})


def test_a_history_shorter_than_its_checkpoint_is_not_shared(store: RunStore, stopped: Run) -> None:
    (stopped.folder / "history.jsonl").write_bytes(b"")
    with pytest.raises(ValueError, match=r"shorter than its training left it: it was cut\. Put it back"):
        fork_run(store, stopped, "b", {})
    assert [path.name for path in store.root.iterdir()] == ["a"]


@pytest.mark.parametrize("moment", ["write_json", "write_atomic"])
def test_a_fork_that_fails_half_way_leaves_nothing(
    moment: str, store: RunStore, stopped: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(branch_module, moment, full)
    with pytest.raises(OSError, match="no space"):
        fork_run(store, stopped, "b", {})
    assert [path.name for path in store.root.iterdir()] == ["a"]


def test_a_fork_in_the_making_is_no_run(store: RunStore, stopped: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    place = checkpoint.place

    def looked_at(*arguments: Any) -> None:
        seen.extend(run.id for run in store.runs())
        place(*arguments)

    monkeypatch.setattr(checkpoint, "place", looked_at)
    fork_run(store, stopped, "b", {})
    assert seen == ["a"]


def test_a_fork_of_a_running_training_starts_from_a_whole_checkpoint(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intervals, "CHECKPOINT_SECONDS", -1.0)
    made: list[Run] = []

    def report(run: Run, record: Record, status: Status) -> None:
        if isinstance(record, StepRecord | EvaluationRecord) and record.step == 12:
            made.append(fork_run(store, run, "b", {}))

    origin = store.create("a", tiny)
    train_run(origin, report)
    assert train_run(made[0]).state == "finished"
    for name in ("weights.safetensors", "history.jsonl"):
        assert (made[0].folder / name).read_bytes() == (origin.folder / name).read_bytes()


def test_a_branch_of_a_finished_run_needs_more_epochs(store: RunStore, stopped: Run) -> None:
    train_run(stopped)
    with pytest.raises(ValueError, match=r"'a' has taken all of its 16 steps.*give more epochs"):
        fork_run(store, stopped, "b", {"tau": 0.9})
    assert [path.name for path in store.root.iterdir()] == ["a"]
    branch = fork_run(store, stopped, "b", {"tau": 0.9}, more_epochs=1)
    assert (branch.status.step, branch.status.total_steps) == (16, 24)  # 8 steps an epoch
    status = train_run(branch)
    assert (status.state, status.step) == ("finished", 24)


def test_a_branch_goes_on_counting_the_seconds_of_its_origin(store: RunStore, stopped: Run) -> None:
    """It has its origin's seconds up to the checkpoint, and none of a step that it has not taken."""
    (stopped.folder / CLOCK).write_text("0 0\n4 1000\n9999 2000\n")
    branch = fork_run(store, stopped, "b", {"tau": 0.9})
    train_run(branch)
    steps, seconds = zip(*read_marks(branch.folder), strict=True)
    assert steps[:2] == (0, 4)
    assert max(steps) == 16
    assert 1000 < seconds[-1] < 2000


def test_a_branch_knows_where_it_left_its_origin(store: RunStore, stopped: Run) -> None:
    assert origin_of(fork_run(store, stopped, "b", {"tau": 0.9})) == Origin(run="a", step=6)
    assert origin_of(stopped) is None


@pytest.mark.parametrize("stored", ["{", "[]", "{}", '{"run": "a", "step": true}', '{"run": 7, "step": 6}'])
def test_an_origin_that_makes_no_sense_is_none(stopped: Run, stored: str) -> None:
    (stopped.folder / branch_module.ORIGIN).write_text(stored)
    assert origin_of(stopped) is None
