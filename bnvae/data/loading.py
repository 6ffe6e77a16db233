"""From a configuration to its data set: the one place where every source of data is listed."""

import dataclasses
import hashlib
from collections.abc import Callable

import torch
from jaxtyping import UInt8
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from bnvae.config.schema import DataConfig, DataName
from bnvae.data.custom.custom_images import load_own_images
from bnvae.data.custom.custom_text import load_own_text
from bnvae.data.dataset import Dataset, ImageShape
from bnvae.data.datasets.celeba import load_celeba
from bnvae.data.datasets.cifar10 import load_cifar10
from bnvae.data.datasets.digits import load_digits
from bnvae.data.datasets.mnist import load_fashion_mnist, load_kmnist, load_mnist
from bnvae.data.datasets.shapes import load_shapes
from bnvae.data.limits import Progress
from bnvae.data.random_subset import BINARISE_TEST, BINARISE_TRAINING, BINARISE_VALIDATION, random_rows
from bnvae.data.storybook.corpus import load_storybook
from bnvae.data.text.sentences import Corpus, tokenised
from bnvae.data.text.vocabulary_file import tokenizer_to_json

DATASETS: dict[DataName, Callable[[DataConfig, Progress], Dataset | Corpus]] = {
    "storybook": load_storybook,
    "digits": load_digits,
    "shapes": load_shapes,
    "mnist": load_mnist,
    "fashion-mnist": load_fashion_mnist,
    "kmnist": load_kmnist,
    "cifar10": load_cifar10,
    "celeba": load_celeba,
    "images": load_own_images,
    "text": load_own_text,
}

_BINARISE = {"training": BINARISE_TRAINING, "validation": BINARISE_VALIDATION, "test": BINARISE_TEST}
_EXAMPLES_AT_ONCE = 1_000
"""Bounds the memory that scaling and binarising take."""


def load_dataset(
    config: DataConfig,
    *,
    tokenizer: Tokenizer | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Dataset:
    """The data set that the configuration describes; equal configurations give equal data.

    `tokenizer` is the vocabulary of an earlier run, used instead of training one. `progress` is told what is being
    done and which share of it is done.

    Raises:
        ValueError: the configuration asks for what this data cannot give, or own data is not usable.
        DownloadError: a published data set cannot be downloaded.
    """
    report = progress or _silent
    loaded = DATASETS[config.name](config, report)
    dataset = tokenised(loaded, config, tokenizer=tokenizer) if isinstance(loaded, Corpus) else loaded
    if isinstance(dataset.shape, ImageShape):
        dataset = _scaled(dataset, config.image_size or dataset.shape.height)
    if config.binarise:
        dataset = _binarised(dataset, config.seed)
    report("reading the data", 1.0)
    return dataclasses.replace(dataset, digest=_digest(dataset))


def _scaled(dataset: Dataset, side: int) -> Dataset:
    assert isinstance(dataset.shape, ImageShape)
    if side == dataset.shape.height:
        return dataset
    return _with_images(dataset, {name: _resized(split.examples, side) for name, split in dataset.splits.items()})


def _resized(images: UInt8[Tensor, "N C H W"], side: int) -> UInt8[Tensor, "N C side side"]:
    chunks = [
        functional.interpolate(chunk.float(), size=(side, side), mode="bilinear", antialias=True).round().byte()
        for chunk in torch.split(images, _EXAMPLES_AT_ONCE)
    ]
    return torch.cat(chunks)


def _binarised(dataset: Dataset, seed: int) -> Dataset:
    if not isinstance(dataset.shape, ImageShape) or dataset.shape.channels != 1:
        raise ValueError(f"binarise is True: data {dataset.name!r} has no grey pictures; turn it off.")
    return _with_images(
        dataset,
        {name: _drawn(split.examples, seed, stream=_BINARISE[name]) for name, split in dataset.splits.items()},
    )


def _drawn(images: UInt8[Tensor, "N 1 H W"], seed: int, *, stream: int) -> UInt8[Tensor, "N 1 H W"]:
    """Each pixel 255 with probability pixel / 255, else 0 (Salakhutdinov & Murray 2008)."""
    drawn = torch.empty_like(images)
    for start in range(0, len(images), _EXAMPLES_AT_ONCE):
        chunk = images[start : start + _EXAMPLES_AT_ONCE]
        numbers = random_rows(seed, stream=stream, count=len(chunk), width=chunk[0].numel(), start=start)
        drawn[start : start + len(chunk)] = (torch.from_numpy(numbers).reshape(chunk.shape) * 255 < chunk).byte() * 255
    return drawn


def _with_images(dataset: Dataset, images: dict[str, Tensor]) -> Dataset:
    """The data set with other pictures in each of its splits."""
    _, channels, height, width = images["training"].shape
    found = {name: dataclasses.replace(split, examples=images[name]) for name, split in dataset.splits.items()}
    return dataclasses.replace(
        dataset,
        shape=ImageShape(channels=channels, height=height, width=width),
        training=found["training"],
        validation=found.get("validation", found["test"]),
        test=found["test"],
    )


def _digest(dataset: Dataset) -> str:
    """Over examples, labels and vocabulary: equal token ids are other sentences under another vocabulary.

    A validation split comes after the others: without one the digest is that of earlier versions.
    """
    total = hashlib.sha256()
    splits = [dataset.training, dataset.test, *([dataset.validation] if dataset.has_validation else [])]
    for tensor in (s for split in splits for s in (split.examples, split.labels)):
        total.update(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
        total.update(tensor.contiguous().numpy().data)
    if dataset.tokenizer is not None:
        total.update(tokenizer_to_json(dataset.tokenizer).encode())
    return total.hexdigest()


def _silent(what: str, share: float) -> None:
    """Nobody wants to know."""
