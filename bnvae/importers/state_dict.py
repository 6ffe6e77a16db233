"""Tensors out of a file that torch.save wrote, and only tensors: nothing in it is run."""

import warnings
from pathlib import Path

import torch
from torch import Tensor

from bnvae.nn.foreign.description import listed

LARGEST_STATE_BYTES = 4 * 2**30


def read_state_dict(path: Path, entry: str = "") -> dict[str, Tensor]:
    """The tensors of a state dict by their names, on the CPU; `entry` names it inside of a larger checkpoint.

    Raises:
        ValueError: there is no such file or entry, it is too large, or it holds more than tensors.
    """
    if not path.is_file():
        raise ValueError(f"file is {str(path)!r}: there is no such file.")
    if (size := path.stat().st_size) > LARGEST_STATE_BYTES:
        raise ValueError(f"file is {str(path)!r}: it has {size} bytes, more than the {LARGEST_STATE_BYTES} allowed.")
    try:
        with warnings.catch_warnings(action="ignore"):  # of files that are refused anyway
            stored: object = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, its unpickler and zipfile raise a dozen kinds for damaged files
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(
            f"file is {str(path)!r}: it cannot be read as tensors alone ({reason:.200}). Save it with "
            "torch.save(model.state_dict(), ...)."
        ) from None
    if entry:
        if not isinstance(stored, dict) or entry not in stored:
            there = listed([str(name) for name in stored]) if isinstance(stored, dict) else type(stored).__name__
            raise ValueError(f"entry is {entry!r}: the file holds {there}.")
        stored = stored[entry]
    if not isinstance(stored, dict) or not stored:
        raise ValueError(f"file is {str(path)!r}: it holds no state dict, but {type(stored).__name__}.")
    if others := [name for name, value in stored.items() if not (isinstance(name, str) and isinstance(value, Tensor))]:
        raise ValueError(
            f"file is {str(path)!r}: {listed([str(name) for name in others])} is no tensor. If the state dict is an "
            "entry of it, name that with --entry, as in --entry state_dict."
        )
    return stored
