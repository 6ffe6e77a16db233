"""Figures of a model on a split: ELBO and its terms, active units, mutual information, moments."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.data.random_subset import random_subset
from bnvae.metrics.figures.example_figures import ExampleFigures
from bnvae.nn.posterior import Posterior
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import PosteriorStatistics, distortions, draw_codes, encode
from bnvae.training.mutual_information import information_bound, information_of_each, standard_error

MUTUAL_INFORMATION_EXAMPLES = 10_000
EXAMPLES_PER_REPORT = 2048
"""a whole number of chunks: the figures are the same as of all at once"""


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
    """N of that mixture, drawn at random: the estimate cannot exceed ln N"""
    mutual_information_bound: float
    """what it is at most, also where the estimate is capped: as if q(z) were a Gaussian of the same covariance"""
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


@torch.no_grad()
def posterior_figures(posterior: Posterior, codes: Float[Tensor, "N D"]) -> dict[str, Any]:
    """Those figures of an `Evaluation` that need no decoder, of posteriors and one code drawn from each."""
    statistics = PosteriorStatistics.of(posterior)
    rows = random_subset(len(codes), MUTUAL_INFORMATION_EXAMPLES)
    sample = Posterior(posterior.mean[rows], posterior.std[rows])
    each, influence = information_of_each(sample, codes[rows])
    information, sample_rates = each.mean().item(), _rates(sample)
    return {
        "examples": len(codes),
        "rate": statistics.kl_per_dimension.sum().item(),
        "rate_standard_error": standard_error(_rates(posterior)),
        "kl_per_dimension": statistics.kl_per_dimension.tolist(),
        "active_units": statistics.active_units,
        "mutual_information": information,
        "mutual_information_examples": len(rows),
        "mutual_information_bound": information_bound(posterior),
        "mutual_information_standard_error": standard_error(influence),
        "marginal_kl": sample_rates.mean().item() - information,
        # Of the difference: an example with a large rate has a large information as well.
        "marginal_kl_standard_error": standard_error(sample_rates - influence),
        "mean_second_moment_per_dimension": statistics.mean_second_moment.tolist(),
        "std_second_moment_per_dimension": statistics.std_second_moment.tolist(),
        "second_moment_per_dimension": (statistics.mean_second_moment + statistics.std_second_moment).tolist(),
    }
