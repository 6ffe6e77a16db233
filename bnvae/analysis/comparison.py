"""Runs beside each other: which figures, in which unit and reduction, which is best, and what may be compared."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from bnvae.analysis.code_use import CAPPED_NATS, why_unused
from bnvae.analysis.figure_values import in_digits, number


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
    Column(
        name="examples", title="NLL of", unit="examples", reduction="first of the test set", digits=0, thorough=True
    ),
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
        bound="≥",
    ),
    Column(name="mutual_information_examples", title="its N", unit="examples", reduction="cap ln N", digits=0),
    Column(
        name="marginal_kl",
        title="marginal KL",
        unit=NATS,
        reduction="rate − information",
        better="low",
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
    Column(name="distinct_share", title="distinct of ten z", unit="", reduction="share", better="high", thorough=True),
    Column(
        name="hole_share",
        title="holes",
        unit="",
        reduction="share of prior draws",
        better="low",
        thorough=True,
        needs_used_code=True,
    ),
    Column(
        name="mutual_information_gap", title="MIG", unit="", reduction="mean over factors", better="high", thorough=True
    ),
    Column(
        name="accuracy_from_draws",
        title="100 labels",
        unit=TEST_SHARE,
        reduction="probe on draws of z",
        better="high",
        digits=3,
        bought=True,
        error="accuracy_from_draws_spread",
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
BY_NAME = {column.name: column for column in COLUMNS}


@final
@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run in a comparison."""

    run: str
    recipe: str
    """its head in words"""
    data: str
    """what its figures are of, in words"""
    group: str
    """runs of equal groups have seen the same data, and may be compared"""
    evaluation: Mapping[str, Any]
    thorough: Mapping[str, Any] | None = None

    def value(self, column: Column) -> float | None:
        """The figure; None where it was not computed, or does not exist for this kind of data."""
        if column.bought:
            return number(self.evaluation, "buys", column.name)
        return number(self.thorough, column.name) if column.thorough else number(self.evaluation, "test", column.name)

    def standard_error(self, column: Column) -> float | None:
        """Standard error of the figure, same unit; None where there is none, or an older version did not keep it."""
        if not column.error:
            return None
        if column.bought:
            return number(self.evaluation, "buys", column.error)
        return number(self.thorough, column.error) if column.thorough else number(self.evaluation, "test", column.error)

    def not_compared(self, column: Column) -> str:
        """Why the best of this column is looked for among the others, in words; empty where there is no reason."""
        if not column.needs_used_code or self.value(column) is None:
            return ""
        return why_unused(self.evaluation, self.thorough)

    @property
    def is_capped(self) -> bool:
        """Whether the mutual information is as large as its estimate can be, ln N, or nearly."""
        count = number(self.evaluation, "test", "mutual_information_examples")
        information = number(self.evaluation, "test", "mutual_information")
        return count is not None and count >= 1 and (information or 0.0) > math.log(count) - CAPPED_NATS

    def written(self, column: Column) -> str:
        """The figure as a table shows it: with its standard error, as the bound that it is, marked if not compared."""
        words = written(self.value(column), column, self.standard_error(column))
        if words == MISSING:
            return words
        bound = f"{column.bound} " if column.bound and self.is_capped else ""
        return f"{bound}{words}{NOT_COMPARED if self.not_compared(column) else ''}"


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
    """The columns of which at least one run has a figure."""
    return [column for column in COLUMNS if any(entry.value(column) is not None for entry in entries)]


def best(entries: Sequence[Entry], column: Column) -> set[str]:
    """The runs that are best in this column among those of the same data; nobody is best alone.

    As good as the best is who looks equal to it as shown, or is nearer than the standard error of the difference. It is
    taken as if the examples were not the same, which errs on the side of calling two runs equal. Runs whose code is not
    used have no part in figures that compare q(z) with the prior.
    """
    if column.decided_by:
        decided = best(entries, BY_NAME[column.decided_by])
        return {entry.run for entry in entries if entry.run in decided and entry.value(column) is not None}
    if not column.better:
        return set()
    found: set[str] = set()
    for group in {entry.group for entry in entries}:
        known = {
            entry.run: (round(value, column.digits), entry.standard_error(column) or 0.0)
            for entry in entries
            if entry.group == group and (value := entry.value(column)) is not None and not entry.not_compared(column)
        }
        if len(known) < 2 or (column.thorough and column.error and len(estimated_from(entries, group)) > 1):
            continue
        if column.bound and not _information_tells(entries, group):
            continue
        top, error = (min if column.better == "low" else max)(known.values(), key=lambda pair: pair[0])
        equal = {run for run, (value, own) in known.items() if abs(value - top) <= math.hypot(own, error)}
        if len(equal) < len(known):
            found |= equal
    return found


def _information_tells(entries: Sequence[Entry], group: str) -> bool:
    """Whether mutual informations of a group can be ranked: from mixtures of one size, and none at its cap."""
    those = [entry for entry in entries if entry.group == group]
    sizes = {size for entry in those if (size := entry.value(BY_NAME["mutual_information_examples"])) is not None}
    return len(sizes) < 2 and not any(entry.is_capped for entry in those)


def estimated_from(entries: Sequence[Entry], group: str) -> set[tuple[float | None, float | None]]:
    """Draws and examples behind the thorough figures of a group; of more than one kind, nobody is best."""
    return {
        (number(entry.thorough, "importance_samples"), number(entry.thorough, "examples"))
        for entry in entries
        if entry.group == group and entry.thorough is not None
    }


def written(value: float | None, column: Column, error: float | None = None) -> str:
    """A figure as text, "–" for none, its standard error behind ±."""
    if value is None:
        return MISSING
    words = in_digits(value, column.digits)
    return words if error is None else f"{words} ± {error:.{column.digits}f}"
