"""A user's own pictures: a folder or a .zip, its sub-folders are the labels, or those of each split are."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bnvae.config.schema import DataConfig
from bnvae.data.custom.custom_file import is_address, own_file
from bnvae.data.custom.image_folders import Picture, pictures_at, split_folders
from bnvae.data.custom.overlap import check_labels, kept_apart
from bnvae.data.custom.text_files import FIELDS
from bnvae.data.dataset import Dataset, ImageShape, Split
from bnvae.data.images.decode_image import FORMATS, decode_picture
from bnvae.data.images.image_sources import MOST_TOTAL_BYTES, open_source
from bnvae.data.limits import Progress, check_enough, training_count
from bnvae.data.random_subset import split

SIDE = 64


def load_own_images(config: DataConfig, progress: Progress) -> Dataset:
    """The pictures at `path` and at the paths of splits, cut to their middle square; grey if every one of them is grey.

    A split without a folder of its own is a seeded share of the pictures for training.

    Raises:
        ValueError: a path holds no usable collection of pictures; the message names the file at fault.
        DownloadError: a path is an address from which nothing can be downloaded.
    """
    side = config.image_size or SIDE
    with ExitStack() as opened:
        found = _found(config, opened, progress)
        label_names = tuple(sorted({one.label for part in found.values() for one in part if one.label}))
        own = found.pop("training")
        check_enough(len(own), path=config.path, what=f"pictures ({', '.join(FORMATS)})")
        shares = [
            0.0 if name in found else share
            for name, share in (("test", config.test_share), ("validation", config.validation_share))
        ]
        training, validation, test = split(len(own), test_share=shares[0], validation_share=shares[1], seed=config.seed)
        training = training[: training_count(config, len(training))]  # already in random order
        parts = {"training": training, "test": test, "validation": validation}
        files = {"training": [own[row] for row in np.concatenate(list(parts.values()))], **found}
        pixels = _only_grey_if_grey(_decoded([one for part in files.values() for one in part], side, progress))
    cut = np.split(pixels, np.cumsum([len(part) for part in files.values()])[:-1])
    read = {name: _as_split(part, images, label_names) for (name, part), images in zip(files.items(), cut, strict=True)}
    kept, note = _apart(files, read, config)
    borders = np.cumsum([len(part) for part in parts.values()])
    # Rows of the pictures for training that are left, by the seeded part that each is in.
    places = np.searchsorted(borders, kept["training"], side="right")
    splits = {
        name: read["training"].rows(kept["training"][places == place])
        for place, name in enumerate(parts)
        if name not in found
    }
    splits |= {name: read[name].rows(kept[name]) for name in found}
    return Dataset(
        name=config.name,
        shape=ImageShape(channels=pixels.shape[1], height=side, width=side),
        training=splits["training"],
        validation=splits["validation"] if len(splits["validation"]) else splits["test"],
        test=splits["test"],
        label_names=label_names,
        note=note,
    )


def _found(config: DataConfig, opened: ExitStack, progress: Progress) -> dict[str, list[Picture]]:
    """The pictures of each split that has a folder, with their labels."""
    source = opened.enter_context(open_source(_local(config.path, "path", progress)))
    found = split_folders(source, config.path)
    labels = {one.label for one in found["training"]}
    for name in ("validation", "test"):
        field = FIELDS[name]
        if not (path := getattr(config, field)):
            continue
        if path == config.path or name in found:
            raise ValueError(f"{field} is {path!r}: path has the pictures for {name} too; leave one of them out.")
        other = opened.enter_context(open_source(_local(path, field, progress)))
        if not other.names:
            raise ValueError(
                f"{field} is {path!r}: it holds no pictures ({', '.join(FORMATS)}); fill it, or leave it out."
            )
        found[name] = pictures_at(other, labels)
    if len(found) > 1:
        check_labels({name: [one.label for one in part] for name, part in found.items()}, path=config.path)
    return found


def _local(path: str, field: str, progress: Progress) -> Path:
    if not is_address(path) and os.path.isdir(folder := os.path.expanduser(path)):
        return Path(folder)
    try:
        return own_file(path, suffixes=(".zip",), most_bytes=MOST_TOTAL_BYTES, progress=progress)
    except ValueError as error:
        raise (error if field == "path" else ValueError(f"{field}: {error}")) from None


def _apart(
    files: Mapping[str, Sequence[Picture]], read: Mapping[str, Split], config: DataConfig
) -> tuple[dict[str, NDArray[np.int64]], str]:
    """The rows of each file's pictures that stand in no other, compared as they are trained on."""
    if len(files) == 1:
        return {"training": np.arange(len(read["training"]))}, ""
    keys = {
        name: [hashlib.sha256(picture.numpy().tobytes()).digest() for picture in split.examples]
        for name, split in read.items()
    }
    names = {name: [one.name for one in part] for name, part in files.items()}
    return kept_apart(keys, path=config.path, shown=names, what="pictures")


def _as_split(pictures: Sequence[Picture], pixels: NDArray[np.uint8], label_names: Sequence[str]) -> Split:
    indices = {label: index for index, label in enumerate(label_names)} | {"": -1}
    labels = torch.tensor([indices[one.label] for one in pictures], dtype=torch.int64)
    return Split(examples=torch.from_numpy(pixels), labels=labels)


def _decoded(wanted: Sequence[Picture], side: int, progress: Progress) -> NDArray[np.uint8]:
    pixels = np.empty((len(wanted), 3, side, side), dtype=np.uint8)
    for row, one in enumerate(wanted):
        pixels[row] = decode_picture(one.source.read(one.name), name=one.name, side=side).transpose(2, 0, 1)
        progress("reading pictures", (row + 1) / len(wanted))
    return pixels


def _only_grey_if_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One channel where the three never differ, which also finds grey pictures that were saved in colour."""
    grey = all(np.array_equal(picture[0], picture[1]) and np.array_equal(picture[0], picture[2]) for picture in pixels)
    return np.ascontiguousarray(pixels[:, :1]) if grey else pixels
