"""python -m bnvae compare: runs beside each other, as the Compare page shows them."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bnvae.commands.settings import Subparsers

if TYPE_CHECKING:
    from rich.table import Table

    from bnvae.analysis.comparison import Entry
    from bnvae.runs import Run

FORMATS = {
    "csv": "one row a run, in full precision",
    "latex": "booktabs tables",
    "markdown": "pipe tables",
    "json": "one object",
}
NAMED_RUNS = 20


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "compare", help="figures of several runs, with errors, seeds as one row, and differences from the first"
    )
    parser.set_defaults(command=_run)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    chosen = parser.add_mutually_exclusive_group()
    for name, words in FORMATS.items():
        chosen.add_argument(
            f"--{name}", dest="format", action="store_const", const=name, help=f"{words}, instead of a table"
        )


def _run(options: argparse.Namespace) -> None:
    from bnvae.analysis.seeds import by_seed
    from bnvae.analysis.table_export import to_csv, to_json, to_latex, to_markdown
    from bnvae.runs.comparing import DataNames, entry_of

    names = DataNames()
    entries = by_seed([entry_of(run, names) for run in _chosen(options.runs)])
    writers = {"csv": to_csv, "latex": to_latex, "markdown": to_markdown, "json": to_json}
    if options.format:
        print(writers[options.format](entries).rstrip("\n"))
    else:
        _print(entries)


def _chosen(run_ids: Sequence[str]) -> "list[Run]":
    """The runs of these names.

    Raises:
        ValueError: one is named twice, or there is none of that name.
    """
    from bnvae.runs import RunStore

    store = RunStore()
    if twice := [run_id for run_id in dict.fromkeys(run_ids) if run_ids.count(run_id) > 1]:
        raise ValueError(f"run {twice[0]!r} is named {run_ids.count(twice[0])} times: name each run once.")
    known = [run.id for run in store.runs()]
    for run_id in run_ids:
        if run_id not in known:
            listed = ", ".join(known[:NAMED_RUNS]) or "none"
            more = f" and {len(known) - NAMED_RUNS} more" if len(known) > NAMED_RUNS else ""
            raise ValueError(f"run is {run_id!r}: there is none of that name. Known are {listed}{more}.")
    return [store.get(run_id) for run_id in run_ids]


def _print(entries: "Sequence[Entry]") -> None:
    """Two tables, figures in rows and runs in columns, and the sentences that belong to them."""
    from rich.console import Console

    from bnvae.analysis.comparison import shown_columns
    from bnvae.analysis.ranking import marks
    from bnvae.analysis.table_export import LEVEL, difference_rows, legend
    from bnvae.progress import onto

    console = Console()
    columns = shown_columns(entries)
    if not columns:
        raise ValueError(
            f"run is {', '.join(entry.run for entry in entries)}: none of them has been evaluated yet. Evaluate them: "
            f"python -m bnvae evaluate {entries[0].parts[0].run}"
        )
    table = _table("figures of test examples", [entry.run for entry in entries])
    table.add_row("", "", *(f"{entry.recipe}\n{entry.group}" for entry in entries), end_section=True)
    for column in columns:
        signs = {"best": "★ ", "level": f"{LEVEL} "}
        given = marks(entries, column)
        cells = [f"{signs.get(given.get(entry.run, ''), '')}{entry.written(column)}" for entry in entries]
        table.add_row(column.title, column.unit, *cells)
    onto(console, table).print(table)
    apart, rows = difference_rows(entries)
    if rows:
        table = _table("differences", [f"{run}\nminus {first}" for run, first, *_ in rows])
        for place, column in enumerate(apart, start=2):
            table.add_row(column.title, column.unit, *(row[place] for row in rows))
        onto(console, table).print(table)
    for words in legend(entries, best="★"):
        console.print(words, soft_wrap=True, markup=False, highlight=False)


def _table(title: str, runs: "Sequence[str]") -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left")
    for name in ("figure", "unit"):
        table.add_column(name, overflow="fold")
    for run in runs:
        table.add_column(escape(run), justify="right", overflow="fold")
    return table
