"""Changes of a training, and what they make of its configuration."""

import dataclasses

import pytest

from bnvae.config.scheduled_changes import Change, steered, until
from bnvae.config.schema import RunConfig


def change(field: str, value: float, step: int = 0) -> Change:
    return Change(step=step, field=field, value=value)


@pytest.mark.parametrize("field", ["beta", "learning_rate", "free_bits_per_dimension", "free_bits_total"])
def test_a_change_of_the_training_is_in_its_configuration(field: str, tiny: RunConfig) -> None:
    assert getattr(steered(tiny, [change(field, 0.25)]).training, field) == 0.25


def test_a_change_of_tau_is_in_the_models_configuration(tiny: RunConfig) -> None:
    assert steered(tiny, [change("tau", 0.9)]).model.tau == 0.9


def test_the_later_change_of_a_field_holds(tiny: RunConfig) -> None:
    assert steered(tiny, [change("beta", 2), change("beta", 3)]).training.beta == 3


def test_a_change_counts_from_the_step_after_it() -> None:
    changes = [change("beta", 2, step=4), change("beta", 3, step=8)]
    assert [len(until(changes, step)) for step in (4, 5, 8, 9)] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("field", "value"),
    [("beta", -1), ("beta", float("nan")), ("learning_rate", 0), ("free_bits_total", 1e9), ("tau", 1), ("epochs", 3)],
)
def test_what_is_out_of_range_is_refused_by_name(field: str, value: float, tiny: RunConfig) -> None:
    with pytest.raises(ValueError, match=field):
        steered(tiny, [change(field, value)])


def test_tau_is_refused_for_a_head_without_a_scaler(tiny: RunConfig) -> None:
    plain = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, head="gaussian"))
    with pytest.raises(ValueError, match="'gaussian' has no Scaler"):
        steered(plain, [change("tau", 0.3)])


def test_tau_is_refused_where_every_tau_is_trained(tiny: RunConfig) -> None:
    every = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, amortised=True))
    with pytest.raises(ValueError, match=r"tau is 0.3: this run is trained for every tau up to 0.95 at once"):
        steered(every, [change("tau", 0.3)])
    assert steered(every, [change("beta", 0.3)]).model.amortised


@pytest.mark.parametrize(
    "stored",
    [
        None,
        {"step": 1, "field": "beta"},
        {"step": -1, "field": "beta", "value": 1},
        {"step": True, "field": "beta", "value": 1},
        {"step": 1, "field": "beta", "value": "1"},
        {"step": 1, "field": "beta", "value": 10**400},
    ],
)
def test_what_is_no_change_is_refused(stored: object) -> None:
    with pytest.raises(ValueError):
        Change.from_dict(stored)
