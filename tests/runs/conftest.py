"""One trained run of each modality, copied for each test that may break it."""

import shutil
from pathlib import Path

import pytest

from bnvae.config.schema import DataConfig, ModelConfig, RunConfig, TrainingConfig
from bnvae.jobs.train_runs import train_run
from bnvae.runs import Run, RunStore


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    store = RunStore(tmp_path_factory.mktemp("trained"))
    training = TrainingConfig(epochs=1, batch_size=32, device="cpu", precision="fp32", threads=1)
    picture = ModelConfig(network="mlp", head="rms-scaler", hidden_units=8, latent_dimensions=3)
    text = ModelConfig(head="rms-scaler", hidden_units=8, embedding_units=8, latent_dimensions=3)
    configs = {
        "image": RunConfig(data=DataConfig(name="digits", training_examples=64), model=picture, training=training),
        "text": RunConfig(
            data=DataConfig(name="storybook", training_examples=64, vocabulary_size=50), model=text, training=training
        ),
    }
    for name, config in configs.items():
        train_run(store.create(name, config))
    return store


def _copy(trained: RunStore, name: str, store: RunStore) -> Run:
    store.root.mkdir(parents=True, exist_ok=True)
    shutil.copytree(trained.root / name, store.root / name)
    return store.get(name)


@pytest.fixture
def image_run(trained: RunStore, store: RunStore) -> Run:
    return _copy(trained, "image", store)


@pytest.fixture
def text_run(trained: RunStore, store: RunStore) -> Run:
    return _copy(trained, "text", store)


@pytest.fixture(params=["image", "text"])
def run(request: pytest.FixtureRequest, trained: RunStore, store: RunStore) -> Run:
    return _copy(trained, str(request.param), store)


@pytest.fixture
def elsewhere(tmp_path: Path) -> RunStore:
    """Another machine's runs."""
    return RunStore(tmp_path / "elsewhere")
