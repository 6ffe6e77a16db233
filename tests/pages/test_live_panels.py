"""What is drawn of trainings: a pair at one step, and no verdict before there is ground for one."""

import dataclasses

import pytest

from bnvae.config import HeadName, KlScheduleName, RunConfig, TrainingConfig
from bnvae.records import StepRecord
from bnvae.runs import Run, RunStore, Status
from bnvae.runs.control import Control
from bnvae.runs.status import RunState
from pages.shared.live.panels import shared_range, state_words, training_panels
from pages.shared.panels import histories, readable
from pages.shared.words import slack_words, told_from, verdict_words

PAIR = ("digits-plain", "digits-scaler")


def begun(run: Run, last: int) -> None:
    """Take away what the run recorded after that step."""
    file = run.folder / "history.jsonl"
    kept = [record.to_json() for record in run.history().steps if record.step <= last]
    file.write_text("".join(f"{line}\n" for line in kept))


def shown(store: RunStore, state: RunState) -> dict[str, tuple[str, list[float]]]:
    """The caption of each run's bars and the steps of its curve, where the plain one is at step 8, its twin at 4."""
    pair = [store.get(name) for name in PAIR]
    begun(pair[1], 4)
    panels = training_panels(histories(readable(pair)), {run: Status(state=state) for run in pair})
    return {run.id: (panels[f"bars-{run.id}"]["caption"], panels[f"elbo-{run.id}"]["series"][0]["x"]) for run in pair}


def test_a_pair_in_training_is_shown_at_the_step_that_both_have_reached(runs: RunStore) -> None:
    for caption, steps in shown(runs, "training").values():
        assert caption.endswith(" · at step 4")
        assert list(steps) == [2, 4]


def test_runs_that_wait_are_shown_where_they_stand(runs: RunStore) -> None:
    found = shown(runs, "paused")
    assert [steps[-1] for _, steps in found.values()] == [8, 4]
    assert not any("at step" in caption for caption, _ in found.values())


def test_trainings_on_other_batches_do_not_wait_for_one_another(runs: RunStore) -> None:
    run = runs.get("digits-scaler")
    training = dataclasses.replace(run.config.training, seed=1)
    (run.folder / "config.json").write_text(dataclasses.replace(run.config, training=training).to_json())
    assert [steps[-1] for _, steps in shown(runs, "training").values()] == [8, 4]


def test_slow_motion_shows_every_step_of_a_pair(runs: RunStore) -> None:
    pair = [runs.get(name) for name in PAIR]
    for run in pair:
        run.desk.command(Control(steps_per_second=1))
        last = run.history().steps[-1]
        run.write_live(dataclasses.replace(last, step=9, kl_per_dimension=[7.0] * len(last.kl_per_dimension)))
    panels = training_panels(histories(readable(pair)), {run: Status(state="training") for run in pair})
    assert [set(panels[f"bars-{run.id}"]["kl"]) for run in pair] == [{7.0}, {7.0}]


