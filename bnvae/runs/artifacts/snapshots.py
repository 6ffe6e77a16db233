"""A run's album: what the model made of the same codes and examples at up to 24 moments of its training."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from bnvae.data.dataset import Dataset, TextShape
from bnvae.runs.artifacts.data_card import DataCard
from bnvae.runs.storage.atomic_files import BrokenRunError, read_arrays, write_arrays
from bnvae.runs.storage.retry import insist

FOLDER = "snapshots"
MOST_SNAPSHOTS = 24
FEWEST_SNAPSHOTS = 8
"""but for the bytes"""
STEPS_A_SNAPSHOT = 100
"""of a training for each: to take one costs at most about as much as a step, so that all cost 1 % of a training"""
MOST_BYTES = 10 * 2**20
POINTS = 150
"""test examples, drawn at random, whose posteriors are kept"""
ARCHIVE_BYTES = 4_096
"""at most, for the names and headers of a file's parts"""
MOST_DIMENSIONS = 64
"""dimensions of them that are kept"""


@final
@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One moment of a training, of `POINTS` test examples and a few decoded pictures or sentences."""

    step: int
    mean: Float[Tensor, "N d"]
    """posterior means, the first 64 dimensions at most"""
    std: Float[Tensor, "N d"]
    labels: Int[Tensor, "N"]
    samples: Tensor
    """decoded from the same prior codes at every moment; pixels or tokens"""
    reconstructions: Tensor
    """of the first of these test examples"""


def planned(total_steps: int, bytes_each: int) -> list[int]:
    """Steps at which to take snapshots: logarithmically spaced, the first and the last step among them."""
    worthwhile = max(FEWEST_SNAPSHOTS, total_steps // STEPS_A_SNAPSHOT)
    count = max(2, min(MOST_SNAPSHOTS, MOST_BYTES // max(1, bytes_each), worthwhile))
    return sorted({round(float(step)) for step in np.geomspace(1, max(1, total_steps), count)})


def most_bytes(dataset: Dataset, latent_dimensions: int, pictures: int) -> int:
    """What a snapshot with so many decoded examples takes at most, before compression.

    Known before the first one is taken, so that a resumed run plans as an undisturbed one did.
    """
    points = min(POINTS, len(dataset.test))
    example, shape = dataset.test.examples[0].nbytes, dataset.shape
    if isinstance(shape, TextShape):
        example = max(example, 4 * (shape.max_tokens + 1))
    encodings = 2 * 2 * points * min(MOST_DIMENSIONS, latent_dimensions)
    return ARCHIVE_BYTES + encodings + 8 * points + pictures * example


def save(folder: Path, snapshot: Snapshot) -> None:
    album = folder / FOLDER
    insist(lambda: album.mkdir(exist_ok=True), album)
    write_arrays(
        album / f"{snapshot.step:09d}.npz",
        {
            "mean": _halved(snapshot.mean),
            "std": _halved(snapshot.std),
            "labels": snapshot.labels.numpy(),
            "samples": snapshot.samples.numpy(),
            "reconstructions": snapshot.reconstructions.numpy(),
        },
    )


def _halved(values: Float[Tensor, "N d"]) -> NDArray[np.float16]:
    """In half the bytes; the codes of a training that is about to fail may be larger than they can say."""
    largest = float(np.finfo(np.float16).max)
    return values.clamp(-largest, largest).numpy().astype(np.float16)


def load(folder: Path, card: DataCard) -> list[Snapshot]:
    """All snapshots of a run, the earliest first.

    Raises:
        BrokenRunError: one of them is damaged, or does not fit data.json.
    """
    paths = sorted((folder / FOLDER).glob("[0-9]*.npz"))
    moments = [_load(path, card) for path in paths[: 2 * MOST_SNAPSHOTS]]
    for path, moment in zip(paths, moments, strict=False):
        if moment.mean.shape[1] != moments[0].mean.shape[1]:
            raise BrokenRunError(f"{FOLDER}/{path.name}: it has other dimensions than {paths[0].name}.")
    return moments


def _load(path: Path, card: DataCard) -> Snapshot:
    stored = read_arrays(path, ("mean", "std", "labels", "samples", "reconstructions"))
    where = f"{FOLDER}/{path.name}:"
    mean, std = stored["mean"], stored["std"]
    if mean.ndim != 2 or mean.dtype.kind != "f" or (std.shape, std.dtype.kind) != (mean.shape, "f"):
        raise BrokenRunError(f"{where} mean {mean.shape} and std {std.shape} are not two equal tables of numbers.")
    if not re.fullmatch("[0-9]{9}", path.stem):
        raise BrokenRunError(f"{where} its name is not a step.")
    return Snapshot(
        step=int(path.stem),
        mean=torch.from_numpy(mean.astype(np.float32)),
        std=torch.from_numpy(std.astype(np.float32)),
        labels=card.labels(stored["labels"], len(mean), f"{where} labels"),
        samples=card.examples(stored["samples"], f"{where} samples"),
        reconstructions=card.examples(stored["reconstructions"], f"{where} reconstructions"),
    )
