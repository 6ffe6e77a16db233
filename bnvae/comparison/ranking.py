"""Which run of a comparison is better, by differences that are held against their standard errors."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bnvae.comparison.columns import BY_NAME, COLUMNS, Column, Entry, estimated_from
from bnvae.metrics.figures.example_figures import PAIRED, Difference, ExampleFigures, paired_difference
from bnvae.metrics.figures.figure_values import nested, number

Mark = Literal["best", "level"]
BEST_WORDS = "better than every other run on the same data, by more than two standard errors of the difference"
LEVEL_WORDS = "as good as the best: within two standard errors of it"


def difference(first: Entry, second: Entry, column: Column) -> Difference | None:
    """How far the figure of one run is above that of another on the same data; None where one has none.

    The variance of the difference has two parts. Over examples: that of pairs of the same test example where both runs
    keep them. Without pairs it is that of two means taken as independent, which calls more runs equal. Over seeds,
    where a side has several: s^2 / n of each side, a side of one seed being taken to vary as the other does.
    Between single runs the second part is unknown and left out.
    """
    values = first.value(column), second.value(column)
    if values[0] is None or values[1] is None or first.group != second.group:
        return None
    pairs = _paired(first, second, column)
    errors = first.standard_error(column), second.standard_error(column)
    over_examples = None
    if pairs is not None:
        over_examples = pairs.standard_error
    elif errors[0] is not None and errors[1] is not None:
        over_examples = math.hypot(errors[0], errors[1])
    spreads = first.spread(column), second.spread(column)
    error, seeds = over_examples, [len(one.known(column)) for one in (first, second) if len(one.known(column)) > 1]
    if seeds:
        ours = spreads[0] if spreads[0] is not None else spreads[1]
        theirs = spreads[1] if spreads[1] is not None else spreads[0]
        assert ours is not None
        assert theirs is not None
        over_seeds = math.hypot(
            ours / math.sqrt(len(first.known(column))), theirs / math.sqrt(len(second.known(column)))
        )
        error = math.hypot(over_seeds, over_examples or 0.0)
    return Difference(
        mean=values[0] - values[1] if pairs is None else pairs.mean,
        standard_error=error,
        examples=0 if pairs is None else pairs.examples,
        seeds=min(seeds, default=0),
    )


def _paired(first: Entry, second: Entry, column: Column) -> Difference | None:
    """The difference over the test examples that all single runs of both sides keep."""
    if column.name not in PAIRED:
        return None
    sides: list[list[ExampleFigures]] = []
    for side in (first, second):
        kept = [one.each for one in side.parts if one.known(column) and one.each is not None]
        if len(kept) < len(side.known(column)):
            return None
        sides.append(kept)
    return paired_difference(sides[0], sides[1], column.name)


def marks(entries: Sequence[Entry], column: Column) -> dict[str, Mark]:
    """Which runs are marked in this column, of each data set by itself; a single run has no mark.

    "best" is one run that is better than every other by more than two standard errors of the difference, or more of
    them with few seeds (`errors_needed`). Where there is none, the run with the best figure and all that are within
    that of it are "level", unless all are. A run without the
    figure, or whose figure is no number, is not ranked, and no run is where errors are not known. Runs equal but for
    their seed are no rivals. Runs whose code is not used have no part in figures that compare q(z) with the prior.
    """
    if column.decided_by:
        decided = marks(entries, BY_NAME[column.decided_by])
        return {
            entry.run: decided[entry.run]
            for entry in entries
            if entry.run in decided and entry.value(column) is not None
        }
    found: dict[str, Mark] = {}
    for group in {entry.group: None for entry in entries} if column.better else ():
        if column.thorough and column.error and len(estimated_from(entries, group)) > 1:
            continue
        if column.bound and not _information_tells(entries, group):
            continue
        if column.name == "accuracy_from_draws" and len(_probes(entries, group)) > 1:
            continue
        found |= _marked([entry for entry in entries if entry.group == group and _is_ranked(entry, column)], column)
    return found


def best(entries: Sequence[Entry], column: Column) -> set[str]:
    """The runs that are clearly best in this column, at most one of each data set."""
    return {run for run, mark in marks(entries, column).items() if mark == "best"}


def _is_ranked(entry: Entry, column: Column) -> bool:
    return entry.value(column) is not None and not entry.is_nan(column) and not entry.not_compared(column)


def _marked(entries: Sequence[Entry], column: Column) -> dict[str, Mark]:
    if len(entries) < 2:
        return {}
    sign = 1 if column.better == "high" else -1
    top = max(entries, key=lambda entry: sign * (entry.value(column) or 0.0))
    rivals = [one for one in entries if one is not top and not _repeats(one, top)]
    level = [one for one in rivals if not _is_clear(top, one, column)]
    if rivals and not level:
        return {top.run: "best"}
    return {one.run: "level" for one in (top, *level)} if len(level) < len(rivals) else {}


def _repeats(one: Entry, other: Entry) -> bool:
    return bool(one.seedless) and one.seedless == other.seedless


def _is_clear(top: Entry, other: Entry, column: Column) -> bool:
    found = difference(top, other, column)
    sign = 1 if column.better == "high" else -1
    looks = [round(value, column.digits) for entry in (top, other) if (value := entry.value(column)) is not None]
    # Pairs may be of fewer examples than the figures, and must not point the other way.
    return found is not None and found.is_clear and sign * found.mean > 0 and looks[0] != looks[1]


def _information_tells(entries: Sequence[Entry], group: str) -> bool:
    """Whether mutual informations of a group can be ranked: from mixtures of one size, and none at its cap."""
    those = [entry for entry in entries if entry.group == group]
    sizes = {size for entry in those for size in entry.known(BY_NAME["mutual_information_examples"])}
    return len(sizes) < 2 and not any(entry.is_capped for entry in those)


def _probes(entries: Sequence[Entry], group: str) -> set[tuple[str, float | None]]:
    """The kinds of probes behind the accuracies of a group; accuracies are ranked where there is one kind."""
    parts = [part for entry in entries if entry.group == group for part in entry.parts]
    return {probed(part.evaluation) for part in parts if part.known(BY_NAME["accuracy_from_draws"])}


def probed(evaluation: Mapping[str, Any]) -> tuple[str, float | None]:
    """Label or factor, and number of labels, behind an evaluation's accuracy from draws."""
    return next(iter(nested(evaluation, "buys", "labels_needed")), ""), number(evaluation, "buys", "accuracy_labels")


