"""Whole trainings on one thread: what the comparisons of heads and of taus do with each of their configurations."""

import argparse
import time
from collections.abc import Iterable
from pathlib import Path

import torch

from bnvae.config.schema import RunConfig
from bnvae.data.dataset import Dataset
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import recompute_statistics
from bnvae.training.trainer import Trainer


def train(config: RunConfig, dataset: Dataset) -> tuple[VAE, float]:
    """A trained model with the moments of its training set, and the processor seconds that training took."""
    model = VAE.build(config.network, config.model, dataset.shape, seed=config.training.seed)
    model.decoder.begin_at(dataset.training.examples)
    trainer = Trainer(model, dataset.training, dataset.validation, config.training, record_every=config.record_every)
    started = time.process_time()
    for _ in trainer.fit():
        pass
    seconds = time.process_time() - started
    recompute_statistics(model, dataset.training.examples)
    return model, seconds


def options(description: str | None, names: Iterable[str]) -> argparse.Namespace:
    """Which data sets to train on, and where every figure goes; from here on torch has one thread."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(names), default=list(names))
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    return chosen
