"""How well single latent dimensions stand for the known causes of made-up data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.metrics.factors.factor_information import factor_information, influences
from bnvae.nn.posterior import Posterior
from bnvae.training.mutual_information import standard_error


@final
@dataclass(frozen=True, kw_only=True)
class FactorGap:
    """How one known factor is spread over the dimensions."""

    gap: float
    """information of the best dimension minus that of the second, by the factor's entropy: 0 to 1, no unit"""
    gap_standard_error: float | None
    """of the gap over the examples; none for one example"""
    best_dimension: int
    information: float
    """mutual information between the factor and the best dimension, chance subtracted (nats)"""
    information_standard_error: float | None
    """of it over the examples (nats); none for one example"""
    entropy: float
    """of the factor (nats)"""


@final
@dataclass(frozen=True, kw_only=True)
class FactorGaps:
    """The gap of each factor, and their mean."""

    each: Mapping[str, FactorGap]
    mutual_information_gap: float | None
    """mean gap over the factors, 0 to 1, no unit; none where no factor is known"""
    mutual_information_gap_standard_error: float | None
    """of that mean over the examples: the influences of one example on several gaps are correlated"""


def factor_gaps(posterior: Posterior, factors: Mapping[str, Tensor]) -> FactorGaps:
    """The mutual information gap of each factor; Chen et al. 2018, arXiv:1802.04942. Factors that never vary are out.

    Of z ~ q(z|x), its noise counted in, and corrected for chance: see `factor_information`. A dimension that tells
    nothing has 0 nats, and a factor that none tells a gap of 0. Standard errors are those of the plug-in estimate, by
    its influence function, for the two dimensions that are ahead.
    """
    if len(posterior.mean) < 2 or not factors:
        return FactorGaps(each={}, mutual_information_gap=None, mutual_information_gap_standard_error=None)
    known = factor_information(posterior, factors)
    found: dict[str, FactorGap] = {}
    parts: list[Float[Tensor, "N"]] = []
    for index, name in enumerate(known.names):
        entropy, information = known.entropy[index].item(), known.information[:, index]
        if not entropy > 0:
            continue
        ranked = torch.argsort(information, descending=True, stable=True)[:2].tolist()
        own, of_entropy = influences(posterior, factors[name], ranked)
        best, second = information[ranked[0]].item(), information[ranked[1]].item() if len(ranked) > 1 else 0.0
        ahead = own[0] - own[1] if len(ranked) > 1 else own[0]
        gap = (best - second) / entropy
        part = (ahead - gap * of_entropy) / entropy  # of a ratio
        parts.append(part)
        found[name] = FactorGap(
            gap=gap,
            gap_standard_error=standard_error(part),
            best_dimension=ranked[0],
            information=best,
            information_standard_error=standard_error(own[0]),
            entropy=entropy,
        )
    return FactorGaps(
        each=found,
        mutual_information_gap=sum(one.gap for one in found.values()) / len(found) if found else None,
        mutual_information_gap_standard_error=standard_error(torch.stack(parts).mean(0)) if parts else None,
    )
