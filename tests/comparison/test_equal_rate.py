"""Comparisons at equal rate: which models share a curve, what is read off it, and that nothing is beyond its ends."""

import dataclasses
import math
from typing import Any

import pytest

from bnvae.comparison.equal_rate import Candidate, Member, RateCurve, Reading, rate_curves, shared_rate
from bnvae.config.methods import BETA, METHODS, configured
from bnvae.config.schema import RunConfig


def member(run: str, rate: float, distortion: float, **others: float) -> Member:
    return Member(run=run, strength=1.0, rate=rate, distortion=distortion, others=others)


def curve(*members: Member) -> RateCurve:
    return RateCurve(title="β", knob=BETA, members=members)


THREE = curve(member("a", 1.0, 20.0, nll=19.0), member("b", 3.0, 16.0, nll=17.0), member("c", 7.0, 14.0))


@pytest.mark.parametrize(
    ("rate", "distortion", "runs"),
    [
        (1.0, 20.0, ("a",)),
        (2.0, 18.0, ("a", "b")),
        (3.0, 16.0, ("b",)),
        (4.0, 15.5, ("b", "c")),  # a quarter of the way from 16 to 14
        (7.0, 14.0, ("c",)),
    ],
)
def test_distortion_is_read_off_the_line_between_the_nearest_rates(
    rate: float, distortion: float, runs: tuple[str, ...]
) -> None:
    reading = THREE.at(rate)
    assert reading is not None
    assert reading.distortion == pytest.approx(distortion)
    assert reading.runs == runs


@pytest.mark.parametrize("rate", [0.0, 0.999, 7.001, math.inf])
def test_nothing_is_said_beyond_the_ends(rate: float) -> None:
    assert THREE.at(rate) is None
    assert curve(member("alone", 2.0, 10.0)).at(rate) is None


def test_a_further_figure_is_read_off_only_where_both_neighbours_have_it() -> None:
    assert THREE.at(2.0) == Reading(distortion=18.0, others={"nll": 18.0}, runs=("a", "b"))
    assert THREE.at(4.0) == Reading(distortion=15.5, others={}, runs=("b", "c"))


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.3, 2.9])
def test_the_reading_flatters_no_method_whose_curve_is_convex(rate: float) -> None:
    """The rate-distortion function of a unit Gaussian source is known: D(R) = e^(-2R)."""
    sampled = curve(*(member(str(at), at, math.exp(-2 * at)) for at in (0.0, 0.4, 1.0, 3.0)))
    reading = sampled.at(rate)
    assert reading is not None
    assert reading.distortion > math.exp(-2 * rate)


def test_of_two_models_of_one_rate_the_better_one_stands_for_the_method() -> None:
    reading = curve(member("a", 0.0, 21.0), member("b", 0.0, 20.0), member("c", 2.0, 18.0)).at(0.0)
    assert reading is not None
    assert reading.runs == ("b",)


def candidate(run: str, config: RunConfig, rate: float = 1.0, **known: Any) -> Candidate:
    return Candidate(member=member(run, rate, 10.0 - rate), config=config, title=run, **known)


def runs_of(curves: list[RateCurve]) -> list[list[str]]:
    return [[one.run for one in each.members] for each in curves]


def test_the_ladder_of_each_method_is_one_curve_and_all_constant_betas_are_another(tiny: RunConfig) -> None:
    found = [
        candidate(f"{name}@{strength:g}", configured(tiny, name, strength), rate=strength)
        for name, method in METHODS.items()
        for strength in method.ladder
    ]
    curves = rate_curves(found)
    assert len(curves) == 8
    assert {len(each.members) for each in curves} == {4, 12}  # none, beta 0.2 and beta 0.4 turn the same knob
    for each in curves:
        assert [one.rate for one in each.members] == sorted(one.rate for one in each.members)


@pytest.mark.parametrize(
    ("section", "field", "value", "together"),
    [
        ("training", "threads", 2, True),
        ("training", "precision", "bf16", True),
        ("training", "record_every", 7, True),
        ("training", "seed", 1, True),
        ("training", "epochs", 3, False),
        ("training", "beta", 0.5, False),  # of a Scaler head: another objective, not another strength
        ("model", "hidden_units", 32, False),
        ("model", "gamma", 0.9, True),  # says nothing to a Scaler head
        ("model", "tau", 0.9, True),
        ("model", "amortised", True, False),
        ("data", "training_examples", 256, False),
    ],
)
def test_only_strength_seed_and_machine_may_differ_on_a_curve(
    section: str, field: str, value: object, together: bool, tiny: RunConfig
) -> None:
    changed = dataclasses.replace(getattr(tiny, section), **{field: value})
    other = dataclasses.replace(tiny, **{section: changed})
    assert (len(rate_curves([candidate("a", tiny), candidate("b", other)])) == 1) == together


def test_a_run_changed_while_it_trained_is_a_curve_of_its_own(tiny: RunConfig) -> None:
    found = [candidate("a", tiny), candidate("b", tiny, alone=True), candidate("c", tiny, alone=True)]
    assert runs_of(rate_curves(found)) == [["a"], ["b"], ["c"]]


def test_the_rate_to_begin_with_is_the_one_at_which_most_methods_are_known() -> None:
    other = curve(member("d", 2.5, 18.0), member("e", 6.0, 15.0))
    assert shared_rate([THREE, other]) == 3.0  # 2.5, 3 and 6 lie on both
    assert shared_rate([THREE, other, curve(member("f", 6.0, 12.0))]) == 6.0
    assert shared_rate([]) is None


def with_seed(config: RunConfig, seed: int) -> RunConfig:
    return dataclasses.replace(config, training=dataclasses.replace(config.training, seed=seed))


def test_seeds_of_one_strength_are_one_point_and_rivals_of_nobody(tiny: RunConfig) -> None:
    (only,) = rate_curves([candidate("a", tiny, 1.0), candidate("b", with_seed(tiny, 1), 3.0)])
    (point,) = only.members
    assert (point.rate, point.distortion, point.runs) == (2.0, 8.0, ("a", "b"))  # distortions 9 and 7
    assert only.at(1.0) is None  # no model of this method stands there: the one of two seeds is at 2


def test_a_seed_that_comes_twice_is_not_counted_twice(tiny: RunConfig) -> None:
    (only,) = rate_curves(
        [candidate("a", tiny, 1.0), candidate("b", with_seed(tiny, 1), 3.0), candidate("a-again", tiny, 1.0)]
    )
    assert sorted(point.rate for point in only.members) == [1.0, 2.0]
