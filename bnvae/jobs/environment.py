"""On what a run is trained, kept with it, and the trainer that goes on under the same conditions."""

import dataclasses
import platform

import bnvae
from bnvae.data.dataset import Dataset
from bnvae.nn.posterior import LayerNormMeanHead
from bnvae.nn.vae import VAE
from bnvae.runs.progress import checkpoint
from bnvae.runs.run import ENVIRONMENT, Run
from bnvae.runs.storage.atomic_files import write_json
from bnvae.training.trainer import Trainer


def write_environment(run: Run, trainer: Trainer) -> None:
    write_json(
        run.folder / ENVIRONMENT,
        {
            "bnvae": bnvae.__version__,
            "python": platform.python_version(),
            "system": platform.system(),
            **checkpoint.fingerprint(trainer),
        },
    )


def trainer_of(run: Run, dataset: Dataset) -> Trainer:
    """A trainer at its first step, as the run's configuration and its first environment say."""
    config = run.config
    model = VAE.build(config.network, config.model, dataset.shape, seed=config.training.seed)
    model.decoder.begin_at(dataset.training.examples)
    if isinstance(model.head, LayerNormMeanHead) and checkpoint.holds(run.folder, "model.head.shift"):
        model.head.with_shift()  # begun by an earlier version
    training = dataclasses.replace(config.training, precision=run.precision)
    return Trainer(
        model,
        dataset.training,
        dataset.validation,
        training,
        record_every=config.record_every,
        # Without a validation split of its own the run's kept test examples are looked at.
        validation_order=None if dataset.has_validation else run.test_order(len(dataset.test)),
    )
