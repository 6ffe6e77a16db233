"""Records as lines of JSON."""

import dataclasses
import json

import pytest
import torch

from bnvae.training.records import EvaluationRecord, StepRecord, numbers, record_from_json, rounded

STEP = StepRecord(
    step=5,
    epoch=0.5,
    distortion=10.0,
    rate=2.0,
    kl_per_dimension=[0.5, 1.5],
    active_units=2,
    mean_second_moment=[0.75, 0.75],
    std_second_moment=[0.25, 0.25],
    loss=12.0,
    kl_weight=1.0,
    gamma_mean=[0.8, 0.8],
    gamma_std=[0.6, 0.6],
    current_floor=[0.3, 0.3],
)
EVALUATION = EvaluationRecord(
    step=5,
    epoch=0.5,
    distortion=10.0,
    rate=2.0,
    kl_per_dimension=[0.5, 1.5],
    active_units=2,
    mean_second_moment=[0.75, 0.75],
    std_second_moment=[0.25, 0.25],
    examples=100,
)
INFORMED = dataclasses.replace(
    EVALUATION,
    mutual_information=3.5,
    mutual_information_examples=1000,
    permuted_rise=-0.25,
    permuted_rise_standard_error=0.5,
)


@pytest.mark.parametrize("record", [STEP, EVALUATION, INFORMED], ids=["step", "evaluation", "informed"])
def test_a_record_comes_back_from_its_line(record: StepRecord | EvaluationRecord) -> None:
    line = record.to_json()
    assert "\n" not in line
    assert record_from_json(line) == record


def test_an_evaluation_of_an_older_history_has_no_information_and_no_rise() -> None:
    line = {name: value for name, value in json.loads(EVALUATION.to_json()).items() if value is not None}
    assert not {"mutual_information", "permuted_rise"} & line.keys()
    record = record_from_json(json.dumps(line))
    assert isinstance(record, EvaluationRecord)
    assert record == EVALUATION
    assert (record.mutual_information, record.permuted_rise, record.most_information) == (None, None, None)


def test_the_information_of_a_thousand_examples_is_at_most_their_logarithm() -> None:
    assert INFORMED.most_information == pytest.approx(6.907755)


@pytest.mark.parametrize(
    "change",
    [
        {"mutual_information": "3"},
        {"mutual_information_examples": 2.5},
        {"permuted_rise": [1.0]},
        {"permuted_rise": True},
    ],
    ids=str,
)
def test_an_information_of_another_type_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a training record"):
        record_from_json(json.dumps(json.loads(INFORMED.to_json()) | change))


def test_elbo_is_minus_the_sum_of_both_costs() -> None:
    assert STEP.elbo == -12


@pytest.mark.parametrize(
    "change",
    [
        {"step": "5"},
        {"step": -1},
        {"step": 5.0},
        {"step": True},
        {"step": 10**40},
        {"rate": None},
        {"rate": "<b>"},
        {"rate": [1]},
        {"kl_per_dimension": None},
        {"kl_per_dimension": "0.5"},
        {"kl_per_dimension": [0.5, "x"]},
        {"kl_per_dimension": {"0": 1}},
        {"kind": "image"},
        {"kind": ["step"]},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_line_with_another_type_or_field_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a training record"):
        record_from_json(json.dumps(json.loads(STEP.to_json()) | change))


@pytest.mark.parametrize("line", ["", "{}", "[]", "null", "5", "{", "[" * 100_000, '{"kind":"step"}', "9" * 5000])
def test_a_line_that_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a training record"):
        record_from_json(line)


def test_values_are_rounded_to_six_significant_digits() -> None:
    assert rounded(1234567.0) == 1234570
    assert rounded(-0.00012345678) == -0.000123457
    assert rounded(float("inf")) == float("inf")
    assert numbers(torch.tensor([1 / 3, 2.0])) == [0.333333, 2.0]
