"""python -m bnvae list: all runs."""

import argparse
import json

from bnvae.cli.settings import Subparsers


def add(commands: Subparsers) -> None:
    parser = commands.add_parser("list", help="all runs")
    parser.set_defaults(command=_run)
    parser.add_argument("--json", action="store_true", help="print a JSON array instead of a table")


def _run(options: argparse.Namespace) -> None:
    from bnvae.jobs.train_runs import describe
    from bnvae.runs import RunStore

    entries = [describe(run) for run in RunStore().runs()]
    if options.json:
        print(json.dumps(entries))
        return
    from bnvae.cli.terminal.progress import print_runs

    print_runs(entries)
