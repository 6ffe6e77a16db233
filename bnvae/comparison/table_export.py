"""A comparison as CSV, LaTeX, Markdown and JSON; names come from users, so what a format would interpret is escaped."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from bnvae.comparison.columns import MISSING, NOT_COMPARED, Column, Entry, remarks, shown_columns
from bnvae.comparison.ranking import BEST_WORDS, LEVEL_WORDS, Mark, differences, marks, notes
from bnvae.metrics.figures.example_figures import Difference
from bnvae.metrics.figures.figure_values import in_digits

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "τ": r"$\tau$", "γ": r"$\gamma$", "μ": r"$\mu$", "β": r"$\beta$",
    "≥": r"$\geq$", "≤": r"$\leq$", "−": "$-$", "±": r"$\pm$", "–": "--", "≈": r"$\approx$", "·": r"$\cdot$",
    "°": r"\textdegree{}",
}  # fmt: skip
MARKDOWN_SPECIAL = "\\`*_{}[]()<>#+-.!|~$&:@"
LEVEL = "≈"
"""before a figure that is as good as the best"""
PAIRED_MARK = "*"
"""behind a difference of pairs"""
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")
"""a spreadsheet takes a cell that begins so for a formula"""


def head(column: Column) -> str:
    """Title, unit and reduction: "NLL (nats; sum over pixels or tokens, mean over examples)"."""
    return f"{column.title} ({'; '.join(filter(None, (column.unit, column.reduction)))})"


def legend(entries: Sequence[Entry], *, best: str, level: str = LEVEL) -> list[str]:
    """Sentences that belong under the table: what its marks mean, what is not compared, left out, or not known.

    `best` and `level` are how a format shows these marks.
    """
    given = {mark for column in shown_columns(entries) for mark in marks(entries, column).values()}
    words: list[tuple[Mark, str]] = [("best", f"{best}: {BEST_WORDS}."), ("level", f"{level}: {LEVEL_WORDS}.")]
    paired = paired_words(entries)
    return [
        *(sentence for mark, sentence in words if mark in given),
        *([f"{paired}."] if paired else []),
        *(f"{NOT_COMPARED} {sentence}" for sentence in remarks(entries)),
        *notes(entries),
    ]


def to_csv(entries: Sequence[Entry]) -> str:
    """One row a run, or a group of runs equal but for their seed, in full precision.

    Standard errors, spreads over seeds, why a figure is not compared, and differences from the first run on the same
    data have columns of their own.
    """
    columns, buffer = shown_columns(entries), io.StringIO()
    apart = {entry.run: (first.run, found) for entry, first, found in differences(entries)}
    compared = {name for _, found in apart.values() for name in found}
    grouped = any(entry.members for entry in entries)
    writer = csv.writer(buffer)
    titles = ["run", "recipe", "data", *(["seeds"] if grouped else []), *(["differences from"] if compared else [])]
    for column in columns:
        titles += [head(column)]
        titles += [f"{column.title}: standard error"] if column.error else []
        titles += [f"{column.title}: standard deviation over seeds"] if grouped else []
        titles += [f"{column.title}: not compared"] if column.needs_used_code else []
        if column.name in compared:
            titles += [f"{column.title}: {part}" for part in ("difference", "standard error of it", "pairs")]
    writer.writerow(titles)
    for entry in entries:
        first, found = apart.get(entry.run, ("", {}))
        cells: list[object] = [csv_text(each) for each in (entry.run, entry.recipe, entry.data)]
        cells += [len(entry.parts)] if grouped else []
        cells += [csv_text(first)] if compared else []
        for column in columns:
            cells.append("NaN" if entry.is_nan(column) else _number(entry.value(column)))
            if column.error:
                cells.append(_number(entry.standard_error(column)))
            if grouped:
                cells.append(_number(entry.spread(column)))
            if column.needs_used_code:
                cells.append(csv_text(entry.not_compared(column)))
            if column.name in compared:
                one = found.get(column.name)
                cells += ["", "", ""] if one is None else [
                    _number(one.mean), _number(one.standard_error), one.examples
                ]  # fmt: skip
        writer.writerow(cells)
    return buffer.getvalue()


def csv_text(text: str) -> str:
    """Text that no spreadsheet runs as a formula: one that begins like it gets an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def to_latex(entries: Sequence[Entry]) -> str:
    """A booktabs tabular, the clear best of each column and data set in bold; and one of differences."""
    columns = shown_columns(entries)
    rows = _rows(entries, columns, latex_text, lambda cell: rf"\textbf{{{cell}}}")
    lines = [
        "% needs \\usepackage{booktabs}",
        *(f"% {latex_text(column.title)}: {latex_text(column.reduction)}" for column in columns),
        *_tabular(["run", "recipe", "data"], columns, rows),
        *(rf"\par{{\footnotesize {latex_text(words)}}}" for words in legend(entries, best="Bold")),
    ]
    apart, rows = difference_rows(entries)
    if rows:
        escaped = [[latex_text(cell) for cell in row] for row in rows]
        lines += [r"\par", *_tabular(["run", "minus"], apart, escaped)]
    return "\n".join(lines) + "\n"


