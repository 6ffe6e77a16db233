"""A run's film strip over tau, kept with it: a cache that is never trusted and may be deleted at any time."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bnvae.latent.tau_frames import FilmStrip
from bnvae.runs.artifacts.data_card import DataCard
from bnvae.runs.storage.atomic_files import BrokenRunError, read_arrays, read_bytes, sha256, write_arrays

NAME = "strip.npz"
FORMAT = 1
"""Counts up whenever frames of the same weights would look otherwise."""
MOST_FRAMES = 256
LARGEST_WEIGHTS_BYTES = 4 * 2**30
_ARRAYS = ("format", "weights", "taus", "reconstructions", "samples", "priced_taus", "distortion")


def keep(folder: Path, strip: FilmStrip) -> None:
    """Write the strip beside the weights that made it.

    Raises:
        OSError: the folder is read-only, or full.
        BrokenRunError: the weights are gone.
    """
    write_arrays(
        folder / NAME,
        {
            "format": np.array(FORMAT),
            "weights": np.array(_digest(folder)),
            "taus": strip.taus,
            "reconstructions": strip.reconstructions.numpy(),
            "samples": strip.samples.numpy(),
            "priced_taus": strip.priced_taus,
            "distortion": strip.distortion,
        },
    )


def load(folder: Path, card: DataCard, taus: NDArray[np.float64]) -> FilmStrip | None:
    """The strip of the present weights over these taus; None if there is none.

    Raises:
        BrokenRunError: it is of other weights, of another version, or damaged; the message says which.
    """
    if not (folder / NAME).is_file():
        return None
    stored = read_arrays(folder / NAME, _ARRAYS)
    where = f"{folder.name}/{NAME}"
    if stored["format"].shape != () or stored["format"].dtype.kind != "i" or int(stored["format"]) != FORMAT:
        raise BrokenRunError(f"{where} was made by another version of this project.")
    if stored["weights"].shape != () or str(stored["weights"]) != _digest(folder):
        raise BrokenRunError(f"{where} was made with other weights.")
    numbers = {name: stored[name] for name in ("taus", "priced_taus", "distortion")}
    for name, values in numbers.items():
        if values.ndim != 1 or values.dtype.kind != "f" or len(values) > MOST_FRAMES or not np.isfinite(values).all():
            raise BrokenRunError(f"{where}: {name} is {values.dtype} {values.shape}: expected finite numbers.")
    if not np.array_equal(numbers["taus"], taus):
        raise BrokenRunError(f"{where} was made for other values of tau.")
    if len(numbers["priced_taus"]) != len(numbers["distortion"]) or not len(numbers["distortion"]):
        raise BrokenRunError(f"{where}: distortion has not one value for each of priced_taus.")
    rebuilt, samples = stored["reconstructions"], stored["samples"]
    if len(rebuilt) != len(taus) or len(samples) not in (1, len(taus)):
        raise BrokenRunError(f"{where}: it has not one frame for each tau.")
    return FilmStrip(
        taus=numbers["taus"],
        reconstructions=_frames(rebuilt, card, f"{where}: reconstructions"),
        samples=_frames(samples, card, f"{where}: samples"),
        priced_taus=numbers["priced_taus"],
        distortion=numbers["distortion"],
    )


def _frames(stored: NDArray[Any], card: DataCard, where: str) -> Tensor:
    if stored.ndim < 3 or 0 in stored.shape:
        raise BrokenRunError(f"{where} is {stored.dtype} {stored.shape}: expected frames of examples.")
    return card.examples(stored.reshape(-1, *stored.shape[2:]), where).view(stored.shape)


def _digest(folder: Path) -> str:
    return sha256(read_bytes(folder / "weights.safetensors", LARGEST_WEIGHTS_BYTES))
