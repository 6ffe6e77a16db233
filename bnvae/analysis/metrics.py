"""Figures of a model on a split: ELBO and its terms, active units, mutual information, moments."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.analysis.example_figures import ExampleFigures
from bnvae.evaluation import PosteriorStatistics, distortions, draw_codes, encode
from bnvae.model import VAE
from bnvae.posterior import VARIANCE_FLOOR, Posterior

MUTUAL_INFORMATION_EXAMPLES = 10_000
MIXTURE_ROWS = 32
"""codes compared with the whole mixture at a time: few enough to stay in a processor's cache (measured: with 500 half
as fast)"""
EXAMPLES_PER_REPORT = 2048
"""a whole number of chunks: the figures are the same as of all at once"""
LOWEST_FP32_EXPONENT = -87.0


@final
@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Averages over the examples of a split, in eval mode; nats per example unless a comment says otherwise."""

    examples: int
    """examples averaged over"""
    tau: float | None
    """share of the second moment that the posterior mean is given; None without a Scaler"""
    elbo: float
    """-(distortion + rate), higher is better; one draw of z an example"""
    elbo_standard_error: float | None
    """of that mean over the examples, each with its own draw; none for one example"""
    distortion: float
    """-E ln p(x|z), summed over pixels or tokens"""
    distortion_standard_error: float | None
    """of that mean over the examples; none for one example"""
    rate: float
    """KL(q(z|x) || p(z)), summed over dimensions"""
    rate_standard_error: float | None
    """of that mean over the examples; none for one example"""
    kl_per_dimension: list[float]
    active_units: int
    """dimensions whose posterior mean has a variance of at least 0.01"""
    mutual_information: float
    """between x and z under q, estimated against the mixture of `mutual_information_examples` posteriors"""
    mutual_information_examples: int
    """N of that mixture: the estimate cannot exceed ln N"""
    mutual_information_standard_error: float | None
    """of the estimate over examples and their draws of z, by its influence function; none for one example"""
    marginal_kl: float
    """KL(q(z) || p(z)) = rate - mutual information, on the same examples"""
    marginal_kl_standard_error: float | None
    """of that difference over examples and their draws of z; none for one example"""
    mean_second_moment_per_dimension: list[float]
    """E[mean_d^2]"""
    std_second_moment_per_dimension: list[float]
    """E[std_d^2]"""
    second_moment_per_dimension: list[float]
    """E[mean_d^2 + std_d^2]; the prior's is 1"""

    def to_dict(self) -> dict[str, object]:
        return dataclasses.asdict(self)


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


def evaluate(
    model: VAE,
    examples: Tensor,
    *,
    seed: int = 0,
    tau: float | None = None,
    progress: Callable[[float], object] = lambda share: None,
) -> Evaluation:
    """All figures of one split, at the model's own tau unless one is given.

    The head must hold the moments of the training set (`recompute_statistics`). `progress` is told the share done, from
    0 to 1, and may raise to end it.
    """
    return evaluate_each(model, examples, seed=seed, tau=tau, progress=progress)[0]


@torch.no_grad()
def evaluate_each(
    model: VAE,
    examples: Tensor,
    *,
    seed: int = 0,
    tau: float | None = None,
    progress: Callable[[float], object] = lambda share: None,
) -> tuple[Evaluation, ExampleFigures]:
    """The figures of one split as `evaluate` gives them, and distortion and rate of each of its examples."""
    if len(examples) < 1:
        raise ValueError("the split is empty: there is nothing to evaluate.")
    posterior = encode(model, examples, tau)
    codes = draw_codes(posterior, seed)
    parts = []
    for first in range(0, len(examples), EXAMPLES_PER_REPORT):
        progress(first / len(examples))
        part = slice(first, first + EXAMPLES_PER_REPORT)
        parts.append(distortions(model, examples[part], codes[part], tau))
    each, rates = torch.cat(parts).double(), _rates(posterior)
    distortion, known = each.mean().item(), posterior_figures(posterior, codes)
    evaluation = Evaluation(
        **known,
        tau=model.tau if tau is None else tau,
        elbo=-(distortion + known["rate"]),
        # Of each example's sum: its distortion and its KL go together, so the errors of the two don't add up to it.
        elbo_standard_error=standard_error(each + rates),
        distortion=distortion,
        distortion_standard_error=standard_error(each),
    )
    return evaluation, ExampleFigures(rows=torch.arange(len(each)), distortion=each, rate=rates)


def _rates(posterior: Posterior) -> Float[Tensor, "N"]:
    """KL(q(z|x) || p(z)) of each example, in nats, fp64."""
    return posterior.kl_per_dimension().double().sum(1)


def standard_error(values: Float[Tensor, "N"]) -> float | None:
    """Standard error of the mean of independent values, in their unit; none for a single one."""
    if len(values) < 2:
        return None
    return values.double().std(correction=1).item() / math.sqrt(len(values))


@torch.no_grad()
def posterior_figures(posterior: Posterior, codes: Float[Tensor, "N D"]) -> dict[str, Any]:
    """Those figures of an `Evaluation` that need no decoder, of posteriors and one code drawn from each."""
    statistics = PosteriorStatistics.of(posterior)
    count = min(len(codes), MUTUAL_INFORMATION_EXAMPLES)
    sample = Posterior(posterior.mean[:count], posterior.std[:count])
    each, influence = information_of_each(sample, codes[:count])
    information, sample_rates = each.mean().item(), _rates(sample)
    return {
        "examples": len(codes),
        "rate": statistics.kl_per_dimension.sum().item(),
        "rate_standard_error": standard_error(_rates(posterior)),
        "kl_per_dimension": statistics.kl_per_dimension.tolist(),
        "active_units": statistics.active_units,
        "mutual_information": information,
        "mutual_information_examples": count,
        "mutual_information_standard_error": standard_error(influence),
        "marginal_kl": sample_rates.mean().item() - information,
        # Of the difference: an example with a large rate has a large information as well.
        "marginal_kl_standard_error": standard_error(sample_rates - influence),
        "mean_second_moment_per_dimension": statistics.mean_second_moment.tolist(),
        "std_second_moment_per_dimension": statistics.std_second_moment.tolist(),
        "second_moment_per_dimension": (statistics.mean_second_moment + statistics.std_second_moment).tolist(),
    }
