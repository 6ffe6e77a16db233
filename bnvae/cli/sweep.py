"""python -m bnvae sweep: a run for each tau, method or seed, one after the other."""

import argparse
import dataclasses
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from bnvae.cli.settings import Subparsers, add_setting, config_of
from bnvae.cli.terminal.following import follow
from bnvae.config.help_texts import SECTIONS
from bnvae.config.methods import METHODS, PLAIN_MODEL, PLAIN_TRAINING

if TYPE_CHECKING:
    from bnvae.runs import Run, RunStore

NOT_IN_A_SWEEP = (("model", "tau"), ("model", "amortised"), ("model", "tau_max"), ("training", "seed"))


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "sweep", help="train a run for each tau, method or seed, one after the other", allow_abbrev=False
    )
    parser.set_defaults(command=_run)
    parser.add_argument("--run", required=True, help="name of the sweep; its runs are called NAME-tau-0.1 and so on")
    over = parser.add_mutually_exclusive_group()
    over.add_argument(
        "--tau",
        dest="taus",
        nargs="+",
        type=float,
        metavar="FLOAT",
        help="one run for each (fraction, 0 <= tau < 1); left out: go on with the sweep of this name",
    )
    over.add_argument(
        "--methods",
        metavar="all|NAME,NAME",
        help=f"one run for each remedy against collapse, of {', '.join(METHODS)}; they decide head, beta, schedule and "
        "free bits, and the Scaler heads have the usual tau",
    )
    parser.add_argument(
        "--seed",
        dest="seeds",
        nargs="+",
        type=int,
        metavar="INT",
        help="one run for each, alone or for each tau or method; decides initial weights, order of the examples and "
        "all noise [0]",
    )
    parser.add_argument(
        "--ladder",
        action="store_true",
        help="with --methods: each at four strengths, so that they can be compared at equal rate",
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
    from bnvae.runs.progress.control import PLAY

    asked: list[bool] = []
    worst, store = 0, RunStore()
    runs = _members(store, options)
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
        except ValueError:
            if run.id not in store:  # refused before it began: the others have its data
                _delete_unbegun(store, runs)
            raise
        worst = max(worst, status)
        if asked:
            break
    return worst


def _delete_unbegun(store: "RunStore", runs: "list[Run]") -> None:
    for run in runs:
        if run.id in store and not run.has_begun:
            with suppress(ValueError):  # another process is about to train it
                store.delete(run.id)


def _members(store: "RunStore", options: argparse.Namespace) -> "list[Run]":
    from bnvae.data.custom.first_look import first_look
    from bnvae.jobs.sweep_members import known_members, members, method_members, seed_members

    if options.ladder and not options.methods:
        raise ValueError("ladder is given without --methods: a sweep over tau has a strength in each of its runs.")
    if options.taus is options.methods is options.seeds is None:
        return known_members(store, options.run)
    config = config_of(options)
    first_look(config.data)  # what can't be trained on leaves no run behind
    if options.taus is not None:
        return members(store, options.run, config, options.taus, seeds=options.seeds or ())
    if options.methods is None:
        return seed_members(store, options.run, config, options.seeds)
    for section, decided in (("model", PLAIN_MODEL), ("training", PLAIN_TRAINING)):
        for field in decided:
            default = getattr(SECTIONS[section](), field)
            if (value := getattr(getattr(config, section), field)) != default:
                raise ValueError(f"{field} is {value!r}: the methods of a sweep decide it; leave it out.")
    methods = list(METHODS) if options.methods == "all" else options.methods.split(",")
    return method_members(store, options.run, config, methods, ladder=options.ladder, seeds=options.seeds or ())
