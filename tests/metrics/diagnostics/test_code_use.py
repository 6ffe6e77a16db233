"""Whether a code is used and worth its floor, from figures: never from a KL alone."""

import dataclasses
import math

import pytest

from bnvae.metrics.diagnostics.code_use import CodeUse, Use, is_dear, why_unused
from bnvae.training.records import EvaluationRecord

USED = CodeUse(information=4.13, most_information=math.log(2000), information_bound=5.7, rise=16.9, rise_error=0.24)
"""of the bundled storybook run; its rate is 6.02 nats, its floor 16 ln(2) / 2 = 5.55"""
RECORD = EvaluationRecord(
    step=100,
    epoch=1,
    kl_per_dimension=[1.0, 1.0],
    mean_second_moment=[0.5, 0.5],
    std_second_moment=[0.5, 0.5],
    distortion=10.0,
    rate=2.0,
    active_units=2,
    examples=1000,
)


@pytest.mark.parametrize(
    ("changes", "use"),
    [
        ({}, "used"),
        ({"information": 0.05}, "tells nothing"),
        ({"information": 0.3, "information_error": 0.2}, "tells nothing"),
        ({"rise": 0.05}, "not read"),
        ({"rise": 4.0, "rise_error": 3.0}, "not read"),
        ({"rise": 0.3}, "not read"),  # of an information of 4 nats an ideal decoder loses more than 4
        ({"rise": -20.0, "rise_error": 3.0}, "not read"),
        ({"rise": None}, "not known"),
        ({"information": None}, "not known"),
        ({"information": 0.05, "rise": None}, "tells nothing"),
        ({"rise": math.nan}, "not a number"),
        ({"information": math.inf}, "not a number"),
        ({"information": 0.0, "most_information": 0.0}, "not known"),
    ],
)
def test_a_code_is_used_only_where_it_tells_and_is_read(changes: dict[str, float | None], use: Use) -> None:
    assert dataclasses.replace(USED, **changes).use == use


def test_a_floor_that_keeps_up_a_code_that_tells_something_is_not_dear() -> None:
    assert not is_dear(floor=5.55, rate=6.02, use=USED)


@pytest.mark.parametrize(
    ("floor", "rate", "bound", "rise", "dear"),
    [
        (177.4, 267.0, 107.4, 412.7, True),  # D = 512, tau = .5, two epochs of an MLP on MNIST; -ELBO 340
        (44.4, 67.6, 36.9, 348.5, True),  # D = 128; -ELBO 155
        (22.2, 35.2, 23.4, 298.3, False),  # D = 64; -ELBO 134
        (5.5, 16.4, 15.7, 250.7, False),  # D = 16; -ELBO 127
        (25.8, 25.8, 24.3, 61.4, False),  # D = 32, tau = .8, 92 % of a sentence's causes told again
        (19.3, 19.7, None, 46.0, False),  # D = 32, tau = .7, whole sentences told again
        (19.3, 19.7, None, 12.0, True),  # a decoder that is given noise saves more than this code does
    ],
)
def test_where_the_information_is_at_its_cap_its_bound_and_the_rise_judge_a_floor(
    floor: float, rate: float, bound: float | None, rise: float, dear: bool
) -> None:
    capped = CodeUse(information=7.5, most_information=7.6, information_bound=bound, rise=rise)
    assert capped.is_capped
    assert is_dear(floor=floor, rate=rate, use=capped) == dear


def test_a_floor_is_dear_where_an_information_below_its_cap_is_less_than_half_of_it() -> None:
    assert is_dear(floor=5.55, rate=6.02, use=dataclasses.replace(USED, information=2.0))
    assert not is_dear(floor=5.55, rate=16.0, use=dataclasses.replace(USED, information=2.0))  # the data's own rate


def test_no_floor_is_not_dear() -> None:
    assert not is_dear(floor=0.0, rate=0.0, use=dataclasses.replace(USED, information=0.0, rise=0.0))


def test_both_figures_stand_in_one_line() -> None:
    assert USED.words == "mutual information 4.1 of at most 7.6 nats · rise if z is permuted 16.9 nats"
    assert CodeUse.recorded(RECORD).words == ""
    assert CodeUse(information=0.004, rise=-0.001).words == (
        "mutual information 0.00 nats · rise if z is permuted 0.00 nats"
    )


def test_the_rise_of_a_run_that_was_not_evaluated_thoroughly_is_the_last_of_its_training() -> None:
    test = {"test": {"mutual_information": 3.0, "mutual_information_examples": 2000}}
    recorded = dataclasses.replace(RECORD, permuted_rise=0.01, permuted_rise_standard_error=0.01)
    assert CodeUse.evaluated(test, None).use == "not known"
    assert why_unused(test, None) == ""
    assert CodeUse.evaluated(test, None, recorded).use == "not read"
    assert why_unused(test, None, recorded).startswith("the decoder ignores the code")
    assert CodeUse.evaluated(test, {"permuted_rise": 5.0}, recorded).use == "used"
