"""Where the entropy of a source is known, and where a limit may have cut what it counts."""

import pytest

from bnvae.config.schema import DataConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import ImageShape, TextShape
from bnvae.data.datasets.source_entropy import source_entropy


def test_sentences_that_nothing_cut_have_the_entropy_of_their_grammar() -> None:
    config = DataConfig(name="storybook", training_examples=2_000)
    found = source_entropy(config, load_dataset(config).shape)
    assert found == pytest.approx(18.23, abs=0.005)  # measured when the grammar was described


@pytest.mark.parametrize(
    ("config", "shape"),
    [
        (DataConfig(max_tokens=12), TextShape(vocabulary_size=314, max_tokens=12)),
        (DataConfig(vocabulary_size=100), TextShape(vocabulary_size=100, max_tokens=24)),
        (DataConfig(name="text", path="mine.txt"), TextShape(vocabulary_size=314, max_tokens=24)),
        (DataConfig(name="mnist"), ImageShape(channels=1, height=28, width=28)),
    ],
)
def test_what_was_cut_or_nobody_knows_has_none(config: DataConfig, shape: TextShape | ImageShape) -> None:
    assert source_entropy(config, shape) is None
