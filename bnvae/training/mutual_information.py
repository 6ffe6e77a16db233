"""Whether codes tell examples apart, and whether the decoder reads them: two figures that a KL alone can't give."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from bnvae.nn.posterior import VARIANCE_FLOOR, Posterior
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import distortions
from bnvae.training.sampler import mix

MIXTURE_ROWS = 32
"""codes compared with the whole mixture at a time: few enough to stay in a processor's cache (measured: with 500 half
as fast)"""
LOWEST_FP32_EXPONENT = -87.0


@torch.no_grad()
def mutual_information(posterior: Posterior, codes: Float[Tensor, "N D"]) -> float:
    """I(x; z) under q in nats: mean of ln q(z_i|x_i) - ln q(z_i), with q(z) the mixture of all N posteriors.

    At most ln N; Hoffman & Johnson 2016 ("ELBO surgery"). fp64, since the squares below cancel.
    """
    return information_of_each(posterior, codes)[0].mean().item()


@torch.no_grad()
def information_of_each(
    posterior: Posterior, codes: Float[Tensor, "N D"]
) -> tuple[Float[Tensor, "N"], Float[Tensor, "N"]]:
    """ln q(z_i|x_i) - ln q(z_i) of each example, whose mean is `mutual_information`, and its influence on that mean.

    An example counts in its own term and in every mixture. With weights w_k for the examples, the derivative of
    sum_i w_i (ln q_ii - ln sum_j w_j q_ij) by w_k at 1/N is term_k - sum_i q_ik / sum_j q_ij: the influence (nats).
    The deviation of the influences over sqrt(N) is the estimate's standard error (infinitesimal jackknife; Efron 1982).
    """
    terms, counted = [], torch.zeros(len(codes), dtype=torch.float64)
    for first, log_density in _log_densities(posterior, codes):
        rows = torch.arange(len(log_density))
        highest, scaled, total = _scaled(log_density)
        terms.append(log_density[rows, first + rows] - highest - (total.double() / len(codes)).log())
        counted += (total.reciprocal() @ scaled).double()
    each = torch.cat(terms)
    return each, each - counted


def _log_densities(posterior: Posterior, codes: Float[Tensor, "M D"]) -> Iterator[tuple[int, Float[Tensor, "rows N"]]]:
    """ln q(z_m|x_n) without its constant -D/2 ln 2 pi, some rows at a time, each with the number of its first."""
    mean, std, z = posterior.mean.double(), posterior.std.double(), codes.double()
    # The KL's floor, so that rate - information is a KL; below it the products would cancel to noise.
    precision = std.square().clamp_min(VARIANCE_FLOOR).reciprocal()
    # sum_d (z - m)^2 p = z^2 . p - 2 z . (m p) + m^2 . p: one matrix product, of (z^2, z) with (-p / 2, m p), instead
    # of an N x N x D array.
    weighted = mean * precision
    constant = -0.5 * ((mean * weighted).sum(1) - precision.log().sum(1))
    factors = torch.cat([-0.5 * precision, weighted], 1).T.contiguous()
    for first in range(0, len(z), MIXTURE_ROWS):
        part = z[first : first + MIXTURE_ROWS]
        yield first, torch.addmm(constant, torch.cat([part.square(), part], 1), factors)


def _scaled(
    values: Float[Tensor, "rows N"],
) -> tuple[Float[Tensor, "rows"], Float[Tensor, "rows N"], Float[Tensor, "rows"]]:
    """The largest value v of each row, exp(value - v), and the sum of these over the row: ln of it to 1e-6.

    fp64 but for the exponentials, of differences that were taken in fp64: all of it in fp64 takes nearly twice as long
    (measured).
    """
    highest = values.amax(1, keepdim=True)
    # Below the limit fp32 has denormal numbers only, ten times as slow and nothing beside the largest, 1.
    scaled = (values - highest).float().clamp_min_(LOWEST_FP32_EXPONENT).exp_()
    return highest[:, 0], scaled, scaled.sum(1)


@torch.no_grad()
def information_bound(posterior: Posterior) -> float:
    """What I(x; z) under q is at most (nats), whatever ln N is: by the entropy of a Gaussian with q(z)'s covariance.

    h(z) <= ln det(2 pi e Cov z) / 2 with Cov z = Cov mean + E diag std^2, and I = h(z) - h(z|x). The logarithm of the
    determinant of a covariance estimated from N examples is too small by about D (D + 1) / (2 N), which is added.
    """
    mean, variance = posterior.mean.double(), posterior.std.double().square().clamp_min(VARIANCE_FLOOR)
    count, dimensions = mean.shape
    centred = mean - mean.mean(0)
    covariance = centred.T @ centred / count + torch.diag(variance.mean(0))
    wide: float = torch.linalg.slogdet(covariance).logabsdet.item()
    narrow: float = variance.log().sum(1).mean().item()
    return (wide - narrow) / 2 + dimensions * (dimensions + 1) / (4 * count)


@final
@dataclass(frozen=True, kw_only=True)
class PermutedRise:
    """What it costs to decode each example from the code of another one."""

    permuted_rise: float | None
    """mean of -ln p(x|z of another example) + ln p(x|z), nats per example; about 0 where z is ignored; none for one"""
    permuted_rise_standard_error: float | None
    """of that mean over the examples (nats per example)"""


@torch.no_grad()
def rise_if_permuted(
    model: VAE,
    examples: Tensor,
    codes: Float[Tensor, "N D"],
    own_distortions: Float[Tensor, "N"],
    *,
    seed: int = 0,
) -> PermutedRise:
    """Rise of the distortion when each example is decoded from the code of another one, in eval mode.

    `own_distortions` are those of the examples given their own `codes` (nats), which are not computed again.
    """
    if len(examples) < 2:
        return PermutedRise(permuted_rise=None, permuted_rise_standard_error=None)
    others = codes[_derangement(len(codes), seed)]
    rise = distortions(model, examples, others).double() - own_distortions.double()
    return PermutedRise(permuted_rise=rise.mean().item(), permuted_rise_standard_error=standard_error(rise))


def _derangement(count: int, seed: int) -> Int[Tensor, "N"]:
    """A random cycle through all positions: each goes to another."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(mix(seed, 6)))
    partner = torch.empty_like(order)
    partner[order] = order.roll(1)
    return partner


def standard_error(values: Float[Tensor, "N"]) -> float | None:
    """Standard error of the mean of independent values, in their unit; none for a single one."""
    if len(values) < 2:
        return None
    return values.double().std(correction=1).item() / math.sqrt(len(values))
