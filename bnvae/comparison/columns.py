"""Runs beside each other: which figures, in which unit and reduction, and what may be compared."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any, Literal, final

from bnvae.metrics.diagnostics.code_use import CAPPED_NATS, why_unused
from bnvae.metrics.figures.example_figures import ExampleFigures
from bnvae.metrics.figures.figure_values import in_digits, number


@final
@dataclass(frozen=True, kw_only=True)
class Column:
    """One figure of test examples."""

    name: str
    """as the figures and the glossary call it"""
    title: str
    unit: str
    """empty for none"""
    reduction: str
    better: Literal["low", "high", ""] = ""
    """empty where neither is better as such"""
    digits: int = 2
    thorough: bool = False
    """computed only with importance samples"""
    error: str = ""
    """name of its standard error"""
    decided_by: str = ""
    """the figure that this one only restates: the same runs are best"""
    bound: Literal["≥", "≤", ""] = ""
    """which side the truth is on where the estimate of the mutual information is at its cap"""
    bought: bool = False
    """of what the code buys, which every evaluation computes but the one at a training's end"""
    needs_used_code: bool = False
    """compares q(z) with the prior, which they equal where the code is ignored: such a run has the best for nothing"""


TEST_SHARE, CAUSES = "share of test examples", "share of causes"
NATS = "nats per example"
"""the mean over examples is the last operation everywhere"""
SUMMED = "sum over pixels or tokens"
OVER_DIMENSIONS = "sum over dimensions"

COLUMNS: tuple[Column, ...] = (
    Column(name="elbo", title="ELBO", unit=NATS, reduction=SUMMED, better="high", error="elbo_standard_error"),
    Column(
        name="distortion",
        title="distortion",
        unit=NATS,
        reduction=SUMMED,
        better="low",
        error="distortion_standard_error",
    ),
    Column(name="rate", title="rate", unit=NATS, reduction=OVER_DIMENSIONS, error="rate_standard_error"),
    Column(
        name="nll", title="NLL", unit=NATS, reduction=SUMMED, better="low", thorough=True, error="nll_standard_error"
    ),
    Column(name="importance_samples", title="draws K", unit="", reduction="of z an example", digits=0, thorough=True),
    Column(name="examples", title="NLL of", unit="examples", reduction="drawn at random", digits=0, thorough=True),
    Column(
        name="perplexity",
        title="perplexity",
        unit="",
        reduction="e^(NLL / tokens)",
        better="low",
        decided_by="nll",
        thorough=True,
    ),
    Column(
        name="bits_per_dimension",
        title="bits per dim",
        unit="bits",
        reduction="NLL / pixels",
        better="low",
        decided_by="nll",
        digits=3,
        thorough=True,
    ),
    Column(
        name="mutual_information",
        title="mutual information",
        unit=NATS,
        reduction="mixture of N posteriors",
        better="high",
        error="mutual_information_standard_error",
        bound="≥",
    ),
    Column(name="mutual_information_examples", title="its N", unit="examples", reduction="cap ln N", digits=0),
    Column(
        name="marginal_kl",
        title="marginal KL",
        unit=NATS,
        reduction="rate − information",
        better="low",
        error="marginal_kl_standard_error",
        bound="≤",
        needs_used_code=True,
    ),
    Column(name="active_units", title="active units", unit="dimensions", reduction="variance of μ ≥ 0.01", digits=0),
    Column(
        name="permuted_rise",
        title="rise if z permuted",
        unit=NATS,
        reduction=SUMMED,
        better="high",
        thorough=True,
        error="permuted_rise_standard_error",
    ),
    Column(
        name="distinct_share",
        title="distinct of ten z",
        unit="",
        reduction="share",
        better="high",
        thorough=True,
        error="distinct_share_standard_error",
    ),
    Column(
        name="hole_share",
        title="holes",
        unit="",
        reduction="share of prior draws",
        better="low",
        thorough=True,
        error="hole_share_standard_error",
        needs_used_code=True,
    ),
    Column(
        name="mutual_information_gap",
        title="MIG",
        unit="",
        reduction="mean over factors",
        better="high",
        thorough=True,
        error="mutual_information_gap_standard_error",
    ),
    Column(
        name="accuracy_from_draws",
        title="100 labels",
        unit=TEST_SHARE,
        reduction="probe on draws of z",
        better="high",
        digits=3,
        bought=True,
        error="accuracy_from_draws_standard_error",
    ),
    Column(
        name="causes_kept",
        title="causes kept",
        unit=CAUSES,
        reduction="mean over causes",
        better="high",
        bought=True,
        error="causes_kept_standard_error",
    ),
    Column(
        name="edits_took",
        title="edits that took",
        unit="share of edits",
        reduction="mean over sentences",
        better="high",
        bought=True,
        error="edits_took_standard_error",
    ),
)
NOT_COMPARED = "°"
"""behind a figure that is not compared"""
MISSING = "–"
NOT_A_NUMBER = "NaN"
COUNTS = ("importance_samples", "examples", "mutual_information_examples")
"""settings of the estimates: their spread over seeds says nothing"""
BY_NAME = {column.name: column for column in COLUMNS}


