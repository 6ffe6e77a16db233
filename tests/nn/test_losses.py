"""The loss by hand, free bits, schedules, and the stop before a bad step."""

import math
from typing import Any

import pytest
import torch

from bnvae import ElboTerms, loss
from bnvae.config.schema import TrainingConfig
from bnvae.nn.losses import check_finite, check_finite_gradient, kl_weight

# Two examples, two dimensions. Distortions 10 and 14; KLs average to 0.2 and 1.5.
TERMS = ElboTerms(torch.tensor([10.0, 14.0]), torch.tensor([[0.1, 1.0], [0.3, 2.0]]))


def test_rate_and_elbo_are_sums_per_example() -> None:
    assert TERMS.rate.tolist() == pytest.approx([1.1, 2.3])
    assert TERMS.elbo.tolist() == pytest.approx([-11.1, -16.3])


def test_the_loss_is_minus_the_mean_elbo() -> None:
    assert loss(TERMS).item() == pytest.approx(12 + 1.7) == pytest.approx(-TERMS.elbo.mean().item())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"kl_weight": 0.5}, 12 + 0.85),
        ({"kl_weight": 0.0}, 12),
        ({"free_bits_per_dimension": 0.5}, 12 + 0.5 + 1.5),  # the first dimension's 0.2 is raised to 0.5
        ({"free_bits_total": 3.0}, 12 + 3.0),
        ({"free_bits_total": 1.0}, 12 + 1.7),
        ({"free_bits_per_dimension": 0.5, "free_bits_total": 3.0, "kl_weight": 2.0}, 12 + 6),
    ],
)
def test_the_loss_by_hand(options: dict[str, float], expected: float) -> None:
    assert loss(TERMS, **options).item() == pytest.approx(expected)


def test_free_bits_give_no_gradient_below_them() -> None:
    kl = torch.tensor([[0.1, 1.0], [0.3, 2.0]], requires_grad=True)
    loss(ElboTerms(torch.zeros(2), kl), free_bits_per_dimension=0.5).backward()  # type: ignore[no-untyped-call]
    assert kl.grad is not None
    assert kl.grad.tolist() == [[0, 0.5], [0, 0.5]]


def test_free_bits_look_at_the_mean_over_the_batch() -> None:
    # 0.1 and 0.9 average to the 0.5 that is free; taken per example the sum would be larger.
    terms = ElboTerms(torch.zeros(2), torch.tensor([[0.1], [0.9]]))
    assert loss(terms, free_bits_per_dimension=0.5).item() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("schedule", "epoch", "expected"),
    [
        ("constant", 0.0, 2.0),
        ("constant", 99.0, 2.0),
        ("linear", 0.0, 0.0),
        ("linear", 1.0, 0.5),
        ("linear", 4.0, 2.0),
        ("linear", 40.0, 2.0),
        ("cyclical", 0.0, 0.0),
        ("cyclical", 1.0, 1.0),  # a cycle of 4 epochs rises for 2
        ("cyclical", 2.0, 2.0),
        ("cyclical", 3.9, 2.0),
        ("cyclical", 4.0, 0.0),
        ("cyclical", 5.0, 1.0),
    ],
)
def test_schedules_by_hand(schedule: Any, epoch: float, expected: float) -> None:
    config = TrainingConfig(beta=2.0, kl_schedule=schedule, kl_warmup_epochs=4.0)
    assert kl_weight(config, epoch) == pytest.approx(expected)


def spoiled(dimension: int | None = None, distortion: float = 1.0) -> ElboTerms:
    kl = torch.ones(4, 3)
    if dimension is not None:
        kl[2, dimension] = math.nan
    return ElboTerms(torch.tensor([1.0, 1.0, 1.0, distortion]), kl)


@pytest.mark.parametrize(
    ("terms", "culprit"),
    [
        (spoiled(dimension=1), "the KL of dimension 1 is not finite"),
        (spoiled(distortion=math.inf), "the distortion is not finite"),
        (spoiled(distortion=math.nan, dimension=1), "the distortion is not finite"),
        (spoiled(), "the weighted sum is not finite"),
    ],
)
def test_a_loss_that_is_not_finite_names_step_and_term(terms: ElboTerms, culprit: str) -> None:
    with pytest.raises(FloatingPointError, match=f"step 17 is .*{culprit}.*learning_rate"):
        check_finite(torch.tensor(math.nan), terms, 17)


def test_a_gradient_that_is_not_finite_names_itself() -> None:
    with pytest.raises(FloatingPointError, match="the gradient at step 3 is not finite"):
        check_finite_gradient(torch.tensor(math.inf), 3)


def test_finite_values_pass() -> None:
    check_finite(loss(TERMS), TERMS, 1)
    check_finite_gradient(torch.tensor(1e30), 1)
