"""CelebA (Liu et al. 2015): 202,599 faces with 40 attributes, cut to their middle square.

The pictures are read out of the published .zip, never unpacked, and kept as one array for the next time. Google Drive,
their only home, often refuses for a day; files put into the cache folder by hand serve as well.
"""

import os
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray

from bnvae.config.schema import DataConfig
from bnvae.data.dataset import Dataset, ImageShape, Split
from bnvae.data.download.fetch import cache_folder, fetch
from bnvae.data.images.decode_image import decode_picture
from bnvae.data.images.image_sources import PictureZip
from bnvae.data.limits import Progress, training_rows

SIDE = 64
PICTURES, ATTRIBUTES, PARTITION = "img_align_celeba.zip", "list_attr_celeba.txt", "list_eval_partition.txt"
LABEL = "Smiling"
_TRAINING, _VALIDATION, _TEST = range(3)
_MOST_BYTES = 2 << 30
_MOST_LINES = 250_000


def load_celeba(config: DataConfig, progress: Progress) -> Dataset:
    """162,770 faces for training, 19,867 for validation and 19,962 for testing, as published.

    The label is whether they smile, the factors are all attributes.
    """
    folder = cache_folder() / "celeba"
    _fetch_all(folder, progress)
    side = config.image_size or SIDE
    parts = read_partition(folder / PARTITION)
    names, attributes = read_attributes(folder / ATTRIBUTES)
    training = [name for name, part in parts.items() if part == _TRAINING]
    training = [training[row] for row in training_rows(config, len(training))]
    held = [name for name, part in parts.items() if part == _VALIDATION] if config.validation_share else []
    test = [name for name, part in parts.items() if part == _TEST]
    if missing := [name for name in (*training, *held, *test) if name not in attributes]:
        raise _damaged(folder / ATTRIBUTES, f"it lacks {missing[0]}")
    parts_of = [training, test, *([held] if held else [])]
    trained, tested, *validated = (_split(folder, part, names, attributes, side, progress) for part in parts_of)
    return Dataset(
        name="celeba",
        shape=ImageShape(channels=3, height=side, width=side),
        training=trained,
        validation=validated[0] if validated else tested,
        test=tested,
        label_names=("no", "yes"),
        factor_names=dict.fromkeys(names, ("no", "yes")),
    )


def read_partition(file: Path) -> dict[str, int]:
    """Each picture's split: 0 training, 1 validation, 2 test.

    Raises:
        ValueError: a line is not a picture's name and a split.
    """
    parts: dict[str, int] = {}
    for line in _lines(file):
        name, _, part = line.partition(" ")
        if part not in ("0", "1", "2"):
            raise _damaged(file, f"line {line[:50]!r} is not a picture and its split")
        parts[name] = int(part)
    return parts


def read_attributes(file: Path) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
    """The names of the attributes, and for each picture whether it has them (0 or 1).

    Raises:
        ValueError: the file has another form, or does not know the attribute that is the label.
    """
    lines = _lines(file)
    names = tuple(lines[1].split()) if len(lines) > 1 else ()
    if LABEL not in names:
        raise _damaged(file, f"its second line does not name {LABEL}")
    attributes = {}
    for line in lines[2:]:
        picture, *values = line.split()
        if len(values) != len(names) or not set(values) <= {"-1", "1"}:
            raise _damaged(file, f"line {line[:50]!r} is not a picture and {len(names)} times 1 or -1")
        attributes[picture] = tuple(int(value == "1") for value in values)
    return names, attributes


def _fetch_all(folder: Path, progress: Progress) -> None:
    if all((folder / name).is_file() for name in (PICTURES, ATTRIBUTES, PARTITION)):
        return
    from torchvision.datasets import CelebA  # takes seconds

    for key, md5, name in CelebA.file_list:
        if name in (PICTURES, ATTRIBUTES, PARTITION):
            address = f"https://drive.usercontent.google.com/download?id={key}&export=download&confirm=t"
            fetch([address], folder / name, most_bytes=_MOST_BYTES, progress=progress, md5=md5)


def _split(
    folder: Path,
    pictures: list[str],
    names: tuple[str, ...],
    attributes: dict[str, tuple[int, ...]],
    side: int,
    progress: Progress,
) -> Split:
    table = torch.tensor([attributes[picture] for picture in pictures], dtype=torch.int64).reshape(-1, len(names))
    return Split(
        examples=torch.from_numpy(_pixels(folder, pictures, side, progress)),
        labels=table[:, names.index(LABEL)].clone(),
        factors={name: table[:, column].clone() for column, name in enumerate(names)},
    )


def _pixels(folder: Path, pictures: list[str], side: int, progress: Progress) -> NDArray[np.uint8]:
    shape = (len(pictures), 3, side, side)
    kept = folder / f"{PurePosixPath(pictures[0]).stem}-{len(pictures)}-{side}.npy"
    if kept.is_file():
        pixels = np.load(kept, allow_pickle=False)
        if pixels.shape == shape and pixels.dtype == np.uint8:
            return np.asarray(pixels)
    pixels = np.empty(shape, dtype=np.uint8)
    with PictureZip(folder / PICTURES) as archive:
        for row, name in enumerate(pictures):
            content = archive.read(f"img_align_celeba/{name}")
            pixels[row] = decode_picture(content, name=name, side=side).transpose(2, 0, 1)
            progress("reading faces", (row + 1) / len(pictures))
    if os.access(folder, os.W_OK):
        _keep(pixels, kept)
    return pixels


def _keep(pixels: NDArray[np.uint8], target: Path) -> None:
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    with unfinished.open("wb") as file:
        np.save(file, pixels, allow_pickle=False)
    os.replace(unfinished, target)


def _lines(file: Path) -> list[str]:
    with file.open(encoding="ascii", errors="replace") as opened:
        lines = [line.strip() for _, line in zip(range(_MOST_LINES), opened, strict=False)]
    return [line for line in lines if line]


def _damaged(file: Path, reason: str) -> ValueError:
    return ValueError(f"file {file} is not usable: {reason}. Delete it, and it is downloaded again.")
