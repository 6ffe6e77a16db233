"""The entropy of a data set's source, where it is known."""

from bnvae.config.schema import DataConfig
from bnvae.data.dataset import ImageShape, TextShape
from bnvae.data.storybook.grammar_entropy import grammar_entropy


def source_entropy(config: DataConfig, shape: ImageShape | TextShape) -> float | None:
    """Entropy of one example of the source in nats, >= 0: what no model of the source can go below.

    None where it is unknown, and where the vocabulary or the length of sentences may have cut some words.
    """
    if config.name != "storybook" or not isinstance(shape, TextShape):
        return None
    is_whole = config.tokenizer != "words" or shape.vocabulary_size < config.vocabulary_size
    return grammar_entropy() if is_whole and shape.max_tokens < config.max_tokens else None