def _tabular(names: Sequence[str], columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    # A multi-line head, because units belong to it.
    titles = [rf"\shortstack{{{latex_text(column.title)}\\{latex_text(column.unit) or '~'}}}" for column in columns]
    return [
        rf"\begin{{tabular}}{{{'l' * len(names)}{'r' * len(columns)}}}",
        r"\toprule",
        " & ".join([*names, *titles]) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]


def latex_text(text: str) -> str:
    """Text that LaTeX prints as it is; line ends become blanks."""
    return "".join(LATEX.get(letter, letter) for letter in " ".join(text.split()))


def to_markdown(entries: Sequence[Entry]) -> str:
    """A pipe table, the clear best of each column and data set in bold; and one of differences."""
    columns = shown_columns(entries)
    rows = _rows(entries, columns, markdown_text, lambda cell: f"**{cell}**")
    lines = _pipes(["run", "recipe", "data"], columns, rows)
    for words in legend(entries, best="Bold"):
        lines += ["", markdown_text(words)]
    apart, rows = difference_rows(entries)
    if rows:
        lines += ["", *_pipes(["run", "minus"], apart, [[markdown_text(cell) for cell in row] for row in rows])]
    return "\n".join(lines) + "\n"


def _pipes(names: Sequence[str], columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    titles = [*names, *(markdown_text(head(column)) for column in columns)]
    rule = ["---"] * len(names) + ["---:"] * len(columns)
    return [f"| {' | '.join(cells)} |" for cells in (titles, rule, *rows)]


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is; line ends become blanks."""
    return "".join(f"\\{letter}" if letter in MARKDOWN_SPECIAL else letter for letter in " ".join(text.split()))


def _rows(
    entries: Sequence[Entry], columns: Sequence[Column], escape: Callable[[str], str], embolden: Callable[[str], str]
) -> list[list[str]]:
    given = {column.name: marks(entries, column) for column in columns}
    rows = []
    for entry in entries:
        cells = []
        for column in columns:
            mark = given[column.name].get(entry.run)
            cell = escape(f"{LEVEL} {entry.written(column)}" if mark == "level" else entry.written(column))
            cells.append(embolden(cell) if mark == "best" else cell)
        rows.append([escape(entry.run), escape(entry.recipe), escape(entry.data), *cells])
    return rows


def difference_rows(entries: Sequence[Entry]) -> tuple[list[Column], list[list[str]]]:
    """Columns and rows of the differences from the first run on the same data: run, that first one, and each cell."""
    found = differences(entries)
    columns = [column for column in shown_columns(entries) if any(column.name in one for _, _, one in found)]
    rows = [
        [entry.run, first.run, *(difference_words(one.get(column.name), column) for column in columns)]
        for entry, first, one in found
        if one
    ]
    return columns, rows


def paired_words(entries: Sequence[Entry]) -> str:
    """What "*" means and in which columns it is, for a mark may be out of sight; empty where there are no pairs."""
    found = {name for _, _, each in differences(entries) for name, one in each.items() if one.examples}
    titles = ", ".join(column.title for column in shown_columns(entries) if column.name in found)
    return f"{PAIRED_MARK} {titles}: of pairs of the same test example" if titles else ""


def difference_words(found: Difference | None, column: Column) -> str:
    """A difference with its sign and standard error, "*" behind one of pairs: "+1.20 ± 0.08*"."""
    if found is None:
        return MISSING
    value = in_digits(found.mean, column.digits)
    sign = "+" if value[0] != "−" and found.mean > 0 and any(letter in "123456789" for letter in value) else ""
    error = "" if found.standard_error is None else f" ± {found.standard_error:.{column.digits}f}"
    return f"{sign}{value}{error}{PAIRED_MARK if found.examples else ''}"


def to_json(entries: Sequence[Entry]) -> str:
    """Everything that the table shows, as one object; a figure that is not known or no number is null, and named."""
    return json.dumps(
        {
            "runs": [_as_object(entry, entries) for entry in entries],
            "differences": [
                {"run": entry.run, "minus": first.run, "figures": {name: vars(one) for name, one in found.items()}}
                for entry, first, found in differences(entries)
            ],
            "remarks": legend(entries, best="best", level="level"),
        },
        indent=1,
        ensure_ascii=False,
        allow_nan=False,
    )


def _as_object(entry: Entry, entries: Sequence[Entry]) -> dict[str, Any]:
    figures = {}
    for column in shown_columns(entries):
        figures[column.name] = {
            "value": None if entry.is_nan(column) else entry.value(column),
            "standard_error": entry.standard_error(column),
            "standard_deviation_over_seeds": entry.spread(column),
            "runs": len(entry.known(column)),
            "unit": column.unit,
            "mark": marks(entries, column).get(entry.run),
            "not_compared": entry.not_compared(column) or None,
            "not_a_number": entry.is_nan(column),
        }
    return {
        "run": entry.run,
        "recipe": entry.recipe,
        "data": entry.data,
        "members": [{"run": one.run, "seed": one.seed} for one in entry.members],
        "figures": figures,
    }


EXPORTS: dict[str, tuple[str, Callable[[Sequence[Entry]], str]]] = {
    "CSV": ("csv", to_csv),
    "LaTeX": ("tex", to_latex),
    "Markdown": ("md", to_markdown),
}
"""File ending and writer of each format."""
