"""Published data, read from the folder that BNVAE_REAL_DATA names: mnist/, snli/ and tang_couplets/ in it."""

import os
from pathlib import Path

import pytest
import torch

from bnvae.config.schema import DataConfig
from bnvae.data import decode, load_dataset

pytestmark = pytest.mark.real_data


@pytest.fixture
def folder() -> Path:
    if not (named := os.environ.get("BNVAE_REAL_DATA", "")):
        pytest.skip("BNVAE_REAL_DATA does not name a folder of published data")
    return Path(named)


def test_mnist_has_its_published_moments(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNVAE_DATA", str(folder))
    pixels = load_dataset(DataConfig(name="mnist")).training.examples.double() / 255
    assert pixels.mean().item() == pytest.approx(0.1307, abs=5e-5)
    assert pixels.std().item() == pytest.approx(0.3081, abs=5e-5)


def test_mnist_has_its_published_labels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNVAE_DATA", str(folder))
    dataset = load_dataset(DataConfig(name="mnist"))
    assert dataset.training.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert torch.bincount(dataset.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_snli_comes_back_word_for_word(folder: Path) -> None:
    file = folder / "snli" / "snli.test.txt"
    dataset = load_dataset(DataConfig(name="text", path=str(file), max_tokens=128, test_share=0.01))
    assert dataset.tokenizer is not None
    lines = {" ".join(line.split()) for line in file.read_text(encoding="utf-8").splitlines()}
    told = decode(dataset.tokenizer, dataset.training.examples)
    assert sum(line in lines for line in told) / len(told) > 0.99  # the rest has numbers such as 1,000 or typing errors


def test_couplets_have_ten_characters(folder: Path) -> None:
    file = folder / "tang_couplets" / "tang_wuyan_couplets.txt"
    config = DataConfig(name="text", path=str(file), tokenizer="characters", training_examples=20_000)
    dataset = load_dataset(config)
    assert dataset.training.examples.shape == (20_000, 12)
    assert dataset.tokenizer is not None
    assert all(len(line) == 10 for line in decode(dataset.tokenizer, dataset.training.examples[:100]))
