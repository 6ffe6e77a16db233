"""The table of a comparison, the doctor's cards, and the same table to take home."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from bnvae.comparison.columns import NOT_COMPARED, Column, Entry, estimated_from, remarks, shown_columns
from bnvae.comparison.ranking import BEST_WORDS, LEVEL_WORDS, differences, marks, notes
from bnvae.comparison.seeds import by_seed
from bnvae.comparison.table_export import EXPORTS, difference_rows, difference_words, paired_words
from bnvae.config.schema import RunConfig
from bnvae.metrics.diagnostics.finding import Evidence, Finding
from bnvae.metrics.figures.figure_values import in_digits
from bnvae.runs.export.model_card import reproduction_card
from pages.components.figure_table import TableColumn, TableRow, figure_table
from pages.components.take_home import Offered, take_home
from pages.components.verdicts import Claim, Verdict, verdicts
from pages.shared.compare.entries import Compared
from pages.shared.words import ACTIVE_UNITS, forced_words

SORT = "sort"
FORCED = "†"
"""behind a number of active units that the head forces; "*" is of pairs"""


def compare_table(runs: Sequence[Compared]) -> None:
    """One row a run, or several runs equal but for their seed; sections for different data; the sort is in the URL."""
    entries = by_seed([one.entry for one in runs])
    columns = shown_columns(entries)
    if not columns:
        st.info("None of these runs has been evaluated yet. Let it finish, or evaluate it below.")
        return
    several = len({entry.group for entry in entries}) > 1
    if several:
        st.info("These runs are of different data. Costs in nats are comparable within one data set only.")
    if any(len(estimated_from(entries, entry.group)) > 1 for entry in entries):
        st.info("Likelihoods from different numbers of draws or examples are not comparable: evaluate with equal ones.")
    chosen = figure_table(
        key="compare",
        columns=[_head(column) for column in columns],
        rows=_table_rows(entries, columns, runs),
        sort=st.query_params.get(SORT, ""),
        label="figures of test examples",
        star=BEST_WORDS,
        level=LEVEL_WORDS,
        remarks=[
            *(f"{NOT_COMPARED} {words}" for words in remarks(entries)),
            *notes(entries),
            *_remarks_on_active_units(runs),
        ],
    )
    if chosen:
        st.query_params[SORT] = chosen
    else:
        st.query_params.pop(SORT, None)


def _note(entry: Entry, column: Column, config: RunConfig) -> str:
    return forced_words(config) if column.name == "active_units" else entry.not_compared(column)


def _written(entry: Entry, column: Column, config: RunConfig) -> str:
    words = entry.written(column)
    return f"{words} {FORCED}" if column.name == "active_units" and forced_words(config) else words


def _remarks_on_active_units(runs: Sequence[Compared]) -> list[str]:
    forced = next((words for one in runs if (words := forced_words(one.config))), "")
    return [f"{FORCED} active units: {forced}. {ACTIVE_UNITS}"] if forced else []


def _table_rows(entries: Sequence[Entry], columns: Sequence[Column], runs: Sequence[Compared]) -> list[TableRow]:
    by_run = {one.run.id: one for one in runs}
    given = [marks(entries, column) for column in columns]
    rows = []
    for entry in entries:
        those = [by_run[one.run] for one in entry.parts]
        rows.append(
            TableRow(
                title=entry.run,
                captions=[entry.recipe, " / ".join(dict.fromkeys(one.findings[0].name for one in those))],
                colour=those[0].colour,
                group=entry.group,
                values=[None if entry.is_nan(column) else entry.value(column) for column in columns],
                words=[_written(entry, column, those[0].config) for column in columns],
                best=[found.get(entry.run) == "best" for found in given],
                level=[found.get(entry.run) == "level" for found in given],
                notes=[_note(entry, column, those[0].config) for column in columns],
            )
        )
    return rows


def compare_differences(runs: Sequence[Compared]) -> None:
    """How far each run is above the first one on the same data; and the runs behind each mean over seeds."""
    entries = by_seed([one.entry for one in runs])
    columns, words = difference_rows(entries)
    if not words:
        st.info("A difference takes two runs on the same data whose figures are known.")
    else:
        _differences(entries, columns, runs)
    members = [one for entry in entries for one in entry.members]
    if members:
        st.markdown("##### Each seed")
        _each_seed(members, runs)


def _each_seed(members: Sequence[Entry], runs: Sequence[Compared]) -> None:
    columns = shown_columns(members)
    if columns:
        figure_table(
            key="compare-seeds",
            columns=[_head(column) for column in columns],
            rows=[
                TableRow(
                    title=row.title,
                    captions=row.captions,
                    colour=row.colour,
                    group=row.group,
                    values=row.values,
                    words=row.words,
                    best=[False] * len(columns),
                    notes=row.notes,
                )
                for row in _table_rows(members, columns, runs)
            ],
            label="figures of each seed",
        )


def _differences(entries: Sequence[Entry], columns: Sequence[Column], runs: Sequence[Compared]) -> None:
    colours = {one.run.id: one.colour for one in runs}
    found = [(entry, first, one) for entry, first, one in differences(entries) if one]
    figure_table(
        key="compare-differences",
        columns=[_head(column) for column in columns],
        rows=[
            TableRow(
                title=entry.run,
                captions=[f"minus {first.run}"],
                colour=colours[entry.parts[0].run],
                group=entry.group,
                values=[one[column.name].mean if column.name in one else None for column in columns],
                words=[difference_words(one.get(column.name), column) for column in columns],
                best=[False] * len(columns),
            )
            for entry, first, one in found
        ],
        label="differences from the first run",
        remarks=[
            "± standard error of the difference.",
            *([f"{paired}, which cancels what is hard for both runs."] if (paired := paired_words(entries)) else []),
        ],
    )


def _head(column: Column) -> TableColumn:
    return TableColumn(
        name=column.name, title=column.title, unit=column.unit, reduction=column.reduction, better=column.better
    )


def downloads(runs: Sequence[Compared]) -> None:
    """The table in three formats, and of each run what it takes to repeat and to quote it."""
    entries = by_seed([one.entry for one in runs])
    st.markdown("##### This table")
    with st.container(horizontal=True):
        for name, (ending, write) in EXPORTS.items():
            st.download_button(
                name, write(entries), f"comparison.{ending}", icon=":material/download:", key=f"export-{ending}"
            )
    _cards(runs)


def _cards(runs: Sequence[Compared]) -> None:
    st.markdown("##### Reproduction cards")
    st.caption(
        "Configuration, seed, versions, checksums, figures, numbers, the command line and a BibTeX entry; no weights."
    )
    take_home(
        key="cards",
        label="Card",
        files=[
            Offered(
                title=one.run.id,
                caption=one.entry.recipe,
                file_name=f"{one.run.id}-card.zip",
                make=partial(reproduction_card, one.run),
            )
            for one in runs
        ],
    )


def doctor(runs: Sequence[Compared]) -> None:
    """A card a run: verdict, claims, numbers, what to try."""
    verdicts(
        key="doctor",
        runs=[
            Verdict(
                title=one.run.id,
                caption=one.entry.recipe,
                colour=one.colour,
                claims=[_claim(finding) for finding in one.findings],
            )
            for one in runs
        ],
    )


def _claim(finding: Finding) -> Claim:
    return Claim(
        severity=finding.severity,
        name=finding.name,
        words=finding.claim,
        numbers=[(_number(each), each.label) for each in finding.evidence],
        advice=finding.advice,
    )


def _number(evidence: Evidence) -> str:
    value = evidence.value
    digits = 0 if value == int(value) and not evidence.unit else 2 if abs(value) >= 0.1 or not value else 3
    words = in_digits(value, digits)
    if evidence.error is not None:
        words += f" ± {evidence.error:.{max(1, digits)}f}"
    return f"{words} {evidence.unit}".rstrip()
