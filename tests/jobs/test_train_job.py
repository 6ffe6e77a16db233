"""Pause, single steps, slow motion, steering and races: none of them changes what is computed."""

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from bnvae.config.scheduled_changes import Change
from bnvae.config.schema import HeadName, RunConfig
from bnvae.data import load_dataset
from bnvae.data.random_subset import subset_order
from bnvae.jobs import launch
from bnvae.jobs.environment import trainer_of
from bnvae.jobs.train_runs import train_run, train_runs
from bnvae.nn.networks import ImageDecoder
from bnvae.runs import Run, RunStore, Status
from bnvae.runs.artifacts import snapshots as album
from bnvae.runs.progress import checkpoint, intervals
from bnvae.runs.progress.control import CHANGES, PAUSE, PLAY, Control, request_of_all
from bnvae.runs.progress.history import HistoryWriter
from bnvae.training.records import Record, StepRecord

PATIENCE_SECONDS = 60


def content(run: Run) -> tuple[bytes, bytes]:
    return (run.folder / "weights.safetensors").read_bytes(), (run.folder / "history.jsonl").read_bytes()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


@contextmanager
def training(*runs: Run) -> Iterator[threading.Thread]:
    """A worker in a thread of this process; it has ended when the block has."""
    failures: list[BaseException] = []

    def work() -> None:
        try:
            train_runs(runs)
        except (ValueError, FloatingPointError) as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield thread
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
    finally:
        for run in runs:
            run.request_stop()
        thread.join(PATIENCE_SECONDS)


def is_paused_at(run: Run, step: int) -> bool:
    return (run.status.state, run.status.step) == ("paused", step)


def longer(config: RunConfig, **changes: Any) -> RunConfig:
    return dataclasses.replace(config, training=dataclasses.replace(config.training, **changes))


@pytest.fixture
def whole(store: RunStore, tiny: RunConfig) -> Run:
    run = store.create("whole", tiny)
    train_run(run)
    return run


def test_pausing_stepping_and_looking_change_no_byte(store: RunStore, tiny: RunConfig, whole: Run) -> None:
    run = store.create("a", tiny)
    run.desk.command(PAUSE)
    with training(run):
        wait_until(lambda: is_paused_at(run, 0))
        for step in range(1, 6):
            run.desk.command(Control(pause_at=step))
            wait_until(lambda step=step: is_paused_at(run, step))  # type: ignore[misc]
            live = run.live()
            assert live is not None
            assert live.step == step
        run.desk.command(Control(steps_per_second=50))
        wait_until(lambda: run.status.step > 7)
        run.desk.command(PLAY)
    assert content(run) == content(whole)
    assert [each.step for each in run.snapshots()] == [each.step for each in whole.snapshots()]


