"""python -m bnvae train: a new run."""

import argparse
import dataclasses
import sys
from typing import TYPE_CHECKING

from bnvae.cli.settings import Subparsers, add_setting, config_of
from bnvae.cli.terminal.following import follow
from bnvae.config.help_texts import SECTIONS
from bnvae.config.schema import FIXED_SCALE, SCALED, ModelConfig

if TYPE_CHECKING:
    from bnvae.runs import Run, RunStore


def add(commands: Subparsers) -> None:
    parser = commands.add_parser("train", help="train a new run", allow_abbrev=False)
    parser.set_defaults(command=_run)
    parser.add_argument("--run", help="name of the run's folder; default: made from data and head")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="write TensorBoard event files into the run's folder when the training ends or is stopped",
    )
    for section, config in SECTIONS.items():
        group = parser.add_argument_group(section)
        for spec in dataclasses.fields(config):
            add_setting(group, section, spec, config)


def _run(options: argparse.Namespace) -> int:
    from bnvae.config.display_names import short_title
    from bnvae.data.custom.first_look import first_look
    from bnvae.runs import RunStore

    config, store = config_of(options), RunStore()
    for words in unused(config.model):
        print(f"bnvae: {words}", file=sys.stderr)
    first_look(config.data)  # what can't be trained on leaves no run behind
    run_id = options.run or store.free_id(f"{short_title(config.data)}-{config.model.head}")
    if not options.tensorboard:
        return _trained(store, store.create(run_id, config), quiet=options.quiet)
    from bnvae.runs.export.event_files import FOLDER, check_tensorboard, write_event_file

    check_tensorboard()
    run = store.create(run_id, config)
    status = _trained(store, run, quiet=options.quiet)
    if run.history().steps:  # else it was stopped before the first
        write_event_file(run, run.folder / FOLDER)
    return status


def _trained(store: "RunStore", run: "Run", *, quiet: bool) -> int:
    try:
        return follow(run.id, quiet=quiet)
    finally:
        store.forget_refusal(run.id)  # the terminal says it


def unused(model: ModelConfig) -> list[str]:
    """What was set, and does nothing with this head: it is said, since a comparison may have meant it."""
    usual, words = ModelConfig(), []
    for name, heads in (("tau", SCALED), ("gamma", FIXED_SCALE)):
        value = getattr(model, name)
        if value != getattr(usual, name) and model.head not in heads:
            words.append(f"{name} is {value:g}, which head {model.head!r} does not use: {' and '.join(heads)} do.")
    return words
