"""python -m bnvae import: a run from an exported one, from weights with their description, or from arrays."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bnvae.cli.settings import Subparsers

if TYPE_CHECKING:
    from bnvae.runs import Run


def add(commands: Subparsers) -> None:
    parser = commands.add_parser("import", help="take in a run, somebody's model, or arrays of posteriors")
    parser.set_defaults(command=_run)
    parser.add_argument("file", type=Path, help=".zip of a run or of weights and description, .safetensors, or .npz")
    parser.add_argument(
        "--description", type=Path, metavar="FILE", help="of a .safetensors: what it is made of, as JSON"
    )
    parser.add_argument("--run", default="", help="name of the run's folder; default: made from the file's name")


def _run(options: argparse.Namespace) -> None:
    from bnvae.importers.upload import bring_in
    from bnvae.runs import RunStore

    paths = [options.file] if options.description is None else [options.file, options.description]
    say(bring_in(RunStore(), [(path.name, _content(path)) for path in paths], options.run))


def read_description(path: Path) -> str:
    """The text of a description.

    Raises:
        ValueError: there is none, or it is too large or no text.
    """
    from bnvae.importers.upload import described

    return described(_content(path))


def say(run: "Run") -> None:
    """The figures of what has been brought in."""
    from bnvae.cli.terminal.progress import print_evaluation

    print(f"{run.id}: {run.status.message}")
    if figures := run.evaluation():
        print_evaluation(run.id, figures)


def _content(path: Path) -> bytes:
    from bnvae.runs.export.archive import LARGEST_ARCHIVE_BYTES

    if not path.is_file():
        raise ValueError(f"file is {str(path)!r}: there is no such file.")
    if (size := path.stat().st_size) > LARGEST_ARCHIVE_BYTES:
        raise ValueError(f"file is {str(path)!r}: it has {size:,} bytes, at most {LARGEST_ARCHIVE_BYTES:,} are taken.")
    return path.read_bytes()
