"""Random numbers that are a function of (seed, stream, row): row i is the same however many rows are asked for."""

import numpy as np
import torch
from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

SHUFFLE, TRAINING, TEST, BINARISE_TRAINING, BINARISE_TEST, SUBSET, VALIDATION, BINARISE_VALIDATION = range(8)
"""Streams: two uses of one seed must not share their random numbers."""

_WORDS_A_BLOCK = 4


def random_rows(seed: int, *, stream: int, count: int, width: int, start: int = 0) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1), shape (count, width): rows `start` and following.

    Drawn from the raw words of the counter-based Philox generator (Salmon et al. 2011), which numpy promises to
    keep the same in every version; its distributions and `permutation` carry no such promise.
    """
    blocks, rest = divmod(start * width, _WORDS_A_BLOCK)
    assert rest == 0
    words = np.random.Philox(key=[seed, stream], counter=blocks).random_raw(count * width)
    return np.asarray((words >> np.uint64(11)) * 2.0**-53, dtype=np.float64).reshape(count, width)


def shuffled(count: int, seed: int) -> NDArray[np.int64]:
    """The numbers 0 to count - 1 in an order decided by the seed."""
    return np.argsort(random_rows(seed, stream=SHUFFLE, count=count, width=1)[:, 0], kind="stable")


def random_subset(count: int, most: int, *, seed: int = 0) -> Int64[Tensor, "K"]:
    """Indices of at most `most` of `count` rows, in rising order: all of them, or a random subset without replacement.

    Every k-th row, or the first few, need not resemble the rest: MNIST's training file alternates between two groups of
    writers, and other files are sorted by class. Whatever stands for a whole data set is drawn here.
    """
    if count <= most:
        return torch.arange(count)
    return subset_order(count, seed=seed)[:most].sort().values


def subset_order(count: int, *, seed: int = 0) -> Int64[Tensor, "N"]:
    """All row numbers in a random order: any first n of them are a random subset, and part of each larger one."""
    keys = random_rows(seed, stream=SUBSET, count=count, width=1)[:, 0]
    return torch.from_numpy(np.argsort(keys, kind="stable"))


def hold_back(count: int, held: int, *, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices that stay and `held` random ones that are held back for validation, both in rising order."""
    keys = random_rows(seed, stream=VALIDATION, count=count, width=1)[:, 0]
    order = np.argsort(keys, kind="stable")
    return np.sort(order[held:]), np.sort(order[:held])


def split(
    count: int, *, test_share: float, validation_share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Indices for training, validation and testing, all shuffled; at least one of each whose share is above 0.

    Which are held back for testing does not depend on the share for validation.
    """
    assert count >= 3
    tested = min(max(round(count * test_share), 1), count - 2) if test_share else 0
    validated = min(max(round(count * validation_share), 1), count - tested - 1) if validation_share else 0
    order = shuffled(count, seed)
    return order[tested + validated :], order[tested : tested + validated], order[:tested]
