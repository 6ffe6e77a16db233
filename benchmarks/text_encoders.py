"""Text encoders: does the code carry more if the encoder reads from both ends, or pools its states in another way?

    python -m benchmarks.text_encoders [--only snli tang storybook] [--json text_encoders.json]

One VAE of `benchmarks.real_data` (LSTM of 64 units, z of 32 dimensions, `rms-scaler` with tau 0.5) for each encoder, of
few epochs: same decoder, same batches. An encoder that reads from both ends has 64 units for each direction. Figures
are of 1,000 validation examples, in eval mode, with the moments of the training examples: a setting is chosen by them,
and no test example is looked at. SNLI and the couplets are read from `snli/` and `tang_couplets/` in BNVAE_DATA; their
validation examples are a random part of what `benchmarks.real_data` trains on, and are left out of training here. The
causes kept in a sentence told again from its posterior mean are known of the storybook alone. Processor time of one
thread, with the training's own evaluations; one seed: differences of a few tenths of a nat mean nothing.
"""

import dataclasses
import json
from typing import TypedDict

import torch

from benchmarks.real_data.training import TEST_EXAMPLES, configuration, load
from benchmarks.report import machine, publish
from benchmarks.whole_trainings import options, train
from bnvae.config.schema import DataConfig, PoolingName, RunConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset
from bnvae.data.random_subset import random_subset
from bnvae.metrics.downstream.factors_kept import causes_kept
from bnvae.metrics.estimators.permutation import permuted_rise
from bnvae.metrics.test_set import evaluate

ENCODERS: tuple[tuple[PoolingName, bool], ...] = (
    ("last", False),
    ("last", True),
    ("mean", True),
    ("max", False),
    ("max", True),
    ("attention", True),
)
"""pooling, and whether the encoder reads from both ends"""
EPOCHS = {"snli": 3, "tang": 3, "storybook": 2}
TAU = 0.5


class Figures(TypedDict):
    """Of the validation examples, nats per sentence unless said otherwise."""

    data: str
    pooling: PoolingName
    bidirectional: bool
    elbo: float
    rate: float
    rise: float
    """of the distortion when z is permuted among sentences"""
    information: float
    """estimated against the mixture of all posteriors"""
    kept: float | None
    """mean over the causes of the share that reconstructions keep (fraction)"""
    seconds: float
    """processor time of the training"""


def common(data: str) -> RunConfig:
    """What all encoders have in common."""
    found = configuration("tang" if data == "tang" else "snli", seed=0)
    source = DataConfig(name="storybook") if data == "storybook" else found.data
    return dataclasses.replace(
        found,
        data=source,
        model=dataclasses.replace(found.model, head="rms-scaler", tau=TAU),
        training=dataclasses.replace(found.training, epochs=EPOCHS[data]),
    )


def for_choosing(data: str) -> Dataset:
    """A data set whose validation examples stand for its test examples as well, which are not looked at."""
    if data == "storybook":
        dataset = load_dataset(common(data).data)
        rows = random_subset(len(dataset.validation), TEST_EXAMPLES)
        training, validation = dataset.training, dataset.validation.rows(rows.numpy())
    else:
        dataset = load("tang" if data == "tang" else "snli")
        held = torch.zeros(len(dataset.training), dtype=torch.bool)
        held[random_subset(len(held), TEST_EXAMPLES)] = True
        training, validation = (dataset.training.rows(which.nonzero()[:, 0].numpy()) for which in (~held, held))
    return dataclasses.replace(dataset, training=training, validation=validation, test=validation)


def figures(data: str, dataset: Dataset, pooling: PoolingName, *, bidirectional: bool) -> Figures:
    base = common(data)
    config = dataclasses.replace(
        base, model=dataclasses.replace(base.model, pooling=pooling, bidirectional=bidirectional)
    )
    model, seconds = train(config, dataset)
    examples = dataset.validation.examples
    found, rise = evaluate(model, examples), permuted_rise(model, examples).permuted_rise
    assert rise is not None
    return Figures(
        data=data,
        pooling=pooling,
        bidirectional=bidirectional,
        elbo=found.elbo,
        rate=found.rate,
        rise=rise,
        information=found.mutual_information,
        kept=causes_kept(model, dataset).mean if data == "storybook" else None,
        seconds=seconds,
    )


def main() -> None:
    chosen = options(__doc__, EPOCHS)
    made: list[Figures] = []
    for data in chosen.only:
        dataset = for_choosing(data)
        those = []
        for pooling, bidirectional in ENCODERS:
            those.append(figures(data, dataset, pooling, bidirectional=bidirectional))
            print(json.dumps(those[-1]), flush=True)
        made += those
        publish(
            f"{data}: {len(dataset.training):,} training and {len(dataset.validation):,} validation examples, "
            f"{EPOCHS[data]} epochs; nats per sentence",
            [
                "pooling",
                "directions",
                "-ELBO",
                "rate",
                "rise by a permuted z",
                "MI",
                "causes kept",
                "training, processor",
            ],
            [
                [
                    each["pooling"],
                    "both" if each["bidirectional"] else "one",
                    f"{-each['elbo']:.2f}",
                    f"{each['rate']:.2f}",
                    f"{each['rise']:.2f}",
                    f"{each['information']:.2f}",
                    "" if each["kept"] is None else f"{each['kept']:.3f}",
                    f"{each['seconds']:.1f} s",
                ]
                for each in those
            ],
        )
    if chosen.json is not None:
        chosen.json.write_text(json.dumps({"machine": machine(), "figures": made}, indent=1) + "\n")


if __name__ == "__main__":
    main()
