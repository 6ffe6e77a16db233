"""What every loader agrees on: how it reports progress and how many examples it is asked for."""

from collections.abc import Callable

from bnvae.config import DataConfig

Progress = Callable[[str, float], None]
"""Told what is being done and how much of it is done (fraction)."""

FEWEST_EXAMPLES = 10
"""Own data with fewer examples is refused: nothing can be learnt from it or tested on it."""


def training_count(config: DataConfig, available: int) -> int:
    """Training examples to load: `training_examples`, or all that are available.

    Every loader delivers its training examples in random order, so the first ones are a fair sample.

    Raises:
        ValueError: more are wanted than there are.
    """
    wanted = config.training_examples
    if wanted > available:
        raise ValueError(
            f"training_examples is {wanted}: data {config.name!r} has {available}; give at most that, or 0 for all."
        )
    return wanted or available


def check_enough(found: int, *, path: str, what: str) -> None:
    """Refuses own data too small to learn from.

    Raises:
        ValueError: fewer than `FEWEST_EXAMPLES` were found.
    """
    if found < FEWEST_EXAMPLES:
        raise ValueError(f"path is {path!r}: it holds {found} {what}; at least {FEWEST_EXAMPLES} are needed.")
