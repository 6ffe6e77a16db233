"""The named methods: what each changes of a configuration, checked against the objective and the heads."""

import dataclasses
import json
from typing import Any

import pytest
import torch

from bnvae.config.methods import BETA, FREE_BITS, FREE_BITS_TOTAL, GAMMA, METHODS, TAU, Knob, configured, knob_of
from bnvae.config.schema import ModelConfig, RunConfig, TrainingConfig
from bnvae.nn.losses import ElboTerms, kl_weight, loss

WANTED = {
    "none": {},
    "beta-0.2": {"beta": 0.2},
    "beta-0.4": {"beta": 0.4},
    "linear": {"kl_schedule": "linear", "kl_warmup_epochs": 10.0},
    "cyclical": {"kl_schedule": "cyclical", "kl_warmup_epochs": 10.0},
    "free-bits": {"free_bits_per_dimension": 0.25},
    "bn-mean": {"head": "bn-mean"},
    "ln-mean": {"head": "ln-mean"},
    "bn-scaler": {"head": "bn-scaler"},
    "rms-scaler": {"head": "rms-scaler"},
}
"""differences from a plain VAE of 40 epochs"""


def flat(config: RunConfig) -> dict[str, Any]:
    return {
        f"{section}.{field}": value
        for section, fields in json.loads(config.to_json()).items()
        for field, value in fields.items()
    }


@pytest.fixture
def plain() -> RunConfig:
    return RunConfig(
        model=ModelConfig(head="gaussian", latent_dimensions=4), training=TrainingConfig(epochs=40, kl_warmup_epochs=3)
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_method_changes_nothing_but_what_it_is(method: str, plain: RunConfig) -> None:
    before, after = flat(plain), flat(configured(plain, method))
    assert {name.split(".")[1]: after[name] for name in before if before[name] != after[name]} == WANTED[method]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_the_same_whatever_remedy_the_base_had(method: str, plain: RunConfig) -> None:
    mended = dataclasses.replace(
        plain,
        model=dataclasses.replace(plain.model, head="rms-scaler", amortised=True),
        training=dataclasses.replace(
            plain.training, beta=0.5, kl_schedule="cyclical", free_bits_per_dimension=0.1, free_bits_total=3.0
        ),
    )
    assert configured(mended, method) == configured(plain, method)


def test_gamma_and_tau_are_the_bases_own(plain: RunConfig) -> None:
    base = dataclasses.replace(plain, model=dataclasses.replace(plain.model, gamma=0.7, tau=0.2))
    assert configured(base, "bn-mean").model.gamma == 0.7
    assert configured(base, "bn-scaler").model.tau == 0.2


@pytest.mark.parametrize(
    ("epochs", "at", "linear", "cyclical"),
    [
        (40, 0, 0.0, 0.0),
        (40, 5, 0.5, 1.0),  # a cycle of ten epochs rises for five
        (40, 9.9, 0.99, 1.0),
        (40, 10, 1.0, 0.0),
        (40, 32.5, 1.0, 0.5),
        (8, 2, 0.5, 0.0),  # warm-up over half of a short training, four cycles all the same
        (8, 4, 1.0, 0.0),
        (8, 7.5, 1.0, 1.0),
        (1, 0.25, 0.5, 0.0),
    ],
)
def test_schedules_fit_the_length_of_the_training(
    epochs: int, at: float, linear: float, cyclical: float, plain: RunConfig
) -> None:
    base = dataclasses.replace(plain, training=dataclasses.replace(plain.training, epochs=epochs))
    assert kl_weight(configured(base, "linear").training, at) == pytest.approx(linear)
    assert kl_weight(configured(base, "cyclical").training, at) == pytest.approx(cyclical)


@pytest.mark.parametrize(
    ("method", "of_kl"), [("none", 4.1), ("beta-0.2", 0.82), ("beta-0.4", 1.64), ("free-bits", 4.25)]
)
def test_the_loss_of_an_example_by_hand(method: str, of_kl: float, plain: RunConfig) -> None:
    """Distortion 10, KL of (0.1, 4.0) nats: 4.1 weighted, or 0.25 + 4 where the first quarter is free anyway."""
    training = configured(plain, method).training
    terms = ElboTerms(distortion=torch.tensor([10.0]), kl_per_dimension=torch.tensor([[0.1, 4.0]]))
    weight = kl_weight(training, 0.0)
    value = loss(terms, kl_weight=weight, free_bits_per_dimension=training.free_bits_per_dimension)
    assert value.item() == pytest.approx(10 + of_kl)


@pytest.mark.parametrize(
    ("method", "strength", "field", "knob"),
    [
        ("none", 0.6, "training.beta", BETA),
        ("linear", 0.6, "training.beta", BETA),
        ("free-bits", 0.6, "training.free_bits_per_dimension", FREE_BITS),
        ("ln-mean", 0.6, "model.gamma", GAMMA),
        ("rms-scaler", 0.6, "model.tau", TAU),
    ],
)
def test_a_strength_turns_one_knob_and_the_knob_is_known_again(
    method: str, strength: float, field: str, knob: Knob, plain: RunConfig
) -> None:
    own, turned = configured(plain, method), configured(plain, method, strength)
    assert flat(turned) == flat(own) | {field: strength}
    assert knob_of(turned) == knob == METHODS[method].knob
    assert knob.of(turned) == strength


def test_total_free_bits_are_a_knob_of_their_own(plain: RunConfig) -> None:
    total = dataclasses.replace(plain, training=dataclasses.replace(plain.training, free_bits_total=3.0))
    assert knob_of(total) == FREE_BITS_TOTAL


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_each_says_what_it_is_and_where_it_comes_from(method: Any) -> None:
    assert method.description.endswith(".")
    assert ". " not in method.description
    assert method.source
    assert list(method.ladder) == sorted(set(method.ladder))


def test_an_unknown_method_is_refused_with_those_there_are(plain: RunConfig) -> None:
    with pytest.raises(ValueError, match=r"method is 'dropout': choose of none, beta-0.2, .*rms-scaler"):
        configured(plain, "dropout")


def test_what_a_base_does_not_allow_is_refused(plain: RunConfig) -> None:
    small = dataclasses.replace(plain, training=dataclasses.replace(plain.training, batch_size=4))
    with pytest.raises(ValueError, match=r"batch_size is 4: head 'bn-mean' normalises over the batch"):
        configured(small, "bn-mean")
