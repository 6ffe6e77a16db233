"""Which columns of a table hold the sentences and the labels: by the names in its first row, or by their numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from bnvae.config.schema import DataConfig

LOOKED_AT = 1_000
"""rows from which a table without a header is understood"""
USUAL = DataConfig.column


@final
@dataclass(frozen=True, kw_only=True)
class Columns:
    """Where the cells are."""

    text: int
    label: int | None
    names: tuple[str, ...] | None
    """the header; None for a table without one, all of whose rows are data"""
    count: int
    """cells of the first row"""

    def equal(self, other: "Columns") -> bool:
        """Whether both have the same columns, in whatever order; without a header, as many of them."""
        if self.names is None or other.names is None:
            return self.names is other.names and self.count == other.count
        return set(self.names) == set(other.names)

    @property
    def words(self) -> str:
        """The names of the columns, or how many there are."""
        if self.names is None:
            return f"1 to {self.count}, without a header"
        return ", ".join(repr(name[:50]) for name in self.names[:50])


def find_columns(rows: Sequence[Sequence[str]], config: DataConfig, *, tabs: bool) -> Columns:
    """The columns of a table that begins with these rows.

    A first row with a cell that is `column` is a header. One without is data if `column` is a number, counted from 1,
    or if each row is a label and a sentence, in either order, between which a tab stands: of two columns the one with
    more words holds the sentences, and the other one labels if the first row's comes again.

    Raises:
        ValueError: there is no such column.
    """
    first = [name.strip() for name in rows[0]] if rows else []
    if config.column in first:
        label = _named(first, config.label_column, "label_column") if config.label_column else None
        return Columns(text=first.index(config.column), label=label, names=tuple(first), count=len(first))
    if (text := _number(config.column, first, "column")) is not None:
        label = _number(config.label_column, first, "label_column")
        if config.label_column and label is None:
            raise _unknown("label_column", config.label_column, first)
        return Columns(text=text, label=label, names=None, count=len(first))
    two = tabs and len(first) == 2 and config.column == USUAL and all(len(row) == 2 for row in rows if row)
    if two and (found := _label_and_sentence([row for row in rows if row])) is not None:
        given = _number(config.label_column, first, "label_column")
        if not config.label_column or given == 1 - found:
            return Columns(text=found, label=1 - found, names=None, count=2)
    raise _unknown("column", config.column, first)


def _label_and_sentence(rows: Sequence[Sequence[str]]) -> int | None:
    """Which of two columns holds the sentences; None if the first row may be a header, or the other holds no labels."""
    words = [sum(len(row[column].split()) for row in rows) for column in (0, 1)]
    if words[0] == words[1]:
        return None
    text = int(words[1] > words[0])
    labels = [row[1 - text].strip() for row in rows]
    return text if labels[0] in labels[1:] else None


def _named(header: Sequence[str], wanted: str, field: str) -> int:
    if wanted not in header:
        raise _unknown(field, wanted, header)
    return list(header).index(wanted)


def _number(wanted: str, first: Sequence[str], field: str) -> int | None:
    """The place of a column that is called by its number; None if `wanted` is none."""
    if not (wanted.isascii() and wanted.isdigit()):
        return None
    if not 1 <= int(wanted[:9]) <= len(first):
        raise ValueError(f"{field} is {wanted!r}: the first row has {len(first)} cells; give a number from 1.")
    return int(wanted) - 1


def _unknown(field: str, wanted: str, header: Iterable[str]) -> ValueError:
    names = ", ".join(repr(name[:50]) for name in list(header)[:50])
    return ValueError(
        f"{field} is {wanted!r}: the file has the columns {names}. Name one of them, or give its number, counted from "
        "1, if the first row is no header."
    )
