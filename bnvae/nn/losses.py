"""The ELBO, its two terms, and the loss that training minimises."""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.config.schema import TrainingConfig


@final
@dataclass(frozen=True)
class ElboTerms:
    """The two costs of every example, in nats."""

    distortion: Float[Tensor, "B"]
    """-ln p(x|z), summed over pixels or tokens, one draw of z an example"""
    kl_per_dimension: Float[Tensor, "B D"]
    """KL(q(z_d|x) || N(0, 1)), >= 0"""

    @property
    def rate(self) -> Float[Tensor, "B"]:
        """KL(q(z|x) || p(z)) in nats, summed over dimensions, >= 0."""
        return self.kl_per_dimension.sum(-1)

    @property
    def elbo(self) -> Float[Tensor, "B"]:
        """Evidence lower bound in nats, higher is better: -(distortion + rate)."""
        return -(self.distortion + self.rate)


def loss(
    terms: ElboTerms,
    *,
    kl_weight: float = 1.0,
    free_bits_per_dimension: float = 0.0,
    free_bits_total: float = 0.0,
) -> Float[Tensor, ""]:
    """What is minimised, in nats per example: mean distortion + kl_weight * (rate above what is free).

    Free bits per dimension: sum_d max(free, E[KL_d]), the expectation over the batch; Kingma et al. 2016, appendix C.8,
    arXiv:1606.04934. The total takes the maximum after the sum.
    """
    rate = terms.kl_per_dimension.mean(0).clamp_min(free_bits_per_dimension).sum()
    return terms.distortion.mean() + kl_weight * rate.clamp_min(free_bits_total)


def kl_weight(config: TrainingConfig, epoch: float) -> float:
    """Weight of the rate at a (fractional) epoch: beta times the schedule's value in [0, 1].

    Linear: Bowman et al. 2016, arXiv:1511.06349. Cyclical (first half of a cycle rises, second half stays at 1):
    Fu et al. 2019, arXiv:1903.10145.
    """
    if config.kl_schedule == "constant":
        return config.beta
    position = epoch / config.kl_warmup_epochs
    if config.kl_schedule == "cyclical":
        position = 2 * (position % 1)
    return config.beta * min(1.0, position)


def check_finite(value: Float[Tensor, ""], terms: ElboTerms, step: int) -> None:
    """Stop before a step that would spoil the weights.

    Raises:
        FloatingPointError: the loss is not finite; the message names step, term and dimension.
    """
    if math.isfinite(value.item()):
        return
    if not torch.isfinite(terms.distortion).all():
        culprit = "the distortion"
    else:
        bad = (~torch.isfinite(terms.kl_per_dimension)).any(0).nonzero().flatten().tolist()
        culprit = f"the KL of dimension {', '.join(map(str, bad))}" if bad else "the weighted sum"
    raise FloatingPointError(f"the loss at step {step} is {value.item()}: {culprit} is not finite. {_REMEDY}")


def check_finite_gradient(whole: Float[Tensor, ""], step: int) -> None:
    """The same for a loss that is finite while its gradient is not; `whole` is the gradient's norm or its sum.

    Raises:
        FloatingPointError: it is not finite; the message names the step.
    """
    if not math.isfinite(whole.item()):
        raise FloatingPointError(f"the gradient at step {step} is not finite. {_REMEDY}")


_REMEDY = (
    "Training stopped before this step, and the weights are those of the step before. Try a smaller learning_rate or "
    "gradient_clip, or precision 'fp32'."
)
