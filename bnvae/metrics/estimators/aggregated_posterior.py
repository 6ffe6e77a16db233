"""Where the aggregated posterior has mass, compared with the prior."""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from bnvae.nn.posterior import VARIANCE_FLOOR, Posterior

HOLE_RATIO = 100.0
"""A code lies in a hole where the prior's density is more than this many times the aggregated posterior's.

The one definition of all pages and figures. Not ten times: the mixture of N posteriors, the estimate of q(z), is itself
off by a factor of several wherever few of them reach, and would count those places."""
CHUNK_ROWS = 250
GROUPS = 20
"""parts of the examples, each left out once for the standard error"""


@final
@dataclass(frozen=True, kw_only=True)
class Holes:
    """How much of the prior lies in holes."""

    share: float
    """of prior draws, from 0 to 1"""
    standard_error: float | None
    """of that share, over the prior's draws and over the examples; none for a single draw or example"""


@torch.no_grad()
def log_aggregated_posterior(codes: Float[Tensor, "K D"], posterior: Posterior) -> Float[Tensor, "K"]:
    """ln q(z) of each code, q(z) the mixture of all N posteriors, in nats; fp64, since the squares below cancel."""
    found = [
        torch.logsumexp(_log_densities(part, posterior), 1) - math.log(len(posterior.mean))
        for part in torch.split(codes, CHUNK_ROWS)
    ]
    return torch.cat(found).float() if found else torch.empty(0)


def _log_densities(codes: Float[Tensor, "K D"], posterior: Posterior) -> Float[Tensor, "K N"]:
    """ln q(z|x) of each code under each posterior, in nats, fp64."""
    mean, std, z = posterior.mean.double(), posterior.std.double(), codes.double()
    precision = std.square().clamp_min(VARIANCE_FLOOR).reciprocal()
    # sum_d (z - m)^2 p = z^2 . p - 2 z . (m p) + m^2 . p: three matrix products instead of a K x N x D array.
    weighted = mean * precision
    constant = (mean * weighted).sum(1) - precision.log().sum(1) + mean.shape[1] * math.log(2 * math.pi)
    return -0.5 * (z.square() @ precision.T - 2 * z @ weighted.T + constant)


def log_prior(codes: Float[Tensor, "K D"]) -> Float[Tensor, "K"]:
    """ln p(z) of each code under N(0, 1), in nats."""
    return -0.5 * (codes.square().sum(1) + codes.shape[1] * math.log(2 * math.pi))


def in_holes(codes: Float[Tensor, "K D"], posterior: Posterior) -> Bool[Tensor, "K"]:
    """Which codes lie where the decoder is asked for examples that it was hardly trained on."""
    return log_prior(codes) - log_aggregated_posterior(codes, posterior) > math.log(HOLE_RATIO)


@torch.no_grad()
def holes(posterior: Posterior, prior_codes: Float[Tensor, "M D"]) -> Holes:
    """Share of draws from the prior that lie in holes, with its standard error.

    q(z) is the mixture of the N posteriors given. With N far below e^rate such a mixture has gaps that q(z) has not, so
    read it only where mutual information is well below ln N. The error adds the variance of a share of M draws to that
    over the examples, which 20 random groups tell, each left out once (delete-a-group jackknife; Kott 2001).
    """
    draws, count = len(prior_codes), len(posterior.mean)
    groups = min(GROUPS, count)
    group = torch.arange(count)[torch.randperm(count, generator=torch.Generator().manual_seed(0))] % groups
    sizes = torch.bincount(group, minlength=groups).double()
    whole, without = 0, torch.zeros(groups, dtype=torch.float64)
    for part in torch.split(prior_codes, CHUNK_ROWS):
        log_density, prior = _log_densities(part, posterior), log_prior(part.double())
        highest = log_density.amax(1, keepdim=True)
        of_groups = torch.zeros(len(part), groups, dtype=torch.float64)
        of_groups.index_add_(1, group, (log_density - highest).exp())
        level = prior - highest[:, 0] - math.log(HOLE_RATIO)
        total = of_groups.sum(1)
        whole += int((level > (total / count).log()).sum())
        # Of what is left no sum can be below nothing, but for rounding.
        left = (total[:, None] - of_groups).clamp_min(0)
        without += (level[:, None] > (left / (count - sizes)).log()).sum(0).double()
    share = whole / draws
    if draws < 2 or groups < 2:
        return Holes(share=share, standard_error=None)
    leaving = without / draws
    over_examples = (groups - 1) / groups * (leaving - leaving.mean()).square().sum().item()
    return Holes(share=share, standard_error=math.sqrt(share * (1 - share) / draws + over_examples))
