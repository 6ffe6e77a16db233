"""The loss as this project counts it and as others do: unit, sum or mean, sign and weight of each number."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What sums become means by."""

    values: float
    """pixels times channels of a picture, or mean tokens of a sentence"""
    dimensions: int
    """D, latent dimensions"""
    batch_size: int
    beta: float
    """weight of the rate in this run's loss"""
    modality: str


@final
@dataclass(frozen=True, kw_only=True)
class Convention:
    """How somebody counts a VAE's loss; factors turn our nats an example into their numbers."""

    name: str
    used_by: str
    unit: str
    distortion_over: str
    rate_over: str
    distortion_factor: Callable[[Sizes], float]
    rate_factor: Callable[[Sizes], float]
    """of the rate's number, without its weight"""
    rate_weight: Callable[[Sizes], float]
    """what they multiply the rate's number by in the loss"""
    elbo_unit: str = ""
    """where the loss mixes units and the ELBO does not"""
    remark: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class LedgerLine:
    figure: str
    definition: str
    unit: str
    over: str
    """sum or mean over what"""
    sign: str
    weight: str
    """in the loss that is minimised"""
    value: float


def _one(sizes: Sizes) -> float:
    return 1.0


def _beta(sizes: Sizes) -> float:
    return sizes.beta


PYTORCH_VAE_WEIGHT = 0.00025

CONVENTIONS: tuple[Convention, ...] = (
    Convention(
        name="bnvae: nats, summed",
        used_by="this project, and most papers",
        unit="nats per example",
        distortion_over="sum over pixels or tokens, mean over examples",
        rate_over="sum over dimensions, mean over examples",
        distortion_factor=_one,
        rate_factor=_one,
        rate_weight=_beta,
    ),
    Convention(
        name="mean over pixels, KL weight β / pixels",
        used_by="whoever takes reduction='mean' and keeps the balance",
        unit="nats per pixel or token",
        distortion_over="mean over pixels or tokens, mean over examples",
        rate_over="sum over dimensions, mean over examples",
        distortion_factor=lambda sizes: 1 / sizes.values,
        rate_factor=_one,
        rate_weight=lambda sizes: sizes.beta / sizes.values,
        remark="The same loss, scaled: equal up to the learning rate.",
    ),
    Convention(
        name="mean over pixels, KL weight 1",
        used_by="a common slip: reduction='mean' beside a summed KL",
        unit="nats",
        distortion_over="mean over pixels or tokens, mean over examples",
        rate_over="sum over dimensions, mean over examples",
        distortion_factor=lambda sizes: 1 / sizes.values,
        rate_factor=_one,
        rate_weight=_one,
        elbo_unit="nats per pixel or token",
        remark="Another loss: its beta is the number of pixels, and nearly every model collapses under it.",
    ),
    Convention(
        name="mean over pixels, KL weight 0.00025",
        used_by="PyTorch-VAE's configurations",
        unit="nats",
        distortion_over="mean over pixels or tokens, mean over examples",
        rate_over="sum over dimensions, mean over examples",
        distortion_factor=lambda sizes: 1 / sizes.values,
        rate_factor=_one,
        rate_weight=lambda sizes: PYTORCH_VAE_WEIGHT,
        elbo_unit="nats per pixel or token",
        remark="There the distortion is a squared error: that of a Gaussian with variance 1/2, without its constant.",
    ),
    Convention(
        name="KL as a mean over dimensions",
        used_by="torch.mean over all of the KL's entries",
        unit="nats",
        distortion_over="sum over pixels or tokens, mean over examples",
        rate_over="mean over dimensions and examples",
        distortion_factor=_one,
        rate_factor=lambda sizes: 1 / sizes.dimensions,
        rate_weight=_one,
        remark="Another loss: its beta is one by the number of dimensions.",
    ),
    Convention(
        name="sum over the batch",
        used_by="PyTorch's VAE example, while it trains",
        unit="nats per batch",
        distortion_over="sum over pixels or tokens and over the batch",
        rate_over="sum over dimensions and over the batch",
        distortion_factor=lambda sizes: sizes.batch_size,
        rate_factor=lambda sizes: sizes.batch_size,
        rate_weight=_beta,
        remark="The same loss times the batch size: the learning rate of SGD, and a clip, mean something else.",
    ),
    Convention(
        name="bits",
        used_by="compression, and likelihoods of pictures",
        unit="bits per example",
        distortion_over="sum over pixels or tokens, mean over examples",
        rate_over="sum over dimensions, mean over examples",
        distortion_factor=lambda sizes: 1 / math.log(2),
        rate_factor=lambda sizes: 1 / math.log(2),
        rate_weight=_beta,
        remark="1 nat = 1.44 bits.",
    ),
)
CONVENTIONS_BY_NAME = {convention.name: convention for convention in CONVENTIONS}


def equivalent_beta(convention: Convention, sizes: Sizes) -> float:
    """Weight of the rate beside the distortion if both are summed, no unit: what this convention's loss amounts to.

    beta' = weight * rate factor / distortion factor.
    """
    weight, rate = convention.rate_weight(sizes), convention.rate_factor(sizes)
    return weight * rate / convention.distortion_factor(sizes)


def ledger(convention: Convention, distortion: float, rate: float, sizes: Sizes) -> list[LedgerLine]:
    """The loss and its parts from distortion and rate in nats per example, as this convention counts them."""
    cost, price = distortion * convention.distortion_factor(sizes), rate * convention.rate_factor(sizes)
    weight = convention.rate_weight(sizes)
    scale = convention.distortion_factor(sizes)
    return [
        LedgerLine(
            figure="distortion",
            definition="−E ln p(x|z), z drawn from q(z|x)",
            unit=convention.unit,
            over=convention.distortion_over,
            sign="lower is better",
            weight="1",
            value=cost,
        ),
        LedgerLine(
            figure="rate",
            definition="KL(q(z|x) ‖ p(z))",
            unit=convention.unit if convention.rate_factor(sizes) == scale else "nats",
            over=convention.rate_over,
            sign="≥ 0; a cost, and what the code may carry",
            weight=f"{weight:.6g}",
            value=price,
        ),
        LedgerLine(
            figure="loss",
            definition="distortion + weight · rate; what is minimised (without free bits)",
            unit=convention.unit,
            over="as its parts",
            sign="lower is better",
            weight="",
            value=cost + weight * price,
        ),
        LedgerLine(
            figure="ELBO",
            definition="−(distortion + rate), whatever the weight; the bound on ln p(x)",
            unit=convention.elbo_unit or convention.unit,
            over="as its parts",
            sign="higher is better",
            weight="not in the loss",
            value=-(distortion + rate) * scale,
        ),
    ]
