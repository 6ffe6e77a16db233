"""python -m bnvae resume: go on with runs that were stopped or interrupted."""

import argparse

from bnvae.cli.settings import Subparsers
from bnvae.cli.terminal.following import follow


def add(commands: Subparsers) -> None:
    parser = commands.add_parser("resume", help="go on with a run that was stopped or interrupted")
    parser.set_defaults(command=_run)
    parser.add_argument("run", nargs="+", help="several go step for step beside each other")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--queue", action="store_true", help="wait in line with the trainings that the app started")


def _run(options: argparse.Namespace) -> int:
    from bnvae.runs import RunStore
    from bnvae.runs.progress.control import PLAY

    for run in map(RunStore().get, options.run):
        if run.is_brought:
            raise ValueError(f"run {run.id!r} was brought in: it has no state of a training to go on from.")
    if not options.queue:  # a run stopped while it was paused would wait for a page that may never come
        for run in map(RunStore().get, options.run):
            if not run.is_held:
                run.desk.command(PLAY)
    return follow(*options.run, quiet=options.quiet, queue=options.queue)
