"""Shapes are checked while the tests run: a wrong annotation, or a wrong shape, is an error."""

import dataclasses
import os
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

SHAPED = (
    "nn.tau_features",
    "nn.scaler",
    "nn.posterior",
    "nn.normalization",
    "nn.losses",
    "training.evaluation",
    "training.sampler",
    "metrics.test_set",
)
# Before anything imports them. Not `nn.vae`: beartype cannot read its `Self`.
install_import_hook(
    [f"bnvae.{module}" for module in SHAPED],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",  # a whole number where a float is wanted
)

import torch  # noqa: E402

from bnvae.config.schema import DataConfig, ModelConfig, RunConfig, TrainingConfig  # noqa: E402
from bnvae.runs import RunStore  # noqa: E402

# No training of a test starts a process for its maps.
os.environ["BNVAE_MAPS"] = "0"

# One thread: the models are tiny, and sums have one order.
torch.set_num_threads(1)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """An empty folder of runs."""
    return RunStore(tmp_path / "runs")


@pytest.fixture
def tiny() -> RunConfig:
    """Pictures of 8 x 8 pixels, a network of 2,344 parameters, 8 steps an epoch of some 16 ms."""
    return RunConfig(
        data=DataConfig(name="digits", training_examples=128),
        model=ModelConfig(network="mlp", head="rms-scaler", tau=0.5, hidden_units=16, layers=1, latent_dimensions=4),
        training=TrainingConfig(
            epochs=2,
            batch_size=16,
            optimiser="adam",
            learning_rate=1e-3,
            gradient_clip=5.0,
            record_every=3,
            device="cpu",
            precision="fp32",
            threads=1,
        ),
    )


@pytest.fixture
def tiny_text(tiny: RunConfig) -> RunConfig:
    """256 short sentences, and an LSTM of 16 units whose encoder reads in one direction and keeps its last state."""
    return dataclasses.replace(
        tiny,
        data=DataConfig(name="storybook", training_examples=256, vocabulary_size=200),
        model=ModelConfig(
            network="lstm",
            head="rms-scaler",
            hidden_units=16,
            embedding_units=8,
            latent_dimensions=4,
            bidirectional=False,
            pooling="last",
        ),
        training=dataclasses.replace(tiny.training, batch_size=64),
    )
