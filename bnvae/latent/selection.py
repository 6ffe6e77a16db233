"""What tells some of the examples from the rest, in their codes."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor


@final
@dataclass(frozen=True, kw_only=True)
class Difference:
    """Chosen codes against all others; codes that are not finite count on neither side."""

    mean: Float[Tensor, "D"]
    """of the chosen codes"""
    direction: Float[Tensor, "D"]
    """mean of the chosen minus mean of the rest; 0 where one side is empty"""
    effect: Float[Tensor, "D"]
    """the direction in standard deviations within the two groups, any sign; Cohen 1988's d"""
    chosen: int
    rest: int

    @property
    def order(self) -> list[int]:
        """Dimensions, the one that tells most first."""
        found: list[int] = self.effect.abs().argsort(descending=True, stable=True).tolist()
        return found


def difference(codes: Float[Tensor, "N D"], rows: Tensor) -> Difference:
    """What tells the codes of these rows from the others.

    effect_d = direction_d / s_d, s_d^2 the variances within both groups, pooled.

    Raises:
        ValueError: none of the rows has a finite code.
    """
    finite = torch.isfinite(codes).all(1)
    is_chosen = torch.zeros(len(codes), dtype=torch.bool)
    is_chosen[rows] = True
    chosen, rest = codes[is_chosen & finite].double(), codes[~is_chosen & finite].double()
    if not len(chosen):
        raise ValueError("rows holds no example with a finite code: choose others.")
    mean = chosen.mean(0)
    direction = mean - rest.mean(0) if len(rest) else torch.zeros_like(mean)
    squares = (chosen - mean).square().sum(0)
    if len(rest):
        squares = squares + (rest - rest.mean(0)).square().sum(0)
    within = (squares / max(1, len(chosen) + len(rest) - 2)).sqrt()
    effect = torch.where(within > 0, direction / within.clamp_min(1e-300), torch.zeros_like(direction))
    return Difference(
        mean=mean.float(), direction=direction.float(), effect=effect.float(), chosen=len(chosen), rest=len(rest)
    )


def separation(found: Difference, std: Float[Tensor, "N D"]) -> float:
    """How far the chosen codes' middle lies from the rest's as a posterior sees it, in nats, >= 0.

    KL(N(m_chosen, s^2) || N(m_rest, s^2)) = sum_d direction_d^2 / (2 s_d^2), s_d^2 the mean variance of the posteriors:
    what one draw of z tells, at most, of the side it is drawn from. Near 0 the two sides are one to the decoder,
    however well their means can be told apart.
    """
    variance = std[torch.isfinite(std).all(1)].double().square().mean(0)
    return float((found.direction.double().square() / (2 * variance.clamp_min(1e-12))).sum())
