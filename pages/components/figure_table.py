"""A table of runs and their figures: sortable, units and reductions in its head, the best of each column marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.components.assets import joined, sendable

_component = st.components.v2.component(
    "bnvae_figure_table",
    js=joined("chart.js", "figure_table.js"),
    css=joined("chart.css", "figure_table.css"),
)


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    name: str
    title: str
    unit: str = ""
    reduction: str = ""
    better: str = ""
    """"low", "high" or empty"""


@dataclass(frozen=True, kw_only=True)
class TableRow:
    title: str
    captions: Sequence[str]
    """lines under the title"""
    colour: str
    group: str
    """rows of a group stand together under this heading"""
    values: Sequence[float | None]
    """what is sorted by, one for each column"""
    words: Sequence[str]
    """what is shown"""
    best: Sequence[bool]
    level: Sequence[bool] = ()
    """whether a figure is marked as good as the best, one for each column; empty for none"""
    notes: Sequence[str] = ()
    """why a figure is shown faintly, one for each column, empty for none; shown when pointed at"""


def figure_table(
    *,
    key: str,
    columns: Sequence[TableColumn],
    rows: Sequence[TableRow],
    sort: str = "",
    label: str = "figures",
    rows_are: str = "run",
    star: str = "best",
    level: str = "as good as the best",
    remarks: Sequence[str] = (),
) -> str:
    """The column by which the visitor sorts, "" for none, with a leading "-" where the largest comes first.

    `rows_are` heads the names of the rows; `star` and `level` say what it means that a figure is marked as best, or as
    as good; `remarks` stand under the table.

    Raises:
        ValueError: a row has not one value, text and mark for each column.
    """
    for row in rows:
        if not len(row.values) == len(row.words) == len(row.best) == len(columns):
            raise ValueError(f"row {row.title!r} has {len(row.values)} values for {len(columns)} columns.")
    result = _component(
        key=key,
        data={
            "columns": [vars(column) for column in columns],
            "rows": [_sent(row) for row in rows],
            "sort": sort,
            "label": label,
            "rows_are": rows_are,
            "star": star,
            "level": level,
            "remarks": list(remarks),
        },
        default={"sort": sort},
        on_sort_change=_nothing,
    )
    return str(result.sort or "")


def _nothing() -> None:
    """Streamlit keeps a value only if something is called when it changes."""


def _sent(row: TableRow) -> dict[str, Any]:
    values = [None if value is None else sendable([value])[0] for value in row.values]
    return {
        **vars(row),
        "values": values,
        "words": list(row.words),
        "captions": list(row.captions),
        "best": list(row.best),
        "level": list(row.level) or [False] * len(row.best),
        "notes": list(row.notes),
    }
