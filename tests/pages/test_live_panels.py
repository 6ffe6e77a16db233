"""What is drawn of trainings: a pair at one step, and no verdict before there is ground for one."""

import dataclasses
import math

import pytest

from bnvae.config.schema import HeadName, KlScheduleName, RunConfig, TrainingConfig
from bnvae.metrics.diagnostics.diagnose import diagnose
from bnvae.metrics.diagnostics.finding import Patient
from bnvae.runs import Run, RunStore, Status
from bnvae.runs.progress.control import Control
from bnvae.runs.progress.history import HISTORY
from bnvae.runs.progress.status import RunState
from bnvae.training.records import EvaluationRecord, StepRecord
from pages.shared.live.panels import shared_range, state_words, training_panels
from pages.shared.panels import histories, readable
from pages.shared.words import forced_words, slack_words, told_from, verdict_words

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


def at_the_end(run: Run, **changes: object) -> tuple[RunConfig, StepRecord, EvaluationRecord]:
    """A record of 300 steps in three epochs with six bars of 0.4 nats, and an evaluation beside it."""
    training = dataclasses.replace(run.config.training, epochs=3)
    config: RunConfig = dataclasses.replace(run.config, training=training)
    bars = {"step": 300, "epoch": 3.0, "rate": 2.4, "kl_per_dimension": [0.4] * 6}
    history = run.history()
    step = dataclasses.replace(history.steps[-1], **bars)  # type: ignore[arg-type]
    told = {
        "mutual_information": 1.9,
        "mutual_information_examples": 1000,
        "permuted_rise": 9.0,
        "permuted_rise_standard_error": 0.2,
    }
    evaluation = dataclasses.replace(history.evaluations[-1], **bars | told | changes)  # type: ignore[arg-type]
    return config, step, evaluation


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "**Code in use.** It tells examples apart, and the decoder reads it."),
        ({"mutual_information": 0.01}, "**Code not used.** All examples have the same posterior"),
        ({"permuted_rise": 0.02}, "**Code not used.** The decoder ignores it"),
        ({"permuted_rise": 9.0, "permuted_rise_standard_error": 6.0}, "**Code not used.** The decoder ignores it"),
        ({"mutual_information": 0.9}, "**Floor too dear.**"),  # six dimensions of 0.35 nats are 2.1
        ({"permuted_rise": math.nan}, "**Diverged.**"),
        ({"mutual_information": None}, "**Not known yet.**"),
        ({"step": 100}, "**Not known yet.**"),  # of weights that had hardly learnt
    ],
)
def test_equal_bars_get_the_verdict_of_what_the_evaluation_found(
    changes: dict[str, object], verdict: str, runs: RunStore
) -> None:
    config, step, evaluation = at_the_end(runs.get("digits-scaler"), **changes)
    words = verdict_words(config, step, evaluation)
    assert words.startswith(verdict)
    assert "Floor kept: the floor alone is 2.1 of 2.4 nats, 87 %." in words
    assert verdict_words(config, step, None).startswith("**Not known yet.** Floor kept")


def test_a_code_in_use_has_one_name_under_bars_and_on_compare(runs: RunStore) -> None:
    config, step, evaluation = at_the_end(runs.get("digits-scaler"))
    bars = {"examples": 100.0, "rate": step.rate, "kl_per_dimension": step.kl_per_dimension}
    told = {name: getattr(evaluation, name) for name in ("mutual_information", "mutual_information_examples")}
    rise = {name: getattr(evaluation, name) for name in ("permuted_rise", "permuted_rise_standard_error")}
    patient = Patient(
        evaluation={"test": bars | told},
        thorough=rise,
        modality="image",
        fixed_floor=[0.0] * 6,
        unit_moments=False,
    )
    assert verdict_words(config, step, evaluation).startswith(f"**{diagnose(patient)[0].name}.**")


def test_bars_and_curves_say_what_the_evaluations_found(runs: RunStore) -> None:
    run = runs.get("digits-scaler")
    panels = training_panels(histories(readable([run])), {run: Status(state="finished")})
    (evaluation,) = run.history().evaluations
    assert evaluation.mutual_information is not None
    assert panels["bars-digits-scaler"]["told"].startswith(f"mutual information {evaluation.mutual_information:.1f} of")
    information, rise = (panels[f"{name}-digits-scaler"] for name in ("information", "rise"))
    assert information["series"][0]["y"] == [pytest.approx(evaluation.mutual_information)]
    assert information["levels"][0][0] == pytest.approx(math.log(evaluation.mutual_information_examples or 0))
    assert rise["series"][0]["y"] == [pytest.approx(evaluation.permuted_rise)]
    assert panels["active-digits-scaler"]["title"] == "Active units, by construction: they prove nothing"


def test_an_older_history_has_no_line_and_no_curve_of_what_its_code_tells(runs: RunStore) -> None:
    run = runs.get("digits-plain")
    new = ("mutual_information", "mutual_information_examples", "permuted_rise", "permuted_rise_standard_error")
    history = run.history()
    older = [dataclasses.replace(record, **dict.fromkeys(new)) for record in history.evaluations]  # type: ignore[arg-type]
    (run.folder / HISTORY).write_text("".join(f"{each.to_json()}\n" for each in [*history.steps, *older]))
    panels = training_panels(histories(readable([run])), {run: Status(state="finished")})
    assert panels["bars-digits-plain"]["told"] == ""
    assert not any(name.startswith(("information", "rise")) for name in panels)
    assert panels["active-digits-plain"]["title"] == "Active units"
    assert not forced_words(run.config)
