"""A user's own pictures: a folder or a .zip, its sub-folders are the labels."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray

from bnvae.config import DataConfig
from bnvae.data.dataset import Dataset, ImageShape, Split
from bnvae.data.limits import Progress, check_enough, training_count
from bnvae.data.own_file import is_address, own_file
from bnvae.data.picture_sources import MOST_TOTAL_BYTES, PictureSource, open_source
from bnvae.data.pictures import FORMATS, decode_picture
from bnvae.data.random_rows import split

SIDE = 64


def load_own_images(config: DataConfig, progress: Progress) -> Dataset:
    """The pictures at `path`, cut to their middle square; grey if every one of them is grey.

    Raises:
        ValueError: the path holds no usable collection of pictures; the message names the file at fault.
        DownloadError: the path is an address from which nothing can be downloaded.
    """
    side = config.image_size or SIDE
    with open_source(_local(config, progress)) as source:
        check_enough(len(source.names), path=config.path, what=f"pictures ({', '.join(FORMATS)})")
        label_names, labels = _labels(source.names)
        training, validation, test = split(
            len(source.names), test_share=config.test_share, validation_share=config.validation_share, seed=config.seed
        )
        training = training[: training_count(config, len(training))]  # already in random order
        wanted = np.concatenate([training, test, validation])
        pixels = _only_grey_if_grey(_decoded(source, wanted, side, progress))
    targets = torch.tensor(labels, dtype=torch.int64)[torch.from_numpy(wanted)]
    whole = Split(examples=torch.from_numpy(pixels), labels=targets)
    places = np.split(np.arange(len(wanted)), [len(training), len(training) + len(test)])
    trained, tested, held = (whole.rows(place) for place in places)
    return Dataset(
        name=config.name,
        shape=ImageShape(channels=pixels.shape[1], height=side, width=side),
        training=trained,
        validation=held if len(held) else tested,
        test=tested,
        label_names=label_names,
    )


def _local(config: DataConfig, progress: Progress) -> Path:
    if not is_address(config.path) and os.path.isdir(folder := os.path.expanduser(config.path)):
        return Path(folder)
    return own_file(config.path, suffixes=(".zip",), most_bytes=MOST_TOTAL_BYTES, progress=progress)


def _decoded(source: PictureSource, wanted: NDArray[np.int64], side: int, progress: Progress) -> NDArray[np.uint8]:
    pixels = np.empty((len(wanted), 3, side, side), dtype=np.uint8)
    for row, index in enumerate(wanted):
        name = source.names[index]
        pixels[row] = decode_picture(source.read(name), name=name, side=side).transpose(2, 0, 1)
        progress("reading pictures", (row + 1) / len(wanted))
    return pixels


def _only_grey_if_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One channel where the three never differ, which also finds grey pictures that were saved in colour."""
    grey = all(np.array_equal(picture[0], picture[1]) and np.array_equal(picture[0], picture[2]) for picture in pixels)
    return np.ascontiguousarray(pixels[:, :1]) if grey else pixels


def _labels(names: Sequence[str]) -> tuple[tuple[str, ...], list[int]]:
    """The first sub-folder of each picture, below the folders that all share; -1 for a picture in none."""
    folders = [PurePosixPath(name).parent.parts for name in names]
    shared = 0
    while all(len(parts) > shared and parts[shared] == folders[0][shared] for parts in folders):
        shared += 1
    labels = [parts[shared] if len(parts) > shared else None for parts in folders]
    label_names = tuple(sorted({label for label in labels if label is not None}))
    indices = {label: index for index, label in enumerate(label_names)}
    return label_names, [-1 if label is None else indices[label] for label in labels]
