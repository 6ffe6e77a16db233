"""Training speed of this project against a bare PyTorch loop of the same network.

    python -m benchmarks.training_speed [--rounds 31] [--only mlp storybook ptb] [--threads 1]

The project's side is what its worker runs: `Trainer.fit`, every record serialised and written to disk, and the
evaluations at their own cadence. The bare loop has Adam and nothing else, plain or fused; a third one, fused, limits
the gradient's norm with `clip_grad_norm_` as the project's recipe does. Contenders take turns of a few steps each, so
that a busy machine slows all of them alike. An evaluation is timed on its own in some of the rounds, and its share of
an epoch is added to the project's time.

Seconds are those of the processor: with one thread they are the wall's on an idle machine, and on a busy one they leave
out the time given to others. Ratios are medians over rounds, by processor and by wall. One thread by default: that is
what each of two runs trained side by side on two cores gets. With more, read the wall's ratio.
"""

import argparse
import dataclasses
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from benchmarks.bare import BareLoop, BareLstm, BareMlp, HeadOfBare
from benchmarks.made_up_text import made_up_text
from benchmarks.report import publish, thousands
from benchmarks.turns import Contender, Seconds, chosen_turns, speed_ratio, take_turns
from bnvae.config.schema import DataConfig, ModelConfig, RunConfig, TrainingConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import PAD, Dataset, TextShape
from bnvae.nn.vae import VAE
from bnvae.runs.progress.history import HistoryWriter
from bnvae.training.records import EvaluationRecord, Record
from bnvae.training.trainer import FEWEST_STEPS_BETWEEN_EVALUATIONS, Trainer

HEADS: tuple[HeadOfBare, ...] = ("gaussian", "rms-scaler")
TAU = 0.5
EVALUATION_ROUNDS = 6
EVER = 10_000
"""epochs: more than any measurement takes"""


