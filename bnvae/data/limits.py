"""What every loader agrees on: how it reports progress and how many examples it is asked for."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnvae.config.schema import DataConfig
from bnvae.data.random_subset import random_subset

Progress = Callable[[str, float], None]
"""Told what is being done and how much of it is done (fraction)."""

FEWEST_EXAMPLES = 10
"""Own data with fewer examples is refused: nothing can be learnt from it or tested on it."""


def training_count(config: DataConfig, available: int) -> int:
    """Training examples to make: `training_examples`, or all that are available; for data drawn one by one at random.

    Raises:
        ValueError: more are wanted than there are.
    """
    wanted = config.training_examples
    if wanted > available:
        raise ValueError(
            f"training_examples is {wanted}: data {config.name!r} has {available}; give at most that, or 0 for all."
        )
    return wanted or available


def training_rows(config: DataConfig, available: int) -> NDArray[np.int64]:
    """Row numbers of the training examples to load: all, or a random subset of `training_examples`, in rising order.

    A published file is in no random order: MNIST's alternates between two groups of writers. `data.seed` decides the
    subset; with `subset` "first" it is the beginning of the file.

    Raises:
        ValueError: more are wanted than there are.
    """
    count = training_count(config, available)
    if config.subset == "first":
        return np.arange(count)
    return random_subset(available, count, seed=config.seed).numpy()


def check_enough(found: int, *, path: str, what: str) -> None:
    """Refuses own data too small to learn from.

    Raises:
        ValueError: fewer than `FEWEST_EXAMPLES` were found.
    """
    if found < FEWEST_EXAMPLES:
        raise ValueError(f"path is {path!r}: it holds {found} {what}; at least {FEWEST_EXAMPLES} are needed.")
