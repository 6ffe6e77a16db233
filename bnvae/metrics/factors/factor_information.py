"""How much a single latent dimension tells of a known factor, noise and all: a matrix of dimensions and factors."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from bnvae.data.random_subset import random_subset
from bnvae.nn.posterior import Posterior

INTERVALS = 32
"""parts of a code's line, each with the same probability under the prior"""
NUMBER_BINS = 10
"""parts of a numeric factor's values, each with as many examples; a categorical one keeps its categories"""
SHUFFLES = 8
"""by default: one finds which factor is told best in a quarter of the time"""
MOST_EXAMPLES = 4_000
"""bounds the time: a factor's information is known to a few hundredths of a nat from these, drawn at random"""
SMALLEST_STD = 1e-6


@final
@dataclass(frozen=True, kw_only=True)
class FactorInformation:
    """Mutual information between z_d and factors, in nats, >= 0."""

    names: tuple[str, ...]
    information: Float[Tensor, "D F"]
    """what exceeds chance"""
    chance: Float[Tensor, "D F"]
    """what the same estimate finds when the factor's values are shuffled: subtracted above"""
    entropy: Float[Tensor, "F"]
    """of each factor, over the same examples: nothing can tell more"""
    examples: int


def factor_information(
    posterior: Posterior, factors: Mapping[str, Tensor], *, shuffles: int = SHUFFLES, seed: int = 0
) -> FactorInformation:
    """I(z_d; v) for z ~ q(z|x), each dimension and each factor v; whole numbers are categories, others are binned.

    The code's line is cut into 32 intervals, and an example counts in each by the probability that its posterior has
    there: nothing is drawn, the posterior's noise is counted in, and the estimate is at most the dimension's mean KL.
    Estimates on posterior means (Locatello et al. 2019, arXiv:1811.12359) are blind to a mean that moves by a
    hundredth of its std. The plug-in estimate is too high by chance; what shuffles find on average is subtracted.

    Raises:
        ValueError: a factor has not one value for each example.
    """
    count = len(posterior.mean)
    chosen = random_subset(count, MOST_EXAMPLES, seed=seed)
    mean, std = posterior.mean[chosen].double(), posterior.std[chosen].double().clamp_min(SMALLEST_STD)
    usable = (torch.isfinite(mean) & torch.isfinite(std)).all(1)
    categories = []
    for name, values in factors.items():
        if len(values) != count:
            raise ValueError(f"factor {name!r} has {len(values)} values for {count} examples: give one for each.")
        categories.append(_categories(values[chosen][usable]))
    mean, std = mean[usable], std[usable]
    dimensions, generator = mean.shape[1], torch.Generator().manual_seed(seed)
    found = torch.zeros(shuffles + 1, dimensions, len(factors), dtype=torch.float64)
    entropy = torch.zeros(len(factors), dtype=torch.float64)
    if len(mean):
        orders = [torch.arange(len(mean)), *(torch.randperm(len(mean), generator=generator) for _ in range(shuffles))]
        shares = [_shares(mean[:, d], std[:, d]) for d in range(dimensions)]
        for f, values in enumerate(categories):
            entropy[f] = -_plogp(torch.bincount(values).double() / len(values))
            for s, order in enumerate(orders):
                rows = values[order]
                found[s, :, f] = torch.stack([_information(share, rows) for share in shares])
    chance = found[1:].mean(0)
    return FactorInformation(
        names=tuple(factors),
        information=(found[0] - chance).clamp_min(0),
        chance=chance,
        entropy=entropy,
        examples=len(mean),
    )


def influences(
    posterior: Posterior, values: Tensor, dimensions: Sequence[int], *, seed: int = 0
) -> tuple[Float[Tensor, "K N"], Float[Tensor, "N"]]:
    """How much each example moves the information that these dimensions have of a factor, and the factor's entropy.

    In nats, with mean 0, of the examples that `factor_information` uses with the same seed. With shares s_b of an
    example whose factor is v, sum_b s_b ln [p(b, v) / p(b) p(v)] - I, and -ln p(v) - H; their deviations over sqrt(N)
    are standard errors.
    """
    chosen = random_subset(len(posterior.mean), MOST_EXAMPLES, seed=seed)
    mean, std = posterior.mean[chosen].double(), posterior.std[chosen].double().clamp_min(SMALLEST_STD)
    usable = (torch.isfinite(mean) & torch.isfinite(std)).all(1)
    causes = _categories(values[chosen][usable])
    marginal = torch.bincount(causes).double() / max(1, len(causes))
    surprise = -marginal.log()[causes]
    found = []
    for dimension in dimensions:
        shares = _shares(mean[usable, dimension], std[usable, dimension])
        joint = torch.zeros(len(marginal), shares.shape[1], dtype=torch.float64).index_add_(0, causes, shares)
        joint /= len(causes)
        ratio = joint.log() - marginal.log()[:, None] - joint.sum(0).log()
        # Where no example has a share the logarithm is not finite, and nothing is added.
        each = (shares * ratio.nan_to_num(0.0, 0.0, 0.0)[causes]).sum(1)
        found.append(each - each.mean())
    return torch.stack(found), surprise - surprise.mean()


def _shares(mean: Float[Tensor, "N"], std: Float[Tensor, "N"]) -> Float[Tensor, "N intervals"]:
    """Probability that each posterior has in each interval."""
    # The prior's quantiles: sqrt(2) erfinv(2p - 1).
    edges = math.sqrt(2) * torch.erfinv(2 * torch.arange(1, INTERVALS, dtype=torch.float64) / INTERVALS - 1)
    below = 0.5 * (1 + torch.erf((edges - mean[:, None]) / (std[:, None] * math.sqrt(2))))
    return torch.diff(below, dim=1, prepend=torch.zeros(len(mean), 1), append=torch.ones(len(mean), 1))


def _information(shares: Float[Tensor, "N intervals"], values: Int[Tensor, "N"]) -> Float[Tensor, ""]:
    joint = torch.zeros(int(values.max()) + 1, shares.shape[1], dtype=torch.float64)
    joint.index_add_(0, values, shares)
    joint /= len(values)
    return _plogp(joint) - _plogp(joint.sum(0)) - _plogp(joint.sum(1))


def _plogp(probabilities: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """Sum of p ln p, 0 where p is 0."""
    return torch.xlogy(probabilities, probabilities).sum()


def _categories(values: Tensor) -> Int[Tensor, "N"]:
    if not (values.is_floating_point() and len(values)):
        distinct: tuple[Tensor, Tensor] = torch.unique(values, return_inverse=True)
        return distinct[1]
    cuts = torch.quantile(values.double(), torch.linspace(0, 1, NUMBER_BINS + 1, dtype=torch.float64)[1:-1])
    return torch.searchsorted(cuts, values.double().contiguous(), right=True)