@final
@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run in a comparison, or several that are equal but for their seed."""

    run: str
    recipe: str
    """its head in words"""
    data: str
    """what its figures are of, in words"""
    group: str
    """runs of equal groups have seen the same data, and may be compared"""
    evaluation: Mapping[str, Any]
    thorough: Mapping[str, Any] | None = None
    each: ExampleFigures | None = None
    """figures of single test examples; None for a run whose version kept none"""
    seedless: str = ""
    """equal for runs that are equal but for their seed, on the same data; empty for a run that is like no other"""
    seed: int = 0
    members: tuple["Entry", ...] = ()
    """the runs whose mean this is, by their seed; empty for a single run"""

    @property
    def parts(self) -> tuple["Entry", ...]:
        """The single runs: this one, or its members."""
        return self.members or (self,)

    def known(self, column: Column) -> list[float]:
        """The figure of each single run that has it."""
        found = (number(one.figures(column), column.name) for one in self.parts)
        return [value for value in found if value is not None]

    def figures(self, column: Column) -> Mapping[str, Any] | None:
        """Where a single run's figure and its error are kept; None if there is no such part."""
        if column.thorough:
            return self.thorough
        found = self.evaluation.get("buys" if column.bought else "test")
        return found if isinstance(found, Mapping) else None

    def value(self, column: Column) -> float | None:
        """The figure, or its mean over seeds; None where it was not computed, or this kind of data has none."""
        known = self.known(column)
        return mean(known) if known else None

    def is_nan(self, column: Column) -> bool:
        """Whether a single run's figure is there and is no finite number."""
        for one in self.parts:
            value = (one.figures(column) or {}).get(column.name)
            if isinstance(value, float) and not math.isfinite(value):
                return True
        return False

    def spread(self, column: Column) -> float | None:
        """Standard deviation over seeds, same unit; None with fewer than two seeds that have the figure."""
        known = self.known(column)
        return stdev(known) if len(known) > 1 else None

    def standard_error(self, column: Column) -> float | None:
        """Standard error of a run's figure over examples, same unit; of several seeds the mean of theirs.

        None where there is none, or an older version did not keep it.
        """
        if not column.error:
            return None
        found = [number(one.figures(column), column.error) for one in self.parts]
        known = [error for error in found if error is not None]
        return mean(known) if len(known) == len(found) else None

    def not_compared(self, column: Column) -> str:
        """Why the best of this column is looked for among the others, in words; empty where there is no reason."""
        if not column.needs_used_code or self.value(column) is None:
            return ""
        reasons = ((one.run, why_unused(one.evaluation, one.thorough)) for one in self.parts)
        return next((f"{run}: {why}" if self.members else why for run, why in reasons if why), "")

    @property
    def is_capped(self) -> bool:
        """Whether a mutual information is as large as its estimate can be, ln N, or nearly."""
        if self.members:
            return any(one.is_capped for one in self.members)
        count = number(self.evaluation, "test", "mutual_information_examples")
        information = number(self.evaluation, "test", "mutual_information")
        return count is not None and count >= 1 and (information or 0.0) > math.log(count) - CAPPED_NATS

    def written(self, column: Column) -> str:
        """The figure as a table shows it: with its error, as the bound that it is, marked if not compared.

        Behind ± stands a single run's standard error, or the standard deviation over seeds.
        """
        counts = column.name in COUNTS
        error = None if counts else self.spread(column) if self.members else self.standard_error(column)
        words = NOT_A_NUMBER if self.is_nan(column) else written(self.value(column), column, error)
        if words in (MISSING, NOT_A_NUMBER):
            return words
        bound = f"{column.bound} " if column.bound and self.is_capped else ""
        known, all_of_them = len(self.known(column)), len(self.parts)
        few = f" ({known} of {all_of_them})" if known < all_of_them else ""
        return f"{bound}{words}{few}{NOT_COMPARED if self.not_compared(column) else ''}"


def remarks(entries: Sequence[Entry]) -> list[str]:
    """A sentence for each run of which figures are marked as not compared: which ones, and why."""
    found = []
    for entry in entries:
        columns = [column for column in COLUMNS if entry.not_compared(column)]
        if columns:
            names = " and ".join(column.title for column in columns)
            found.append(
                f"{entry.run}: {names} not compared, for {entry.not_compared(columns[0])}; "
                "an unused code has them for nothing."
            )
    return found


def shown_columns(entries: Sequence[Entry]) -> list[Column]:
    """The columns of which at least one run has a figure, be it one that is no number."""
    return [
        column
        for column in COLUMNS
        if any(entry.value(column) is not None or entry.is_nan(column) for entry in entries)
    ]


def estimated_from(entries: Sequence[Entry], group: str) -> set[tuple[float | None, float | None]]:
    """Draws and examples behind the thorough figures of a group; of more than one kind, no run is best."""
    return {
        (number(one.thorough, "importance_samples"), number(one.thorough, "examples"))
        for entry in entries
        for one in entry.parts
        if entry.group == group and one.thorough is not None
    }


def written(value: float | None, column: Column, error: float | None = None) -> str:
    """A figure as text, "–" for none, its standard error behind ±."""
    if value is None:
        return MISSING
    words = in_digits(value, column.digits)
    return words if error is None else f"{words} ± {error:.{column.digits}f}"
