"""The log-likelihood of a split by importance sampling: a tighter bound than the ELBO, with its standard error."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.nn.posterior import VARIANCE_FLOOR, Posterior
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import distortions, encode
from bnvae.training.mutual_information import standard_error
from bnvae.training.sampler import in_chunks, mix

MOST_SAMPLES = 100_000
ROWS_AT_ONCE = 4096
"""repeated examples at a time: bounds memory whatever K, and the time between two words of progress"""
NESTED_SAMPLES = (1, 5, 10, 50, 100, 500, 1000, 5000)
"""the same draws give the bound for each of these K below the one asked for"""

Progress = Callable[[str, float], None]
"""what is being computed, and which share of it is done; may raise to end it"""


def silent(what: str, share: float) -> None: ...


@final
@dataclass(frozen=True, kw_only=True)
class ImportanceSampling:
    """-ln p(x) of a split, estimated from K draws of z for each example."""

    importance_samples: int
    """K, draws of z from the posterior for each example"""
    nll: float
    """-E ln [1/K sum_k p(x|z_k) p(z_k) / q(z_k|x)], nats per example; at most -ELBO, at least -ln p(x), on average"""
    nll_standard_error: float | None
    """of that mean over the examples (nats per example); none for one example"""
    nll_by_samples: dict[str, float]
    """the same bound from the first K draws, by K; where it still falls, K is too small"""
    effective_samples: float
    """(sum w)^2 / sum w^2 of the K weights, mean over examples: from 1 to K; near 1 the bound is loose"""


@torch.no_grad()
def importance_sampled_nll(
    model: VAE,
    examples: Tensor,
    samples: int,
    *,
    seed: int = 0,
    progress: Progress = silent,
    rows_at_once: int = ROWS_AT_ONCE,
) -> ImportanceSampling:
    """The figures of `importance_sampled_nlls`, averaged over the examples."""
    return importance_sampled_nlls(model, examples, samples, seed=seed, progress=progress, rows_at_once=rows_at_once)[0]


@torch.no_grad()
def importance_sampled_nlls(
    model: VAE,
    examples: Tensor,
    samples: int,
    *,
    seed: int = 0,
    progress: Progress = silent,
    rows_at_once: int = ROWS_AT_ONCE,
) -> tuple[ImportanceSampling, Float[Tensor, "N"]]:
    """The importance-weighted bound of Burda et al. 2016, arXiv:1509.00519, on -ln p(x), in eval mode; also of each.

    The proposal is the posterior, its std at least 1e-4 so that it has a density. An example's draws depend on the
    seed and its position alone, so the result does not depend on how it is batched.

    Raises:
        ValueError: there are no examples, or K is not from 1 to 100,000.
    """
    check_samples(samples)
    if len(examples) < 1:
        raise ValueError("the split is empty: there is nothing to evaluate.")
    parts = []
    for first, chunk, posterior in _posteriors(model, examples, max(1, rows_at_once // samples)):
        parts.append(_log_weights(model, chunk, posterior, _noise(posterior, samples, seed, first), rows_at_once))
        progress(f"importance sampling, K = {samples}", (first + len(chunk)) / len(examples))
    return _summarised(torch.cat(parts))


def check_samples(samples: int) -> None:
    """Raises ValueError unless K is from 1 to 100,000."""
    if not 1 <= samples <= MOST_SAMPLES:
        raise ValueError(f"samples is {samples}: give 1 to {MOST_SAMPLES:,} draws of z an example; papers use 500.")


def _posteriors(model: VAE, examples: Tensor, size: int) -> Iterator[tuple[int, Tensor, Posterior]]:
    first = 0
    for chunk in in_chunks(examples, size):
        posterior = encode(model, chunk)
        yield first, chunk, Posterior(posterior.mean, posterior.std.clamp_min(VARIANCE_FLOOR**0.5))
        first += len(chunk)


def _noise(posterior: Posterior, samples: int, seed: int, first: int) -> Float[Tensor, "B K D"]:
    dimensions = posterior.mean.shape[1]
    generator = torch.Generator()
    return torch.stack(
        [
            torch.randn(samples, dimensions, generator=generator.manual_seed(mix(seed, 5, first + row)))
            for row in range(len(posterior.mean))
        ]
    )


def _log_weights(
    model: VAE, examples: Tensor, posterior: Posterior, noise: Float[Tensor, "B K D"], rows: int
) -> Float[Tensor, "B K"]:
    """ln p(x|z) + ln p(z) - ln q(z|x) of each example and draw, in fp64."""
    count, samples, dimensions = noise.shape
    z = posterior.mean[:, None] + posterior.std[:, None] * noise
    wide_z, wide_noise, log_std = z.double(), noise.double(), posterior.std.double().log()
    # The two Gaussians' constants are the same and cancel.
    prior_over_posterior = 0.5 * (wide_noise.square() - wide_z.square()).sum(2) + log_std.sum(1, keepdim=True)
    codes, which = z.view(-1, dimensions), torch.arange(count).repeat_interleave(samples)
    costs = [
        distortions(model, examples[which[part]], codes[part]) for part in torch.split(torch.arange(len(codes)), rows)
    ]
    return prior_over_posterior - torch.cat(costs).double().view(count, samples)


def _summarised(log_weights: Float[Tensor, "N K"]) -> tuple[ImportanceSampling, Float[Tensor, "N"]]:
    samples = log_weights.shape[1]
    bound = -log_mean_exp(log_weights)
    effective = (2 * torch.logsumexp(log_weights, 1) - torch.logsumexp(2 * log_weights, 1)).exp()
    nested = [k for k in NESTED_SAMPLES if k < samples] + [samples]
    found = ImportanceSampling(
        importance_samples=samples,
        nll=bound.mean().item(),
        nll_standard_error=standard_error(bound),
        nll_by_samples={str(k): -log_mean_exp(log_weights[:, :k]).mean().item() for k in nested},
        effective_samples=effective.mean().item(),
    )
    return found, bound


def log_mean_exp(values: Float[Tensor, "N K"]) -> Float[Tensor, "N"]:
    """ln of the mean of exp(values) over the last dimension, without overflow."""
    return torch.logsumexp(values, 1) - math.log(values.shape[1])
