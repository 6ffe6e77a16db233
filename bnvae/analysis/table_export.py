"""A comparison as CSV, LaTeX and Markdown; names come from users, so whatever a format would interpret is escaped."""

import csv
import io
from collections.abc import Callable, Sequence

from bnvae.analysis.comparison import NOT_COMPARED, Column, Entry, best, remarks, shown_columns

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "τ": r"$\tau$", "γ": r"$\gamma$", "μ": r"$\mu$", "β": r"$\beta$",
    "≥": r"$\geq$", "≤": r"$\leq$", "−": "$-$", "±": r"$\pm$", "–": "--", "·": r"$\cdot$", "°": r"\textdegree{}",
}  # fmt: skip
MARKDOWN_SPECIAL = "\\`*_{}[]()<>#+-.!|~$&:@"
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")
"""a spreadsheet takes a cell that begins so for a formula"""


def head(column: Column) -> str:
    """Title, unit and reduction: "NLL (nats; sum over pixels or tokens, mean over examples)"."""
    return f"{column.title} ({'; '.join(filter(None, (column.unit, column.reduction)))})"


def to_csv(entries: Sequence[Entry]) -> str:
    """One row a run, full precision; standard errors, and why a figure is not compared, have columns of their own."""
    columns, buffer = shown_columns(entries), io.StringIO()
    writer = csv.writer(buffer)
    titles = []
    for column in columns:
        titles += [head(column)]
        titles += [f"{column.title}: standard error"] if column.error else []
        titles += [f"{column.title}: not compared"] if column.needs_used_code else []
    writer.writerow(["run", "recipe", "data", *titles])
    for entry in entries:
        cells: list[object] = [csv_text(each) for each in (entry.run, entry.recipe, entry.data)]
        for column in columns:
            cells.append(_number(entry.value(column)))
            if column.error:
                cells.append(_number(entry.standard_error(column)))
            if column.needs_used_code:
                cells.append(csv_text(entry.not_compared(column)))
        writer.writerow(cells)
    return buffer.getvalue()


def csv_text(text: str) -> str:
    """Text that no spreadsheet runs as a formula: one that begins like it gets an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def to_latex(entries: Sequence[Entry]) -> str:
    """A booktabs tabular; the best of each column and data set in bold."""
    columns = shown_columns(entries)
    rows = _rows(entries, columns, latex_text, lambda cell: rf"\textbf{{{cell}}}")
    # A multi-line head, because units belong to it.
    titles = [rf"\shortstack{{{latex_text(column.title)}\\{latex_text(column.unit) or '~'}}}" for column in columns]
    lines = [
        "% needs \\usepackage{booktabs}",
        *(f"% {latex_text(column.title)}: {latex_text(column.reduction)}" for column in columns),
        rf"\begin{{tabular}}{{lll{'r' * len(columns)}}}",
        r"\toprule",
        " & ".join(["run", "recipe", "data", *titles]) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par{{\footnotesize {latex_text(f'{NOT_COMPARED} {words}')}}}" for words in remarks(entries)),
    ]
    return "\n".join(lines) + "\n"


def latex_text(text: str) -> str:
    """Text that LaTeX prints as it is; line ends become blanks."""
    return "".join(LATEX.get(letter, letter) for letter in " ".join(text.split()))


def to_markdown(entries: Sequence[Entry]) -> str:
    """A pipe table; the best of each column and data set in bold."""
    columns = shown_columns(entries)
    rows = _rows(entries, columns, markdown_text, lambda cell: f"**{cell}**")
    titles = ["run", "recipe", "data", *(markdown_text(head(column)) for column in columns)]
    rule = ["---"] * 3 + ["---:"] * len(columns)
    lines = [f"| {' | '.join(cells)} |" for cells in (titles, rule, *rows)]
    for words in remarks(entries):
        lines += ["", markdown_text(f"{NOT_COMPARED} {words}")]
    return "\n".join(lines) + "\n"


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is; line ends become blanks."""
    return "".join(f"\\{letter}" if letter in MARKDOWN_SPECIAL else letter for letter in " ".join(text.split()))


def _rows(
    entries: Sequence[Entry], columns: Sequence[Column], escape: Callable[[str], str], embolden: Callable[[str], str]
) -> list[list[str]]:
    winners = {column.name: best(entries, column) for column in columns}
    rows = []
    for entry in entries:
        cells = []
        for column in columns:
            cell = escape(entry.written(column))
            cells.append(embolden(cell) if entry.run in winners[column.name] else cell)
        rows.append([escape(entry.run), escape(entry.recipe), escape(entry.data), *cells])
    return rows


EXPORTS: dict[str, tuple[str, Callable[[Sequence[Entry]], str]]] = {
    "CSV": ("csv", to_csv),
    "LaTeX": ("tex", to_latex),
    "Markdown": ("md", to_markdown),
}
"""File ending and writer of each format."""
