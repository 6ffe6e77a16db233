"""Which rows of a published training file are held back for validation, where no file is published for that."""

import numpy as np
from numpy.typing import NDArray

from bnvae.config.schema import DataConfig
from bnvae.data.limits import training_rows
from bnvae.data.random_subset import hold_back

VALIDATION_EXAMPLES = 5_000
_SEED = 0


def published_rows(config: DataConfig, available: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on, and random rows for validation: always the same ones, so that runs compare.

    Raises:
        ValueError: more training examples are wanted than there are.
    """
    kept, held = hold_back(available, VALIDATION_EXAMPLES if config.validation_share else 0, seed=_SEED)
    return kept[training_rows(config, len(kept))], held