def notes(entries: Sequence[Entry]) -> list[str]:
    """Sentences on what the table leaves out, and on what its errors are."""
    found = []
    for entry in entries:
        if entry.members:
            seeds = ", ".join(str(one.seed) for one in entry.members)
            found.append(
                f"{entry.run}: mean ± standard deviation over the seeds {seeds} of "
                f"{', '.join(one.run for one in entry.members)}."
            )
    for one in (part for entry in entries for part in entry.parts):
        if names := [column.title for column in COLUMNS if one.is_nan(column)]:
            found.append(
                f"{one.run}: not a finite number: {', '.join(names)}. Not ranked. Evaluate it again, or go back to an "
                "earlier checkpoint."
            )
        others = [other for other in entries if other.group == one.group]
        lacked = [column.title for column in shown_only(others) if not one.known(column) and not one.is_nan(column)]
        if lacked:
            found.append(f"{one.run}: not known, and so not ranked: {', '.join(lacked)}.")
    return [*found, *_on_errors(entries)]


def shown_only(entries: Sequence[Entry]) -> list[Column]:
    """Columns of which one of these runs has a figure, but for those that restate another."""
    return [column for column in COLUMNS if not column.decided_by and any(entry.known(column) for entry in entries)]


def _on_errors(entries: Sequence[Entry]) -> list[str]:
    several = [
        entry for entry in entries if sum(other.group == entry.group and other is not entry for other in entries)
    ]
    found = []
    for part in (part for entry in several for part in entry.parts):
        bare = [
            column.title
            for column in COLUMNS
            if column.better and column.error and part.known(column) and part.standard_error(column) is None
        ]
        if bare:
            found.append(f"{part.run}: no standard error is kept of {', '.join(bare)}: no run is marked as best there.")
    unpaired = [one.run for entry in several for one in entry.parts if one.each is None and one.evaluation]
    if unpaired:
        found.append(
            f"No figures of single test examples are kept of {', '.join(unpaired)}: differences from them have the "
            "error of two separate means, which is larger than that of pairs. Evaluate them again to have pairs."
        )
    if several and not any(entry.members for entry in several):
        found.append("One seed each: errors are over test examples, and say nothing of how much seeds differ.")
    return found


def differences(entries: Sequence[Entry]) -> list[tuple[Entry, Entry, dict[str, Difference]]]:
    """Of each entry but the first of its data: it, that first one, and how far its figures are above that one's."""
    firsts: dict[str, Entry] = {}
    found = []
    for entry in entries:
        first = firsts.setdefault(entry.group, entry)
        if first is entry:
            continue
        known = {
            column.name: apart
            for column in COLUMNS
            if column.error and (apart := difference(entry, first, column)) is not None
        }
        found.append((entry, first, known))
    return found
