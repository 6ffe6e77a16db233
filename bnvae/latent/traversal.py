"""Moving one coordinate of a latent code at a time: which of them does anything to what is decoded?"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from bnvae.metrics.estimators.permutation import SAME_GREY_LEVELS


def by_kl(kl: Sequence[float]) -> list[int]:
    """The dimensions from the largest KL to the smallest, equal ones in order; what is not a number comes last."""
    return sorted(range(len(kl)), key=lambda dimension: (math.isnan(kl[dimension]), -kl[dimension]))


def steps(reach: float, count: int) -> list[float]:
    """`count` evenly spaced values from -reach to reach, in prior standard deviations."""
    if count < 2:
        raise ValueError(f"count is {count}: give at least 2, the two ends.")
    return [reach * (2 * step / (count - 1) - 1) for step in range(count)]


def traverse(
    code: Float[Tensor, "D"], dimensions: Sequence[int], values: Sequence[float]
) -> Float[Tensor, "rows values D"]:
    """Copies of one code: row r, column v has `values[v]` (prior std) at `dimensions[r]` and all else as it was."""
    codes = code.repeat(len(dimensions), len(values), 1)
    for row, dimension in enumerate(dimensions):
        codes[row, :, dimension] = torch.tensor(values, dtype=code.dtype)
    return codes


def picture_change(
    pictures: UInt8[Tensor, "rows values C H W"], start: UInt8[Tensor, "C H W"]
) -> Float[Tensor, "rows"]:
    """Mean distance of each row's pixels from those of the starting picture, in grey levels of 0 to 255, >= 0."""
    return (pictures.float() - start.float()).abs().mean((1, 2, 3, 4))


def is_seen(pictures: UInt8[Tensor, "rows values C H W"], start: UInt8[Tensor, "C H W"]) -> Bool[Tensor, "rows"]:
    """Whether some pixel of a row differs from the starting picture's by more than the eye takes for the same."""
    return (pictures.int() - start.int()).abs().amax((1, 2, 3, 4)) > SAME_GREY_LEVELS