class Product:
    """Training as the worker does it, in turns of whole steps."""

    def __init__(self, config: RunConfig, dataset: Dataset, folder: Path) -> None:
        model = VAE.build(config.network, config.model, dataset.shape, seed=0)
        model.decoder.begin_at(dataset.training.examples)
        self.trainer = Trainer(
            model, dataset.training, dataset.validation, config.training, record_every=config.record_every
        )
        self._history = HistoryWriter(folder / f"{config.network}-{config.model.head}.jsonl")
        self._records: Iterator[Record] = self.trainer.fit()
        self.evaluations: list[Seconds] = []

    def run(self, steps: int) -> None:
        target = self.trainer.step + steps
        while self.trainer.step < target:
            self._history.append(next(self._records))

    def between_turns(self, index: int, steps: int) -> None:
        """Times an evaluation now and then, and leaves the training's own out of the turns."""
        if index % EVALUATION_ROUNDS == 0:
            started = Seconds.now()
            with self.trainer.evaluating() as record:
                self._history.append(record)
            self.evaluations.append(Seconds.now() - started)
        if -self.trainer.step % self._interval <= steps + self.trainer.record_every:
            while not isinstance(next(self._records), EvaluationRecord):
                pass

    def share_of_training(self, seconds_per_step: float) -> float:
        """Share of an epoch that goes to steps and not to the evaluation (processor time)."""
        evaluation = statistics.median(each.processor for each in self.evaluations) / self._interval
        return seconds_per_step / (seconds_per_step + evaluation)

    @property
    def _interval(self) -> int:
        return max(self.trainer.batches.steps_per_epoch, FEWEST_STEPS_BETWEEN_EVALUATIONS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One network and data set, and how it is built for both sides."""

    name: str
    unit: str
    """what a second is counted in"""
    units_per_step: float
    steps: int
    """steps of one turn"""
    config: RunConfig
    dataset: Dataset
    bare_examples: torch.Tensor
    bare_model: Callable[[HeadOfBare], torch.nn.Module]


def mlp_case() -> Case:
    dataset = load_dataset(DataConfig(name="mnist"))
    config = RunConfig(
        data=DataConfig(name="mnist"),
        model=ModelConfig(network="mlp", hidden_units=512, latent_dimensions=16, tau=TAU),
        training=TrainingConfig(epochs=EVER, batch_size=128, precision="fp32", device="cpu"),
    )
    return Case(
        name="MLP 784-512-16, MNIST, batch 128",
        unit="images/s",
        units_per_step=128,
        steps=40,
        config=config,
        dataset=dataset,
        bare_examples=dataset.training.examples.flatten(1).float() / 255,
        bare_model=lambda head: BareMlp(784, 512, 16, head, TAU),
    )


def storybook_case() -> Case:
    model = ModelConfig(network="lstm", latent_dimensions=16, hidden_units=128, embedding_units=64, tau=TAU)
    return _text_case("LSTM 64/128/16, storybook, batch 64", load_dataset(DataConfig()), model, batch_size=64, steps=10)


def ptb_case() -> Case:
    model = ModelConfig(network="lstm", latent_dimensions=32, hidden_units=256, embedding_units=256, tau=TAU)
    name = "LSTM 256/256/32, vocabulary 10,000, made-up tokens in PTB's sizes, batch 32"
    text = made_up_text(vocabulary=10_000, sentences=42_068, mean_length=21, spread=10, longest=80)
    return _text_case(name, text, model, batch_size=32, steps=5)


def _text_case(name: str, dataset: Dataset, model: ModelConfig, *, batch_size: int, steps: int) -> Case:
    assert isinstance(dataset.shape, TextShape)
    model = dataclasses.replace(model, bidirectional=False, pooling="last")  # as the bare encoder
    vocabulary = dataset.shape.vocabulary_size
    examples = dataset.training.examples
    predicted = ((examples != PAD).sum(1) - 1).float().mean().item()

    def bare_model(head: HeadOfBare) -> torch.nn.Module:
        return BareLstm(
            vocabulary,
            model.embedding_units,
            model.hidden_units,
            model.latent_dimensions,
            head_name=head,
            tau=TAU,
            drop=model.dropout,
        )

    return Case(
        name=name,
        unit="tokens/s",
        units_per_step=predicted * batch_size,
        steps=steps,
        config=RunConfig(
            model=model, training=TrainingConfig(epochs=EVER, batch_size=batch_size, precision="fp32", device="cpu")
        ),
        dataset=dataset,
        bare_examples=examples,
        bare_model=bare_model,
    )


def measure(case: Case, rounds: int, folder: Path) -> list[list[str]]:
    rows = []
    for head in HEADS:
        model = dataclasses.replace(case.config.model, head=head)
        product = Product(dataclasses.replace(case.config, model=model), case.dataset, folder)
        batch_size = case.config.training.batch_size
        contenders: dict[str, Contender] = {
            "product": product.run,
            "fused": BareLoop(case.bare_model(head), case.bare_examples, batch_size, fused=True).run,
            "plain": BareLoop(case.bare_model(head), case.bare_examples, batch_size, fused=False).run,
            "clipped": BareLoop(case.bare_model(head), case.bare_examples, batch_size, fused=True, clip=5.0).run,
        }
        product.run(FEWEST_STEPS_BETWEEN_EVALUATIONS)  # past the first evaluation, which comes earlier than the others
        turns = take_turns(contenders, case.steps, rounds, product.between_turns)
        step = {name: statistics.median(turn.processor for turn in each) / case.steps for name, each in turns.items()}
        training = product.share_of_training(step["product"])
        ratios = {name: speed_ratio(turns[name], turns["product"]) for name in ("fused", "plain", "clipped")}
        rows.append(
            [
                case.name,
                head,
                f"{thousands(training * case.units_per_step / step['product'])} {case.unit}",
                f"{thousands(case.units_per_step / step['fused'])}",
                f"{thousands(case.units_per_step / step['plain'])}",
                f"{1 - training:.1%}",
                f"**{training * ratios['fused'].processor:.2f}**",
                f"{training * ratios['fused'].wall:.2f}",
                f"{training * ratios['plain'].processor:.2f}",
                f"{training * ratios['clipped'].processor:.2f}",
            ]
        )
        print(" | ".join(rows[-1]), flush=True)
    return rows


CASES = {"mlp": mlp_case, "storybook": storybook_case, "ptb": ptb_case}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    chosen = chosen_turns(parser, CASES)
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row for name in CASES if name in chosen.only for row in measure(CASES[name](), chosen.rounds, Path(folder))
        ]
        if rows:
            header = ["network", "head", "bnvae", "bare, fused Adam", "bare, plain Adam", "evaluations take"]
            publish(
                "Training speed, fp32",
                [*header, "of fused (≥ 0.90)", "by the wall", "of plain", "of fused that clips"],
                rows,
            )


if __name__ == "__main__":
    main()
