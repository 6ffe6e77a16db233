"""The five networks, and how each is built for both sides."""

import dataclasses
from collections.abc import Callable
from typing import Final, final

from torch import Tensor, nn

from benchmarks.accelerator.bare_networks import BareConv, BareTransformer
from benchmarks.bare import BareLstm
from benchmarks.made_up_text import made_up_text
from bnvae.config.schema import DataConfig, ModelConfig, PoolingName, RunConfig, TrainingConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset, TextShape

EVER = 10_000
"""epochs: more than any measurement takes"""
HEAD: Final = "gaussian"


@final
@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    config: RunConfig
    dataset: Dataset
    bare: Callable[[], nn.Module]
    bare_examples: Tensor
    epochs: int
    """of a whole training"""


def mnist_conv() -> Case:
    return _pictures("conv, MNIST 28×28 grey", DataConfig(name="mnist"), batch_size=128, epochs=10)


def colour_conv() -> Case:
    data = DataConfig(name="shapes", image_size=64)
    return _pictures("conv, shapes 64×64 colour", data, batch_size=128, epochs=5)


def ptb_lstm() -> Case:
    model = ModelConfig(network="lstm", head=HEAD, hidden_units=256, embedding_units=256, latent_dimensions=32)
    text = made_up_text(vocabulary=10_000, sentences=42_068, mean_length=21, spread=10, longest=80)
    return _text("LSTM 256/256/32, PTB's sizes", model, text, epochs=3)


def yahoo_lstm() -> Case:
    model = ModelConfig(network="lstm", head=HEAD, hidden_units=1024, embedding_units=512, latent_dimensions=32)
    text = made_up_text(vocabulary=20_000, sentences=100_000, mean_length=79, spread=40, longest=200)
    return _text("LSTM 512/1024/32, Yahoo's sizes", model, text, epochs=1)


def transformer() -> Case:
    model = ModelConfig(
        network="transformer", head=HEAD, hidden_units=512, layers=6, attention_heads=8, latent_dimensions=32
    )
    text = made_up_text(vocabulary=10_000, sentences=42_068, mean_length=21, spread=10, longest=80)
    return _text("transformer of 6 layers, width 512, PTB's sizes", model, text, epochs=3)


CASES = {
    "mnist-conv": mnist_conv,
    "colour-conv": colour_conv,
    "ptb-lstm": ptb_lstm,
    "yahoo-lstm": yahoo_lstm,
    "transformer": transformer,
}


def _pictures(name: str, data: DataConfig, *, batch_size: int, epochs: int) -> Case:
    dataset = load_dataset(data)
    model = ModelConfig(network="conv", head=HEAD, latent_dimensions=16)
    shape = dataset.training.examples.shape[1:]
    return Case(
        name=f"{name}, batch {batch_size}",
        config=RunConfig(data=data, model=model, training=TrainingConfig(epochs=EVER, batch_size=batch_size)),
        dataset=dataset,
        bare=lambda: BareConv(*shape, first=model.conv_channels, hidden=model.hidden_units, latent=16),
        bare_examples=dataset.training.examples.float() / 255,
        epochs=epochs,
    )


def _text(name: str, model: ModelConfig, dataset: Dataset, *, epochs: int, batch_size: int = 32) -> Case:
    assert isinstance(dataset.shape, TextShape)
    pooling: PoolingName = "mean" if model.network == "transformer" else "last"
    model = dataclasses.replace(model, bidirectional=False, pooling=pooling)  # as the bare encoders
    vocabulary, longest = dataset.shape.vocabulary_size, dataset.shape.max_tokens

    def bare() -> nn.Module:
        if model.network == "transformer":
            return BareTransformer(
                vocabulary, longest, width=model.hidden_units, layers=model.layers, heads=model.attention_heads,
                latent=model.latent_dimensions, drop=model.dropout,
            )  # fmt: skip
        return BareLstm(
            vocabulary, model.embedding_units, model.hidden_units, model.latent_dimensions,
            head_name=HEAD, tau=0.5, drop=model.dropout,
        )  # fmt: skip

    return Case(
        name=f"{name}, vocabulary {vocabulary:,}, batch {batch_size}",
        config=RunConfig(model=model, training=TrainingConfig(epochs=EVER, batch_size=batch_size)),
        dataset=dataset,
        bare=bare,
        bare_examples=dataset.training.examples,
        epochs=epochs,
    )