def test_a_twin_that_hangs_does_not_hold_the_other_back(runs: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.shared.live.panels.is_silent", lambda run: run.id == PAIR[1])
    assert [steps[-1] for _, steps in shown(runs, "training").values()] == [8, 4]


def record_at(run: Run, step: int, epoch: float) -> StepRecord:
    return dataclasses.replace(run.history().steps[-1], step=step, epoch=epoch, rate=0.01)


@pytest.mark.parametrize(
    ("schedule", "epochs", "told"),
    [("constant", 10, 200), ("linear", 10, 500), ("cyclical", 10, 250), ("constant", 1, 100), ("linear", 2, 200)],
    ids=["constant", "5 epochs of warm-up", "half a cycle of 5", "shorter than that", "shorter than its warm-up"],
)
def test_a_verdict_waits_for_200_steps_and_the_warm_up_or_the_end(
    schedule: KlScheduleName, epochs: int, told: int, runs: RunStore
) -> None:
    run = runs.get("digits-plain")
    training = TrainingConfig(epochs=epochs, kl_schedule=schedule, kl_warmup_epochs=5.0)
    config: RunConfig = dataclasses.replace(run.config, training=training)
    before = verdict_words(config, record_at(run, told - 1, (told - 1) / 100))  # of 100 steps an epoch
    assert before.startswith("**Too early to tell.** 0.01 nats in all so far")
    assert before.endswith(f"look again at step {told}.")
    assert verdict_words(config, record_at(run, told, told / 100)).startswith("**Collapsed.**")


@pytest.mark.parametrize(
    ("head", "tau", "rate", "step", "words"),
    [
        # the floor of six dimensions at 0.5 is 3 ln 2 = 2.08 nats, and -3 ln 0.75 = 0.86 at 0.25
        ("rms-scaler", 0.5, 5.04, 900, "The data take 5.0 nats where τ = 0.5 asks for 2.1: the floor does not bind."),
        ("bn-scaler", 0.25, 1.8, 900, "The data take 1.8 nats where τ = 0.25 asks for 0.9: the floor does not bind."),
        ("rms-scaler", 0.5, 4.1, 900, ""),
        ("rms-scaler", 0.5, 5.04, 5, ""),  # too early to tell
        ("rms-scaler", 0.5, float("nan"), 900, ""),
        ("bn-mean", 0.5, 50.0, 900, ""),
    ],
)
def test_a_rate_of_more_than_twice_its_floor_is_said_not_to_be_the_floors(
    head: HeadName, tau: float, rate: float, step: int, words: str, runs: RunStore
) -> None:
    run = runs.get("digits-scaler")
    config = dataclasses.replace(run.config, model=dataclasses.replace(run.config.model, head=head, tau=tau))
    record = dataclasses.replace(record_at(run, step, step / 100), rate=rate)
    assert slack_words(config, record) == words
    assert state_words(config, record, Status(state="finished"))["seen"].endswith(words)


def test_one_model_for_every_tau_is_compared_with_its_mean_floor(runs: RunStore) -> None:
    run = runs.get("digits-scaler")
    config = dataclasses.replace(run.config, model=dataclasses.replace(run.config.model, amortised=True))
    record = dataclasses.replace(record_at(run, 900, 9.0), rate=20.0)
    # floors are uniform from 0 to -3 ln 0.05 = 8.99 nats: their mean is 4.5
    assert slack_words(config, record) == (
        "The data take 20.0 nats where the floor, a mean over τ, asks for 4.5: the floor does not bind."
    )


@pytest.mark.parametrize(("warmup", "told"), [(5.0, 2340), (100.0, 46_800)])
def test_the_step_of_a_verdict_does_not_move_with_the_rounding_of_epochs(
    warmup: float, told: int, runs: RunStore
) -> None:
    run = runs.get("digits-plain")
    training = TrainingConfig(epochs=200, kl_schedule="linear", kl_warmup_epochs=warmup)
    config = dataclasses.replace(run.config, training=training)
    records = [record_at(run, step, float(f"{step / 468:.6g}")) for step in range(1, 2340, 9)]  # 6 digits, as kept
    assert {told_from(config, record) for record in records} == {told}


@pytest.mark.parametrize(
    ("distortions", "ends"),
    [
        ([100.0] * 9 + [50.0], (0.0, 120.0)),  # a rate of 10 on top: 1.05 * 110 is 115.5
        ([150.0] * 5 + [-2_100.0] * 5, (-2_500.0, 200.0)),  # densities of colours above 1
        ([-2_100.0] * 10, (-2_500.0, 0.0)),
        ([float("nan")], (0.0, 1.0)),
        ([], (0.0, 1.0)),
    ],
)
def test_the_axis_of_elbo_holds_what_all_runs_reach_and_starts_at_0_where_it_can(
    runs: RunStore, distortions: list[float], ends: tuple[float, float]
) -> None:
    step = runs.get(PAIR[0]).history().steps[0]
    steps = [dataclasses.replace(step, distortion=distortion, rate=10.0) for distortion in distortions]
    assert shared_range([steps, []]) == ends
