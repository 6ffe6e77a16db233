"""python -m bnvae compare: runs beside each other, as the Compare page shows them."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bnvae.cli.settings import Subparsers

if TYPE_CHECKING:
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
    from bnvae.comparison.seeds import by_seed
    from bnvae.comparison.table_export import to_csv, to_json, to_latex, to_markdown
    from bnvae.runs.compare_runs import DataNames, entry_of

    names = DataNames()
    entries = by_seed([entry_of(run, names) for run in _chosen(options.runs)])
    writers = {"csv": to_csv, "latex": to_latex, "markdown": to_markdown, "json": to_json}
    if options.format:
        print(writers[options.format](entries).rstrip("\n"))
        return
    from bnvae.cli.terminal.progress import print_comparison

    print_comparison(entries)


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
