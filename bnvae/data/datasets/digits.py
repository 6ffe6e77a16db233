"""1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn (UCI, Alpaydin & Kaynak 1998)."""

import numpy as np
import torch

from bnvae.config.schema import DataConfig
from bnvae.data.dataset import Dataset, ImageShape, Split
from bnvae.data.limits import Progress, training_count
from bnvae.data.random_subset import shuffled

VALIDATION_EXAMPLES, TEST_EXAMPLES = 200, 297
_BRIGHTEST = 16
_ORDER_SEED = 0


def load_digits(config: DataConfig, progress: Progress) -> Dataset:
    """1,300 digits for training, 200 for validation and 297 for testing, always the same ones, so that runs compare.

    1,500 for training where none are held back for validation.
    """
    from sklearn.datasets import load_digits as bundled  # takes a second

    progress("reading digits", 0.0)
    pixels, labels = bundled(return_X_y=True)
    order = shuffled(len(pixels), _ORDER_SEED)
    scaled = np.rint(pixels[order] * (255 / _BRIGHTEST)).astype(np.uint8)
    images = torch.from_numpy(scaled.reshape(-1, 1, 8, 8))
    targets = torch.from_numpy(labels[order].astype(np.int64))

    def rows(start: int, end: int) -> Split:
        return Split(examples=images[start:end].clone(), labels=targets[start:end].clone())

    # All are in random order already.
    test, held = rows(0, TEST_EXAMPLES), TEST_EXAMPLES
    validation = test
    if config.validation_share:
        held += VALIDATION_EXAMPLES
        validation = rows(TEST_EXAMPLES, held)
    count = training_count(config, len(images) - held)
    return Dataset(
        name="digits",
        shape=ImageShape(channels=1, height=8, width=8),
        training=rows(held, held + count),
        validation=validation,
        test=test,
        label_names=tuple("0123456789"),
    )
