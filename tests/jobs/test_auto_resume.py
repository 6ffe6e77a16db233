"""What a server finds when it starts."""

from typing import Any

import pytest

from bnvae.config.schema import RunConfig
from bnvae.jobs import auto_resume, launch
from bnvae.jobs.auto_resume import recover
from bnvae.runs import Run, RunStore, Status

Started = list[tuple[str, ...]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """The ids of the runs of each worker that would have been started."""
    workers: Started = []
    monkeypatch.setattr(auto_resume, "submit", lambda *runs, threads: workers.append(tuple(run.id for run in runs)))
    return workers


def left(store: RunStore, config: RunConfig, name: str, state: Any, worker: str = "") -> Run:
    run = store.create(name, config)
    run.write_status(Status(state=state, step=5, total_steps=16))
    if worker:
        (run.folder / launch.PID).write_text(f"{worker}\n")
    return run


NO_PROCESS = "4194304"
"""one more than Linux gives"""


def test_interrupted_trainings_go_on_and_races_as_races(
    store: RunStore, tiny: RunConfig, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNVAE_RESUME", "auto")
    left(store, tiny, "alone", "training", NO_PROCESS)
    for name in ("left", "right"):
        left(store, tiny, name, "paused", "4194305")
    left(store, tiny, "from-a-terminal", "training")
    left(store, tiny, "in-line", "starting", "4194306")
    for state in ("stopped", "finished", "failed"):
        left(store, tiny, state, state)
    with left(store, tiny, "alive", "training").hold():
        recovered = recover(store)
    assert {frozenset(worker) for worker in started} == {
        frozenset({"alone"}),
        frozenset({"left", "right"}),
        frozenset({"from-a-terminal"}),
        frozenset({"in-line"}),
    }
    assert sorted(recovered) == ["alone", "from-a-terminal", "in-line", "left", "right"]


def test_without_the_setting_nothing_goes_on_by_itself(store: RunStore, tiny: RunConfig, started: Started) -> None:
    left(store, tiny, "a", "training")
    (store.root / ".import-killed").mkdir()
    (store.root / ".import-killed" / "lease.lock").touch()
    assert recover(store) == []
    assert started == []
    assert [path.name for path in store.root.iterdir()] == ["a"]


def test_one_that_cannot_go_on_says_why_and_the_others_do(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNVAE_RESUME", "auto")

    def submit(*runs: Run, threads: int | None) -> None:
        if runs[0].id == "bad":
            raise OSError(24, "Too many open files")

    monkeypatch.setattr(auto_resume, "submit", submit)
    bad = left(store, tiny, "bad", "training")
    left(store, tiny, "good", "training")
    assert recover(store) == ["good"]
    assert bad.status.state == "failed"
    assert "Too many open files" in bad.status.message


def test_another_setting_is_refused(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNVAE_RESUME", "always")
    with pytest.raises(ValueError, match="BNVAE_RESUME is 'always'"):
        recover(store)


def test_there_may_be_no_folder_of_runs_yet(store: RunStore) -> None:
    assert recover(store) == []


def test_another_process_with_the_number_of_a_dead_worker_is_not_taken_for_it(store: RunStore, tiny: RunConfig) -> None:
    run = left(store, tiny, "a", "starting", "1")  # after a restart of the machine numbers are given anew
    assert launch.state(run).state == "failed"
