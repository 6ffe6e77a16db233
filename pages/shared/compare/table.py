"""The table of a comparison, the doctor's cards, and the same table to take home."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from bnvae.analysis.comparison import NOT_COMPARED, Column, best, estimated_from, remarks, shown_columns
from bnvae.analysis.figure_values import in_digits
from bnvae.analysis.symptoms.finding import Evidence, Finding
from bnvae.analysis.table_export import EXPORTS
from bnvae.runs.reproduction import reproduction_card
from pages.components.figure_table import TableColumn, TableRow, figure_table
from pages.components.take_home import Offered, take_home
from pages.components.verdicts import Claim, Verdict, verdicts
from pages.shared.compare.entries import Compared
from pages.shared.words import ACTIVE_UNITS, forced_words

SORT = "sort"
FORCED = "*"
"""behind a number of active units that the head forces"""


def compare_table(runs: Sequence[Compared]) -> None:
    """One row a run, sections for different data; what is sorted by is in the URL."""
    entries = [one.entry for one in runs]
    columns = shown_columns(entries)
    if not columns:
        st.info("None of these runs has been evaluated yet. Let it finish, or evaluate it below.")
        return
    winners = {column.name: best(entries, column) for column in columns}
    several = len({entry.group for entry in entries}) > 1
    if several:
        st.info("These runs are of different data. Costs in nats are comparable within one data set only.")
    if any(len(estimated_from(entries, entry.group)) > 1 for entry in entries):
        st.info("Likelihoods from different numbers of draws or examples are not comparable: evaluate with equal ones.")
    chosen = figure_table(
        key="compare",
        columns=[_head(column) for column in columns],
        rows=[
            TableRow(
                title=one.run.id,
                captions=[one.entry.recipe, one.findings[0].name],
                colour=one.colour,
                group=one.entry.group,
                values=[one.entry.value(column) for column in columns],
                words=[_written(one, column) for column in columns],
                best=[one.run.id in winners[column.name] for column in columns],
                notes=[_note(one, column) for column in columns],
            )
            for one in runs
        ],
        sort=st.query_params.get(SORT, ""),
        label="figures of test examples",
        remarks=[*(f"{NOT_COMPARED} {words}" for words in remarks(entries)), *_remarks_on_active_units(runs)],
    )
    if chosen:
        st.query_params[SORT] = chosen
    else:
        st.query_params.pop(SORT, None)


def _written(one: Compared, column: Column) -> str:
    words = one.entry.written(column)
    return f"{words} {FORCED}" if column.name == "active_units" and forced_words(one.config) else words


def _note(one: Compared, column: Column) -> str:
    return forced_words(one.config) if column.name == "active_units" else one.entry.not_compared(column)


def _remarks_on_active_units(runs: Sequence[Compared]) -> list[str]:
    return [f"{FORCED} {ACTIVE_UNITS}"] if any(forced_words(one.config) for one in runs) else []


def _head(column: Column) -> TableColumn:
    return TableColumn(
        name=column.name, title=column.title, unit=column.unit, reduction=column.reduction, better=column.better
    )


def downloads(runs: Sequence[Compared]) -> None:
    """The table in three formats, and of each run what it takes to repeat and to quote it."""
    entries = [one.entry for one in runs]
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
