"""How well single latent dimensions stand for the known causes of made-up data."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

CODE_BINS = 20
"""equal parts of the range of a dimension's codes; Locatello et al. 2019, arXiv:1811.12359"""
NUMBER_BINS = 10
"""equal parts of a numeric factor's range; a categorical one keeps its categories"""


@final
@dataclass(frozen=True, kw_only=True)
class FactorGap:
    """How one known factor is spread over the dimensions."""

    gap: float
    """information of the best dimension minus that of the second, by the factor's entropy: 0 to 1, no unit"""
    best_dimension: int
    information: float
    """mutual information between the factor and the best dimension (nats)"""
    entropy: float
    """of the factor (nats)"""


def factor_gaps(
    codes: Float[Tensor, "N D"], factors: Mapping[str, Float[Tensor, "N"] | Int[Tensor, "N"]]
) -> dict[str, FactorGap]:
    """The mutual information gap of each factor; Chen et al. 2018, arXiv:1802.04942. Factors that never vary are out.

    On one draw of z an example: the means alone would credit a collapsed dimension with what its noise hides. Plug-in
    estimates in 20 bins, so upwards biased by about (20 - 1)(values - 1) / 2N nats.
    """
    if len(codes) < 2:
        return {}
    columns = [_binned(column, CODE_BINS) for column in codes.double().T]
    found = {}
    for name, values in factors.items():
        causes = _categories(values)
        entropy = _entropy(torch.bincount(causes))
        if not entropy > 0:
            continue
        information = [_information(column, causes) for column in columns]
        ranked = sorted(range(len(columns)), key=lambda dimension: -information[dimension])
        second = information[ranked[1]] if len(ranked) > 1 else 0.0
        best = information[ranked[0]]
        found[name] = FactorGap(
            gap=(best - second) / entropy, best_dimension=ranked[0], information=best, entropy=entropy
        )
    return found


def mutual_information_gap(gaps: Mapping[str, FactorGap]) -> float | None:
    """Mean gap over the factors, 0 to 1, no unit; none where no factor is known."""
    return sum(each.gap for each in gaps.values()) / len(gaps) if gaps else None


def _categories(values: Tensor) -> Int[Tensor, "N"]:
    if values.is_floating_point():
        return _binned(values.double(), NUMBER_BINS)
    return values.long() - int(values.min())


def _binned(values: Float[Tensor, "N"], bins: int) -> Int[Tensor, "N"]:
    low, high = values.min(), values.max()
    if not high > low:
        return torch.zeros(len(values), dtype=torch.long)
    return ((values - low) / (high - low) * bins).long().clamp_max(bins - 1)


def _information(code: Int[Tensor, "N"], causes: Int[Tensor, "N"]) -> float:
    width = int(causes.max()) + 1
    joint = torch.bincount(code * width + causes)
    return max(0.0, _entropy(torch.bincount(code)) + _entropy(torch.bincount(causes)) - _entropy(joint))


def _entropy(counts: Int[Tensor, "bins"]) -> float:
    total = int(counts.sum())
    shares: list[float] = [count / total for count in counts.tolist() if count]
    return -sum(share * math.log(share) for share in shares)
