"""MNIST, Fashion-MNIST and KMNIST: four gzipped idx files each, in one folder of the cache.

Addresses and md5 sums are torchvision's.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bnvae.config.schema import DataConfig
from bnvae.data.dataset import Dataset, ImageShape, Split
from bnvae.data.datasets.held_back import published_rows
from bnvae.data.datasets.idx import read_idx
from bnvae.data.download.fetch import cache_folder, fetch
from bnvae.data.limits import Progress

SIDE = 28
TRAINING_EXAMPLES, TEST_EXAMPLES = 60_000, 10_000
FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
ENCRYPTED_MIRRORS = {
    "FashionMNIST": ["https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"],
    "KMNIST": ["https://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
}
"""tried before torchvision's, which for these are plain http"""
_CLASSES = 10
_MOST_BYTES = 64 << 20


def load_mnist(config: DataConfig, progress: Progress) -> Dataset:
    """Handwritten digits (LeCun et al. 1998)."""
    return _load(config, "MNIST", ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], progress)


def load_fashion_mnist(config: DataConfig, progress: Progress) -> Dataset:
    """Pictures of clothes (Xiao et al. 2017)."""
    return _load(config, "FashionMNIST", CLOTHES, progress)


def load_kmnist(config: DataConfig, progress: Progress) -> Dataset:
    """Cursive Japanese characters (Clanuwat et al. 2018)."""
    return _load(config, "KMNIST", ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"], progress)


def _load(config: DataConfig, published: str, label_names: Sequence[str], progress: Progress) -> Dataset:
    folder = cache_folder() / config.name
    kept, held = published_rows(config, TRAINING_EXAMPLES)
    if not all((folder / name).is_file() for name in FILES):
        _fetch_all(published, folder, progress)
    training_images, training_labels, test_images, test_labels = (folder / name for name in FILES)
    published_training = _read(training_images, training_labels, TRAINING_EXAMPLES)
    test = _read(test_images, test_labels, TEST_EXAMPLES)
    return Dataset(
        name=config.name,
        shape=ImageShape(channels=1, height=SIDE, width=SIDE),
        training=published_training.rows(kept),
        validation=published_training.rows(held) if len(held) else test,
        test=test,
        label_names=tuple(label_names),
    )


def _fetch_all(published: str, folder: Path, progress: Progress) -> None:
    # It imports all of torchvision, more than a second: not for files that are there.
    from torchvision import datasets

    known = getattr(datasets, published)
    mirrors = [*ENCRYPTED_MIRRORS.get(published, ()), *known.mirrors]
    for name, md5 in known.resources:
        addresses = [f"{mirror}{name}" for mirror in mirrors]
        fetch(addresses, folder / name, most_bytes=_MOST_BYTES, progress=progress, md5=md5)


def _read(images_file: Path, labels_file: Path, examples: int) -> Split:
    images = read_idx(images_file, (examples, SIDE, SIDE))
    labels = _checked(read_idx(labels_file, (examples,)), labels_file)
    return Split(examples=torch.from_numpy(images[:, None].copy()), labels=torch.from_numpy(labels.astype(np.int64)))


def _checked(labels: NDArray[np.uint8], file: Path) -> NDArray[np.uint8]:
    if labels.max() >= _CLASSES:
        raise ValueError(f"file {file} is not usable: label {labels.max()} is none of the {_CLASSES}. Delete it.")
    return labels
