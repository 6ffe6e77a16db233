"""python -m bnvae sweep: a run for each tau, one after the other."""

import argparse
import dataclasses
import sys

from bnvae.commands.following import follow
from bnvae.commands.settings import Subparsers, add_setting, config_of
from bnvae.config_help import SECTIONS

NOT_IN_A_SWEEP = (("model", "tau"), ("model", "amortised"), ("model", "tau_max"))


def add(commands: Subparsers) -> None:
    parser = commands.add_parser("sweep", help="train a run for each tau, one after the other", allow_abbrev=False)
    parser.set_defaults(command=_run)
    parser.add_argument("--run", required=True, help="name of the sweep; its runs are called NAME-tau-0.1 and so on")
    parser.add_argument(
        "--tau",
        dest="taus",
        nargs="+",
        type=float,
        metavar="FLOAT",
        help="one run for each (fraction, 0 <= tau < 1); left out: go on with the sweep of this name",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    for section, config in SECTIONS.items():
        group = parser.add_argument_group(section)
        for spec in dataclasses.fields(config):
            if (section, spec.name) not in NOT_IN_A_SWEEP:
                add_setting(group, section, spec, config)


def _run(options: argparse.Namespace) -> int:
    """Re-running it goes on where it was: finished runs are left alone, the others resumed."""
    from bnvae.runs import RunStore
    from bnvae.runs.control import PLAY
    from bnvae.sweep import known_members, members

    store, asked, worst = RunStore(), [], 0
    taus: list[float] | None = options.taus
    runs = known_members(store, options.run) if taus is None else members(store, options.run, config_of(options), taus)
    for run in runs:
        if run.status.state == "finished":
            continue
        if not run.is_held:
            run.desk.command(PLAY)  # as for `resume`
        try:
            status = follow(run.id, quiet=options.quiet, queue=True, on_stop=lambda: asked.append(True))
        except SystemExit:  # stopped before its turn
            status = 3
        except FloatingPointError as error:  # a large tau may diverge where the others do not
            print(f"bnvae: {run.id}: {error}", file=sys.stderr)
            status = 2
        worst = max(worst, status)
        if asked:
            break
    return worst
