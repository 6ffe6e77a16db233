import numpy as np
from sklearn.datasets import load_digits

from bnvae.config import DataConfig
from bnvae.data import load_dataset


def test_training_and_test_together_are_the_bundled_digits() -> None:
    dataset = load_dataset(DataConfig(name="digits"))
    assert (len(dataset.training), len(dataset.test)) == (1_500, 297)
    rows = np.concatenate([dataset.training.examples.numpy(), dataset.test.examples.numpy()]).reshape(-1, 64)
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
