"""python -m bnvae convert: tensors out of a file of torch.save, as safetensors, as a run, or as both."""

import argparse
from pathlib import Path

from bnvae.cli.settings import Subparsers


def add(commands: Subparsers) -> None:
    parser = commands.add_parser("convert", help="make a run, or a .safetensors, of your own model's state dict")
    parser.set_defaults(command=_run)
    parser.add_argument("state", type=Path, help="file written by torch.save(model.state_dict(), ...)")
    parser.add_argument("--entry", default="", metavar="NAME", help="where in a larger checkpoint the state dict is")
    parser.add_argument(
        "--description",
        type=Path,
        metavar="FILE",
        help="what the model is made of, as JSON; needed for a run; with --to alone, tensors are checked against it",
    )
    parser.add_argument(
        "--run", default="", help="make a run of this name; without --run and --to, one named after the file"
    )
    parser.add_argument(
        "--to", type=Path, metavar="FILE", help="write the tensors as .safetensors; no run is made unless --run asks"
    )


def _run(options: argparse.Namespace) -> None:
    from safetensors.torch import save

    from bnvae.cli.import_run import read_description, say
    from bnvae.importers.foreign_checkpoint import bring_checkpoint
    from bnvae.importers.state_dict import read_state_dict
    from bnvae.nn.foreign.description import Description
    from bnvae.nn.foreign.network import foreign_model
    from bnvae.runs import RunStore
    from bnvae.runs.storage.atomic_files import write_atomic

    if options.description is None and options.to is None:
        raise ValueError("nothing is asked for: give --description for a run, or --to for a .safetensors, or both.")
    if options.run and options.description is None:
        raise ValueError(f"run is {options.run!r}: a run takes a --description of the model, or leave --run out.")
    description = None if options.description is None else read_description(options.description)
    tensors = read_state_dict(options.state, options.entry)
    if description is not None:
        # Before a file is written: what doesn't fit is refused.
        foreign_model(Description.from_json(description), tensors)
    if options.to is not None:
        content = save({name: one.contiguous().clone() for name, one in tensors.items()})
        write_atomic(options.to, content)
        print(f"{options.to}: {len(content):,} bytes")
    if description is not None and (options.run or options.to is None):
        store = RunStore()
        say(bring_checkpoint(store, options.run or store.free_id(options.state.stem), description, tensors))
