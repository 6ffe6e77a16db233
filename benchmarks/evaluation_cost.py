"""What mutual information and the permuted rise, taken at every evaluation, cost of a training.

    python -m benchmarks.evaluation_cost [storybook mnist digits wide] [--steps 60] [--rounds 9]

Processor time of one thread: steps of `Trainer.fit`, whole evaluations, and what these two figures take of one. An
evaluation is due once an epoch, or every 100 steps where an epoch has fewer. Medians over rounds; steps and evaluations
take turns, so that a busy machine slows both.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from benchmarks.report import publish
from bnvae.config.schema import DataConfig, ModelConfig, RunConfig, TrainingConfig
from bnvae.data import load_dataset
from bnvae.data.random_subset import random_subset
from bnvae.nn.posterior import Posterior
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import distortions, draw_codes, encode
from bnvae.training.mutual_information import mutual_information, rise_if_permuted
from bnvae.training.trainer import FEWEST_STEPS_BETWEEN_EVALUATIONS, PERMUTED_EXAMPLES, Trainer, information_examples


def _config(data: str, batch_size: int, model: ModelConfig) -> RunConfig:
    training = TrainingConfig(epochs=10_000, batch_size=batch_size, precision="fp32", device="cpu", threads=1)
    return RunConfig(data=DataConfig(name=data), model=model, training=training)  # type: ignore[arg-type]


CASES = {
    "storybook": _config("storybook", 64, ModelConfig(network="lstm")),
    "mnist": _config("mnist", 128, ModelConfig(network="conv")),
    "digits": _config("digits", 128, ModelConfig(network="mlp")),
    "wide": _config("mnist", 128, ModelConfig(network="mlp", latent_dimensions=512)),
}


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _advance(trainer: Trainer, steps: int) -> None:
    for _ in range(steps):
        trainer._advance()


def _evaluate(trainer: Trainer) -> None:
    with trainer.evaluating():
        pass


def _figures(trainer: Trainer) -> tuple[float, float]:
    """Seconds of the information and of the rise."""
    model, test = trainer.model, trainer.validation_examples
    some = random_subset(len(test), PERMUTED_EXAMPLES)
    told = random_subset(len(test), information_examples(model.latent_dimensions))
    posterior = encode(model, test)
    codes = draw_codes(posterior, 0)
    own = distortions(model, test, codes)[some]
    sample = Posterior(posterior.mean[told], posterior.std[told])
    information = _seconds(lambda: mutual_information(sample, codes[told]))
    return information, _seconds(lambda: rise_if_permuted(model, test[some], codes[some], own))


def _measured(trainer: Trainer, steps: int, rounds: int) -> tuple[float, float, float, float]:
    """Medians of seconds: a step, an evaluation, and in it the information and the rise."""
    found: list[tuple[float, float, float, float]] = []
    for _ in range(rounds):
        a_step = _seconds(lambda: _advance(trainer, steps)) / steps
        trainer._take_record()
        found.append((a_step, _seconds(lambda: _evaluate(trainer)), *_figures(trainer)))
    columns = [statistics.median(column) for column in zip(*found, strict=True)]
    return columns[0], columns[1], columns[2], columns[3]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help=", ".join(CASES))
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in options.cases or CASES:
        config = CASES[name]
        dataset = load_dataset(config.data)
        model = VAE.build(config.network, config.model, dataset.shape, seed=0)
        trainer = Trainer(model, dataset.training, dataset.test, config.training)
        a_step, evaluation, information, rise = _measured(trainer, options.steps, options.rounds)
        interval = max(trainer.batches.steps_per_epoch, FEWEST_STEPS_BETWEEN_EVALUATIONS)
        share = (information + rise) / (interval * a_step + evaluation)
        times = [f"{1000 * each:.1f}" for each in (evaluation, information, rise)]
        rows.append([name, f"{1000 * a_step:.2f}", str(interval), *times, f"{100 * share:.2f} %"])
    header = ["case", "step (ms)", "steps between", "evaluation (ms)", "information (ms)", "rise (ms)", "of a training"]
    publish("What the figures of each evaluation cost", header, rows)


if __name__ == "__main__":
    main()
