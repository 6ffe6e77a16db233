"""python -m bnvae export: a run as one .zip, or its history as TensorBoard reads it."""

import argparse
from pathlib import Path

from bnvae.cli.settings import Subparsers


def add(commands: Subparsers) -> None:
    parser = commands.add_parser("export", help="write a run as one .zip, to be uploaded or unpacked elsewhere")
    parser.set_defaults(command=_run)
    parser.add_argument("run")
    parser.add_argument("--to", type=Path, help="file to write; default: RUN.zip in this folder")
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="write TensorBoard event files of its history instead, into the folder --to or the run's own",
    )
    parser.add_argument("--force", action="store_true", help="replace a file of that name")


def _run(options: argparse.Namespace) -> None:
    from bnvae.runs import RunStore
    from bnvae.runs.export.archive import export_run
    from bnvae.runs.storage.atomic_files import write_atomic

    run = RunStore().get(options.run)
    if options.tensorboard:
        from bnvae.runs.export.event_files import FOLDER, write_event_file

        print(f"{write_event_file(run, options.to or run.folder / FOLDER)}: written")
        return
    target = options.to or Path(f"{run.id}.zip")
    if target.exists() and not options.force:
        raise ValueError(f"to is '{target}': a file of that name is there. Name another, or replace it with --force.")
    content = export_run(run)
    write_atomic(target, content)
    print(f"{target}: {len(content):,} bytes")
