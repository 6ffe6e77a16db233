"""How near a plain VAE comes to its published likelihood of binarised MNIST, 89.9 nats with 200 importance samples.

    python -m benchmarks.mnist_nll --folder DIRECTORY [--epochs 1000] [--seed 0]

Rezende & Mohamed 2015 (arXiv:1505.05770) state 89.9 for the plain VAE, and pythae's script of it 89.78: a perceptron
784-400 with 40 latent dimensions, 50,000 pictures to learn from, the next 10,000 to choose the weights by, the test
set for the figure. The same here, but for the draw of black and white: theirs is one file made once by others, ours
is drawn once by `DataConfig.binarise`.

The learning rate falls along half a cosine from 2e-3 to 0; theirs falls in steps until epoch 1,000.
Training goes on from where it stood when the command is given again: `DIRECTORY` keeps checkpoints, the best weights
and `curve.json`.
"""

import argparse
import dataclasses
import json
import math
import time
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.report import publish
from bnvae.config.schema import DataConfig, ModelConfig, RunConfig, TrainingConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset, Split
from bnvae.data.random_subset import random_subset
from bnvae.metrics.estimators.importance_sampling import importance_sampled_nll
from bnvae.nn.vae import VAE
from bnvae.runs.artifacts.weights import model_of, weights_of
from bnvae.runs.progress import checkpoint
from bnvae.runs.storage.atomic_files import read_json, write_atomic, write_json
from bnvae.training.evaluation import distortions, draw_codes, encode
from bnvae.training.trainer import Trainer

TRAINING_EXAMPLES, VALIDATION_EXAMPLES = 50_000, 10_000
CURVE, BEST = "curve.json", "best.safetensors"
FIRST_LEARNING_RATE = 2e-3
SAMPLES = 200
EPOCHS_BETWEEN_LOOKS = 5
PUBLISHED, PYTHAE, TOLERANCE = 89.9, 89.78, 0.5


def configuration(epochs: int, seed: int) -> RunConfig:
    return RunConfig(
        data=DataConfig(name="mnist", binarise=True, validation_share=0.0),  # 10,000 are held back below
        model=ModelConfig(network="mlp", head="gaussian", latent_dimensions=40, hidden_units=400),
        training=TrainingConfig(
            epochs=epochs,
            batch_size=100,
            learning_rate=FIRST_LEARNING_RATE,
            seed=seed,
            device="cpu",
            precision="fp32",
        ),
    )


def learning_rate(progress: float) -> float:
    """At a share of the training, from 0 to 1: half a cosine (Loshchilov & Hutter 2017, arXiv:1608.03983)."""
    return max(FIRST_LEARNING_RATE * (1 + math.cos(math.pi * progress)) / 2, 1e-6)


def negative_elbo(model: VAE, examples: Tensor) -> float:
    """Nats per example, one draw of z each."""
    posterior = encode(model, examples)
    distortion = distortions(model, examples, draw_codes(posterior, 0)).double().mean().item()
    return distortion + posterior.kl_per_dimension().double().sum(1).mean().item()


def train(config: RunConfig, dataset: Dataset, validation: Split, folder: Path) -> list[dict[str, float]]:
    """The curve of -ELBO on training and validation examples; the weights with the lowest are kept in the folder."""
    model = VAE.build("mlp", config.model, dataset.shape, seed=config.training.seed)
    model.decoder.begin_at(dataset.training.examples)
    trainer = Trainer(model, dataset.training, validation, config.training, record_every=10**6)
    curve: list[dict[str, float]] = []
    if checkpoint.restore(folder, trainer, dataset.digest) is not None:
        curve = [point for point in read_json(folder / CURVE)["curve"] if point["epoch"] <= trainer.epoch]
    spent = curve[-1]["seconds"] if curve else 0.0
    some = random_subset(len(dataset.training), VALIDATION_EXAMPLES)
    started = time.process_time()
    for _ in trainer.fit(lambda: steer(trainer, config)):
        epoch, within = divmod(trainer.step, trainer.batches.steps_per_epoch)
        if within or epoch % EPOCHS_BETWEEN_LOOKS or not trainer.is_settled:
            continue
        point = {
            "epoch": epoch,
            "training": negative_elbo(model, dataset.training.examples[some]),
            "validation": negative_elbo(model, validation.examples),
            "seconds": spent + time.process_time() - started,
        }
        if all(point["validation"] < other["validation"] for other in curve):
            write_atomic(folder / BEST, weights_of(model))
        curve.append(point)
        write_json(folder / CURVE, {"curve": curve})
        checkpoint.save(folder, trainer, 0, dataset.digest)
        print(json.dumps(point), flush=True)
    return curve


def steer(trainer: Trainer, config: RunConfig) -> None:
    """Once an epoch, as a visitor may who changes the learning rate of a running training."""
    if trainer.step % trainer.batches.steps_per_epoch == 0:
        rate = learning_rate(trainer.step / trainer.total_steps)
        trainer.steer(dataclasses.replace(config, training=dataclasses.replace(config.training, learning_rate=rate)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="keeps what a later call goes on from")
    parser.add_argument("--epochs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    config = configuration(chosen.epochs, chosen.seed)
    whole = load_dataset(config.data)
    examples, labels = whole.training.examples, whole.training.labels
    training = Split(examples=examples[:TRAINING_EXAMPLES], labels=labels[:TRAINING_EXAMPLES])
    validation = Split(examples=examples[TRAINING_EXAMPLES:], labels=labels[TRAINING_EXAMPLES:])
    curve = train(config, dataclasses.replace(whole, training=training), validation, chosen.folder)
    best = min(curve, key=lambda point: point["validation"])
    model = model_of(config, whole.shape, (chosen.folder / BEST).read_bytes())
    found = importance_sampled_nll(model, whole.test.examples, SAMPLES)
    elbo = -negative_elbo(model, whole.test.examples)
    write_json(chosen.folder / CURVE, {"curve": curve, "test": dataclasses.asdict(found) | {"elbo": elbo}})
    missed = "" if abs(found.nll - PUBLISHED) <= TOLERANCE else ", missed"
    publish(
        f"MNIST, statically binarised, MLP 784-400-40, K = {SAMPLES}, weights of epoch {best['epoch']} of "
        f"{chosen.epochs}, {curve[-1]['seconds']:.0f} s of processor time",
        ["figure", "published", "pythae", "seen"],
        [
            ["-ln p(x), at most (nats)", f"{PUBLISHED}", f"{PYTHAE}", f"{found.nll:.2f}{missed}"],
            ["its standard error over the test pictures (nats)", "", "", f"{found.nll_standard_error:.2f}"],
            ["ELBO (nats, higher is better)", "", "", f"{elbo:.2f}"],
            ["effective draws of z, of 200", "", "", f"{found.effective_samples:.1f}"],
        ],
    )


if __name__ == "__main__":
    main()
