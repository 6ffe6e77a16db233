"""Runs beside each other: which figures, in which unit and reduction, which is best, and what may be compared."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from bnvae.analysis.figure_values import number


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


NATS = "nats per example"
"""the mean over examples is the last operation everywhere"""
SUMMED = "sum over pixels or tokens"
OVER_DIMENSIONS = "sum over dimensions"

COLUMNS: tuple[Column, ...] = (
    Column(name="elbo", title="ELBO", unit=NATS, reduction=SUMMED, better="high"),
    Column(name="distortion", title="distortion", unit=NATS, reduction=SUMMED, better="low"),
    Column(name="rate", title="rate", unit=NATS, reduction=OVER_DIMENSIONS),
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
    ),
    Column(name="mutual_information_examples", title="its N", unit="examples", reduction="cap ln N", digits=0),
    Column(name="marginal_kl", title="marginal KL", unit=NATS, reduction="rate − information", better="low"),
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
    Column(name="hole_share", title="holes", unit="", reduction="share of prior draws", better="low", thorough=True),
    Column(
        name="mutual_information_gap", title="MIG", unit="", reduction="mean over factors", better="high", thorough=True
    ),
)
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
        return number(self.thorough, column.name) if column.thorough else number(self.evaluation, "test", column.name)

    def standard_error(self, column: Column) -> float | None:
        """Standard error of the figure, same unit; None where there is none."""
        return number(self.thorough, column.error) if column.error else None


def shown_columns(entries: Sequence[Entry]) -> list[Column]:
    """The columns of which at least one run has a figure."""
    return [column for column in COLUMNS if any(entry.value(column) is not None for entry in entries)]


def best(entries: Sequence[Entry], column: Column) -> set[str]:
    """The runs that are best in this column among those of the same data; nobody is best alone.

    As good as the best is who looks equal to it as shown, or is nearer than the standard error of the difference. It is
    taken as if the examples were not the same, which errs on the side of calling two runs equal.
    """
    if column.decided_by:
        return best(entries, BY_NAME[column.decided_by])
    if not column.better:
        return set()
    found: set[str] = set()
    for group in {entry.group for entry in entries}:
        known = {
            entry.run: (round(value, column.digits), entry.standard_error(column) or 0.0)
            for entry in entries
            if entry.group == group and (value := entry.value(column)) is not None
        }
        if len(known) < 2 or (column.error and len(estimated_from(entries, group)) > 1):
            continue
        top, error = (min if column.better == "low" else max)(known.values(), key=lambda pair: pair[0])
        equal = {run for run, (value, own) in known.items() if abs(value - top) <= math.hypot(own, error)}
        if len(equal) < len(known):
            found |= equal
    return found


def estimated_from(entries: Sequence[Entry], group: str) -> set[tuple[float | None, float | None]]:
    """Draws and examples behind the thorough figures of a group; of more than one kind, nobody is best."""
    return {
        (number(entry.thorough, "importance_samples"), number(entry.thorough, "examples"))
        for entry in entries
        if entry.group == group and entry.thorough is not None
    }


def written(value: float | None, column: Column, error: float | None = None) -> str:
    """A figure as text with a true minus sign, "–" for none, its standard error behind ±."""
    if value is None:
        return "–"
    words = f"{value:,.{column.digits}f}".replace("-", "−")
    return words if error is None else f"{words} ± {error:.{column.digits}f}"
