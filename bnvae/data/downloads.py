"""MNIST, Fashion-MNIST and KMNIST: four gzipped idx files each, in one folder of the cache.

Addresses and md5 sums are torchvision's. Where it lists http only, https is tried first.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bnvae.config import DataConfig
from bnvae.data.dataset import Dataset, ImageShape, Split
from bnvae.data.fetch import cache_folder, fetch
from bnvae.data.idx import read_idx
from bnvae.data.limits import Progress, training_count

SIDE = 28
TRAINING_EXAMPLES, TEST_EXAMPLES = 60_000, 10_000
_CLASSES = 10
_MOST_BYTES = 64 << 20


def load_mnist(config: DataConfig, progress: Progress) -> Dataset:
    """Handwritten digits (LeCun et al. 1998)."""
    from torchvision.datasets import MNIST  # takes seconds

    names = [name.partition(" ")[0] for name in MNIST.classes]
    return _load(config, MNIST.resources, MNIST.mirrors, names, progress)


def load_fashion_mnist(config: DataConfig, progress: Progress) -> Dataset:
    """Pictures of clothes (Xiao et al. 2017)."""
    from torchvision.datasets import FashionMNIST

    encrypted = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"
    return _load(config, FashionMNIST.resources, [encrypted, *FashionMNIST.mirrors], FashionMNIST.classes, progress)


def load_kmnist(config: DataConfig, progress: Progress) -> Dataset:
    """Cursive Japanese characters (Clanuwat et al. 2018)."""
    from torchvision.datasets import KMNIST

    encrypted = [mirror.replace("http://", "https://") for mirror in KMNIST.mirrors]
    return _load(config, KMNIST.resources, [*encrypted, *KMNIST.mirrors], KMNIST.classes, progress)


def _load(
    config: DataConfig,
    resources: Sequence[tuple[str, str]],
    mirrors: Sequence[str],
    label_names: Sequence[str],
    progress: Progress,
) -> Dataset:
    folder = cache_folder() / config.name
    count = training_count(config, TRAINING_EXAMPLES)
    # torchvision lists them in this order, and a test holds it to that.
    training_images, training_labels, test_images, test_labels = (
        fetch(
            [f"{mirror}{name}" for mirror in mirrors], folder / name, most_bytes=_MOST_BYTES, progress=progress, md5=md5
        )
        for name, md5 in resources
    )
    return Dataset(
        name=config.name,
        shape=ImageShape(channels=1, height=SIDE, width=SIDE),
        training=_split(training_images, training_labels, TRAINING_EXAMPLES, count),
        test=_split(test_images, test_labels, TEST_EXAMPLES, TEST_EXAMPLES),
        label_names=tuple(label_names),
    )


def _split(images_file: Path, labels_file: Path, examples: int, count: int) -> Split:
    images = read_idx(images_file, (examples, SIDE, SIDE))[:count]
    labels = _checked(read_idx(labels_file, (examples,))[:count], labels_file)
    return Split(examples=torch.from_numpy(images[:, None].copy()), labels=torch.from_numpy(labels.astype(np.int64)))


def _checked(labels: NDArray[np.uint8], file: Path) -> NDArray[np.uint8]:
    if labels.max() >= _CLASSES:
        raise ValueError(f"file {file} is not usable: label {labels.max()} is none of the {_CLASSES}. Delete it.")
    return labels
