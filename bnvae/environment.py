"""On what a run is trained, kept with it, and the trainer that goes on under the same conditions."""

import dataclasses
import platform

import bnvae
from bnvae.config import PrecisionName
from bnvae.data.dataset import Dataset
from bnvae.model import VAE
from bnvae.runs import checkpoint
from bnvae.runs.files import read_json, write_json
from bnvae.runs.run import Run
from bnvae.training import Trainer

ENVIRONMENT = "environment.json"


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
    training = dataclasses.replace(config.training, precision=_precision(run))
    return Trainer(model, dataset.training, dataset.validation, training, record_every=config.record_every)


def _precision(run: Run) -> PrecisionName:
    """What `auto` meant when this training began: timed again, it might mean something else."""
    precision = run.config.training.precision
    if precision != "auto" or not (run.folder / ENVIRONMENT).exists():
        return precision
    began = read_json(run.folder / ENVIRONMENT).get("precision")
    return {"bfloat16": "bf16", "float32": "fp32"}.get(str(began), "auto")  # type: ignore[return-value]
