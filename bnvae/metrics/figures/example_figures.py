"""Figures of single test examples, and the difference of two runs on the same ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bnvae.data.random_subset import random_subset

MOST_EXAMPLES = 50_000
"""whose figures are kept: a run's folder stays small"""
FEW_SEEDS = {2: 4.303, 3: 2.776, 4: 2.447, 5: 2.306, 6: 2.228, 7: 2.179, 8: 2.145}
"""97.5 % quantile of Student's t with 2 (seeds - 1) degrees of freedom, by the number of seeds of a side"""
PAIRED = ("elbo", "distortion", "rate", "nll")
"""figures that are means over examples, and kept for each of them"""


@final
@dataclass(frozen=True, kw_only=True)
class ExampleFigures:
    """Distortion, rate and, where it was computed, NLL of single examples of a split, nats."""

    rows: Int64[Tensor, "N"]
    """numbers of the examples in their split, rising"""
    distortion: Float[Tensor, "N"]
    """-ln p(x|z), one draw of z an example"""
    rate: Float[Tensor, "N"]
    """KL(q(z|x) || p(z))"""
    nll_rows: Int64[Tensor, "M"] | None = None
    """of the examples with an NLL, rising; None where none was computed"""
    nll: Float[Tensor, "M"] | None = None
    """bound on -ln p(x), as the thorough figures have it"""

    def of(self, name: str) -> tuple[Int64[Tensor, "K"], Float[Tensor, "K"]] | None:
        """Rows and values of one of `PAIRED`; None where it was not computed."""
        if name == "nll":
            return None if self.nll is None or self.nll_rows is None else (self.nll_rows, self.nll)
        values = {"distortion": self.distortion, "rate": self.rate, "elbo": -(self.distortion + self.rate)}
        return self.rows, values[name]

    def bounded(self) -> "ExampleFigures":
        """These figures of at most 50,000 examples: a random subset, the same one for every run on the same data."""
        kept = random_subset(len(self.rows), MOST_EXAMPLES)
        found = replace(self, rows=self.rows[kept], distortion=self.distortion[kept], rate=self.rate[kept])
        if self.nll is not None and self.nll_rows is not None:
            kept = random_subset(len(self.nll_rows), MOST_EXAMPLES)
            found = replace(found, nll_rows=self.nll_rows[kept], nll=self.nll[kept])
        return found


@final
@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far a figure of one run is above that of another, in the figure's unit."""

    mean: float
    """the first run's figure minus the second's"""
    standard_error: float | None
    """of that mean; None where too little is known of the two figures"""
    examples: int = 0
    """pairs of one test example that it was taken from; 0 if it was not taken from pairs"""
    seeds: int = 0
    """seeds whose spread is in the error, the smaller number of the two sides that have several; 0 for none"""

    @property
    def is_clear(self) -> bool:
        """Whether it is known to be more than two standard errors from nothing, or more of them with few seeds."""
        return self.standard_error is not None and abs(self.mean) > errors_needed(self.seeds) * self.standard_error


def errors_needed(seeds: int) -> float:
    """Standard errors beyond which a difference is clear: two, or Student's t at 95 % where few seeds tell a spread."""
    return FEW_SEEDS.get(seeds, 2.0)


def paired_difference(
    first: Sequence[ExampleFigures], second: Sequence[ExampleFigures], name: str
) -> Difference | None:
    """Mean over the examples that both have of first - second, with the standard error of that mean.

    Each side is one run, or several whose figures are averaged example by example. None with fewer than two shared
    examples. What makes an example hard for both cancels, so the error is smaller than that of two separate means.
    """
    ours, theirs = _averaged(first, name), _averaged(second, name)
    if ours is None or theirs is None:
        return None
    mine, other = torch.isin(ours[0], theirs[0]), torch.isin(theirs[0], ours[0])
    difference = ours[1][mine] - theirs[1][other]
    if len(difference) < 2:
        return None
    error = difference.std(correction=1).item() / math.sqrt(len(difference))
    return Difference(mean=difference.mean().item(), standard_error=error, examples=len(difference))


def _averaged(runs: Sequence[ExampleFigures], name: str) -> tuple[Int64[Tensor, "K"], Float[Tensor, "K"]] | None:
    """Rows that all of the runs have, and the mean of their figures of each."""
    found = [figures for run in runs if (figures := run.of(name)) is not None]
    if len(found) < len(runs) or not runs:
        return None
    rows = found[0][0]
    for others, _ in found[1:]:
        rows = rows[torch.isin(rows, others)]
    return rows, torch.stack([values[torch.isin(own, rows)].double() for own, values in found]).mean(0)
