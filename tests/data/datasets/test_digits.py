import numpy as np
import pytest
from sklearn.datasets import load_digits

from bnvae.config.schema import DataConfig
from bnvae.data import load_dataset


@pytest.mark.parametrize(("share", "sizes"), [(0.1, [297, 200, 1_300]), (0.0, [297, 1_500])])
def test_the_splits_together_are_the_bundled_digits(share: float, sizes: list[int]) -> None:
    dataset = load_dataset(DataConfig(name="digits", validation_share=share))
    assert [len(split) for split in dataset.splits.values()] == sizes
    rows = np.concatenate([split.examples.numpy() for split in dataset.splits.values()]).reshape(-1, 64)
    expected = np.round(load_digits().data * 255 / 16).astype(np.uint8)
    assert sorted(map(bytes, rows)) == sorted(map(bytes, expected))


def test_a_picture_keeps_its_label() -> None:
    dataset = load_dataset(DataConfig(name="digits"))
    pixels, targets = load_digits(return_X_y=True)
    scaled = np.round(pixels * 255 / 16).astype(np.uint8)
    labels = {row.tobytes(): int(target) for row, target in zip(scaled, targets, strict=True)}
    for image, label in zip(dataset.test.examples.numpy(), dataset.test.labels.tolist(), strict=True):
        assert dataset.label_names[label] == str(labels[image.tobytes()])


def test_every_digit_is_tested() -> None:
    assert set(load_dataset(DataConfig(name="digits")).test.labels.tolist()) == set(range(10))