def test_a_pause_takes_effect_within_three_tenths_of_a_second(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("a", longer(tiny, epochs=5_000))
    with training(run):
        wait_until(lambda: run.status.step > 20)
        used = time.process_time()
        run.desk.command(PAUSE)
        wait_until(lambda: run.status.state == "paused")
        # Of computing time: other processes on this machine may take their share of the wall clock's.
        assert time.process_time() - used < 0.3
        step = run.status.step
        time.sleep(0.1)
        assert is_paused_at(run, step)
        run.request_stop()
    assert run.status.state == "stopped"


def test_slow_motion_keeps_its_beat(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("a", tiny)
    run.desk.command(Control(steps_per_second=10.0))
    with training(run):
        wait_until(lambda: run.status.step >= 1)
        began, first = time.monotonic(), run.status.step
        wait_until(lambda: run.status.step >= first + 5)
        assert time.monotonic() - began > 0.35  # 5 steps, less the time since the first one was taken
        run.desk.command(PLAY)


def test_a_change_is_kept_and_takes_effect_at_the_next_step(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("a", longer(tiny, record_every=1))
    run.desk.command(Control(pause_at=5))
    with training(run):
        wait_until(lambda: is_paused_at(run, 5))
        for field, value in (("beta", 2.5), ("tau", 0.9)):  # two visitors at once
            run.desk.request(field, value)
        wait_until(lambda: len(run.desk.changes()) == 2)
        run.desk.command(PLAY)
    assert run.desk.changes() == [
        Change(step=5, field="beta", value=2.5),
        Change(step=5, field="tau", value=0.9),
    ]
    weights = {record.step: record.kl_weight for record in run.history().steps}
    assert (weights[5], weights[6]) == (1.0, 2.5)
    assert run.load_model().head.scaler.tau == 0.9  # type: ignore[union-attr]


def test_a_run_with_the_same_schedule_from_the_start_ends_with_the_same_bytes(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intervals, "CHECKPOINT_SECONDS", -1.0)
    steered_run, twin = store.create("a", tiny), store.create("b", tiny)
    wishes = {4: ("beta", 2.0), 8: ("tau", 0.8), 11: ("learning_rate", 0.01)}

    def report(run: Run, record: Record, status: Status) -> None:
        run.desk.command(Control(steps_per_second=1_000))  # requests are looked for before every step
        if isinstance(record, StepRecord) and record.step == 9:
            run.request_stop()
        for step in [step for step in wishes if step <= record.step]:
            run.desk.request(*wishes.pop(step))

    assert train_run(steered_run, report).state == "stopped"
    assert train_run(steered_run, report).state == "finished"
    schedule = (steered_run.folder / CHANGES).read_bytes()
    assert len(json.loads(schedule)["changes"]) == 3
    (twin.folder / CHANGES).write_bytes(schedule)
    train_run(twin)
    assert content(twin) == content(steered_run)


def test_refused_and_damaged_requests_are_said_while_the_run_waits_and_change_nothing(
    store: RunStore, tiny: RunConfig, whole: Run
) -> None:
    run = store.create("a", tiny)
    run.desk.command(Control(pause_at=4))
    with training(run):
        wait_until(lambda: is_paused_at(run, 4))
        run.desk.request("beta", -1.0)
        wait_until(lambda: "A change was refused: beta is -1" in run.status.message)
        assert run.status.state == "paused"
        (run.folder / "requests" / "0.json").write_bytes(b"[" * 5_000)
        wait_until(lambda: "nested too deeply" in run.status.message)
        run.desk.command(PLAY)
    assert run.desk.changes() == []
    assert run.desk.requested() == []
    assert content(run) == content(whole)


def test_a_request_that_waits_when_training_begins_is_taken_before_the_first_step(
    store: RunStore, tiny: RunConfig
) -> None:
    run = store.create("a", tiny)
    run.desk.request("beta", 2.0)
    train_run(run)
    assert [(change.step, change.value) for change in run.desk.changes()] == [(0, 2.0)]


def test_tau_is_refused_by_a_run_without_a_scaler(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("a", dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, head="gaussian")))
    run.desk.request("tau", 0.3)
    status = train_run(run)
    assert status.state == "finished"
    assert "'gaussian' has no Scaler" in status.message


def test_control_of_a_run_that_has_ended_does_no_harm(whole: Run) -> None:
    before = content(whole)
    whole.desk.command(PAUSE)
    whole.desk.request("beta", 5.0)
    whole.request_stop()
    assert whole.status.state == "finished"
    assert train_run(whole).state == "finished"
    assert content(whole) == before


def test_an_album_changes_no_byte_of_the_training(
    store: RunStore, tiny: RunConfig, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(album, "planned", lambda steps, size: [])
    run = store.create("a", tiny)
    train_run(run)
    assert run.snapshots() == []
    assert content(run) == content(whole)


def test_a_snapshot_is_drawn_with_the_moments_of_its_own_points(whole: Run, tiny: RunConfig) -> None:
    for moment in whole.snapshots():
        second = (moment.mean.square() + moment.std.square()).mean(0)
        # The Scaler's two shares add up to 1 over the points; kept in fp16, of 11 bits.
        torch.testing.assert_close(second, torch.ones(tiny.model.latent_dimensions), rtol=0, atol=2e-3)


@pytest.mark.parametrize("points", [150, 1_000])
def test_a_snapshot_of_many_or_few_points_leaves_the_training_as_it_was(
    points: int, store: RunStore, tiny: RunConfig, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(album, "POINTS", points)  # of 297 test examples
    run = store.create("a", tiny)
    train_run(run)
    assert {len(moment.labels) for moment in run.snapshots()} == {min(points, 297)}
    assert content(run) == content(whole)


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_jumps_changes_neither_what_is_obeyed_nor_what_is_computed(
    days: int, store: RunStore, tiny: RunConfig, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create("a", tiny)
    run.desk.command(Control(pause_at=5))
    seconds, nanoseconds = time.time, time.time_ns
    with training(run):
        wait_until(lambda: is_paused_at(run, 5))
        monkeypatch.setattr(time, "time", lambda: seconds() + days * 86_400)
        monkeypatch.setattr(time, "time_ns", lambda: nanoseconds() + days * 86_400 * 10**9)
        run.desk.command(Control(pause_at=7))
        wait_until(lambda: is_paused_at(run, 7))
        assert launch.state(run).message == "Paused."
        run.desk.command(PLAY)
    assert content(run) == content(whole)


def test_a_race_is_paused_at_one_step_and_ends_as_each_run_alone(store: RunStore, tiny: RunConfig, whole: Run) -> None:
    heads: tuple[HeadName, ...] = ("rms-scaler", "gaussian", "bn-mean")
    configs = [dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, head=head)) for head in heads]
    race = [store.create(f"race-{head}", config) for head, config in zip(heads, configs, strict=True)]
    for run in race:
        run.desk.command(Control(pause_at=7))
    with training(*race):
        wait_until(lambda: all(is_paused_at(run, 7) for run in race))
        for run in race:
            run.desk.command(PLAY)
    alone = [whole, *(store.create(head, config) for head, config in zip(heads[1:], configs[1:], strict=True))]
    for run in alone[1:]:
        train_run(run)
    assert [content(run) for run in race] == [content(run) for run in alone]


def test_a_race_is_never_more_than_one_step_apart(store: RunStore, tiny: RunConfig) -> None:
    taken: dict[str, int] = {}
    apart: list[int] = []

    def report(run: Run, record: Record, status: Status) -> None:
        taken[run.id] = record.step
        apart.append(max(taken.values()) - min(taken.values()))

    runs = [store.create(name, longer(tiny, record_every=1)) for name in ("a", "b")]
    taken |= {run.id: 0 for run in runs}
    train_runs(runs, report)
    assert max(apart) <= 1


@pytest.mark.parametrize("how", ["explodes", "has bad data", "is stopped", "cannot close its history"])
def test_one_run_that_ends_early_leaves_the_others_going_on(
    how: str, store: RunStore, tiny: RunConfig, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny
    if how == "explodes":
        config = longer(tiny, learning_rate=100.0, gradient_clip=0.0, optimiser="sgd", epochs=50)
        config = dataclasses.replace(config, model=dataclasses.replace(config.model, head="gaussian"))
    if how == "has bad data":
        config = dataclasses.replace(tiny, data=dataclasses.replace(tiny.data, training_examples=7))
    early, other = store.create("early", config), store.create("other", tiny)
    if how == "cannot close its history":
        close = HistoryWriter.close

        def full(self: Any) -> None:
            close(self)
            if str(self._file.name).startswith(str(early.folder)):
                raise OSError("no space")

        monkeypatch.setattr(HistoryWriter, "close", full)

    def report(run: Run, record: Record, status: Status) -> None:
        if how == "is stopped" and run.id == "early":
            run.request_stop()

    if how == "is stopped":
        train_runs([early, other], report)
    else:
        with pytest.raises((ValueError, FloatingPointError, OSError)):
            train_runs([early, other], report)
    if how == "has bad data":
        assert "early" not in store
    else:
        assert early.status.state == ("stopped" if how == "is stopped" else "failed")
    assert other.status.state == "finished"
    assert content(other) == content(whole)


def test_a_run_that_ends_before_the_others_of_its_race_can_be_deleted_and_resumed(
    store: RunStore, tiny: RunConfig
) -> None:
    early, other = store.create("early", tiny), store.create("other", longer(tiny, epochs=4))
    held: list[bool] = []

    def report(run: Run, record: Record, status: Status) -> None:
        if run.id == "other" and record.step > 24:
            held.append(early.is_held)

    train_runs([early, other], report)
    assert held[-1] is False
    assert not other.is_held


def test_a_change_of_a_whole_race_is_taken_at_one_step_by_all(store: RunStore, tiny: RunConfig) -> None:
    race = [store.create(name, longer(tiny, epochs=200)) for name in ("a", "b", "c")]
    for run in race:
        run.desk.command(Control(steps_per_second=100.0))
    with training(*race):
        for value in (1.5, 2.0, 2.5, 3.0):
            wait_until(lambda: race[0].status.step > 0)
            request_of_all([run.desk for run in race], "beta", value)
            wait_until(lambda value=value: all(run.steered_config.training.beta == value for run in race))  # type: ignore[misc]
        for run in race:
            run.request_stop()
    schedules = [[(change.step, change.value) for change in run.desk.changes()] for run in race]
    assert schedules[0] == schedules[1] == schedules[2]
    assert [value for _, value in schedules[0]] == [1.5, 2.0, 2.5, 3.0]


def test_a_training_of_pictures_begins_at_their_mean_pixel(store: RunStore, tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    decoder = trainer_of(store.create("fresh", tiny), dataset).model.decoder
    assert isinstance(decoder, ImageDecoder)
    with torch.no_grad():
        drawn = decoder.mean(torch.randn(200, tiny.model.latent_dimensions)).mean().item()
    # A decoder that has learned nothing adds some little for its code; without the mean it begins near 0.5.
    assert drawn == pytest.approx(dataset.training.examples.float().mean().item() / 255, abs=0.02)


@pytest.mark.parametrize(("stretch", "saved"), [(1.0, [3, 6, 9, 12, 15, 16]), (1e9, [3, 16])])
def test_a_training_waits_for_the_next_checkpoint_as_long_as_the_last_one_says(
    stretch: float, saved: list[int], store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intervals, "CHECKPOINT_SECONDS", 1e-6)
    monkeypatch.setattr(intervals, "CHECKPOINT_SHARE", 1e-9)
    monkeypatch.setattr(intervals, "CHECKPOINT_STRETCH", stretch)
    save, steps = checkpoint.save, []

    def noted(folder: Any, trainer: Any, *rest: Any, **named: Any) -> None:
        steps.append(trainer.step)
        save(folder, trainer, *rest, **named)

    monkeypatch.setattr(checkpoint, "save", noted)
    train_run(store.create("a", tiny))
    assert sorted(set(steps)) == saved


def test_a_training_is_watched_on_validation_examples_and_judged_on_test_ones(whole: Run, tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    sizes = {"test": 297, "validation": 200, "training": 128}
    assert {name: len(split) for name, split in dataset.splits.items()} == sizes
    assert (whole.card.validation_examples, whole.card.test_examples, whole.card.watched) == (200, 297, "validation")
    assert {record.examples for record in whole.history().evaluations} == {200}
    preview, evaluation = whole.preview(), whole.evaluation()
    assert preview is not None
    assert evaluation is not None
    assert torch.equal(preview.originals, dataset.validation.examples[subset_order(200)[:8]])
    assert torch.equal(whole.examples.examples[:8], dataset.test.examples[subset_order(297)[:8]])
    assert {name: evaluation[name]["examples"] for name in sizes} == sizes


def test_a_training_without_validation_examples_is_watched_on_test_ones(store: RunStore, tiny: RunConfig) -> None:
    data = dataclasses.replace(tiny.data, validation_share=0.0)
    run = store.create("older", dataclasses.replace(tiny, data=data))
    train_run(run)
    assert (run.card.validation_examples, run.card.watched) == (0, "test")
    assert {record.examples for record in run.history().evaluations} == {297}
    assert set(run.evaluation() or {}) == {"test", "training"}
