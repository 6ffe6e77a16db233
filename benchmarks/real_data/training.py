"""One training on real sentences, and its figures on sentences that it has not seen."""

import os
import random
import time
from pathlib import Path
from typing import Literal, TypedDict

from benchmarks.real_data.without_code import language_model
from bnvae.config.methods import configured
from bnvae.config.schema import DataConfig, ModelConfig, RunConfig, TokenizerName, TrainingConfig
from bnvae.data.dataset import Dataset, TextShape
from bnvae.data.random_subset import random_subset
from bnvae.data.text.sentences import Corpus, Sentences, tokenised
from bnvae.metrics.estimators.importance_sampling import importance_sampled_nll
from bnvae.metrics.estimators.permutation import permuted_rise
from bnvae.metrics.test_set import evaluate
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import recompute_statistics
from bnvae.training.sampler import row_lengths
from bnvae.training.trainer import Trainer

DataSet = Literal["snli", "tang"]

COUPLETS, VALIDATION_EXAMPLES, TEST_EXAMPLES, VOCABULARY = 10_000, 1_000, 1_000, 2_000
LATENT_DIMENSIONS = 32
SAMPLES = 50
EPOCHS: dict[DataSet, int] = {"snli": 7, "tang": 6}
TOKENS: dict[DataSet, TokenizerName] = {"snli": "words", "tang": "characters"}
LANGUAGE_MODEL = "language model"

Case = tuple[str, float | None]
"""A method and its strength; the language model has none."""


class Figures(TypedDict):
    """Of the test sentences, nats per sentence unless said otherwise."""

    method: str
    strength: float | None
    seed: int
    seconds: float
    """processor time of the training"""
    nll: float
    """importance-sampled bound on -ln p(x)"""
    elbo: float
    rate: float
    information: float
    """estimated against the mixture of all test posteriors"""
    active: int
    """dimensions"""
    rise: float
    """of the distortion when z is permuted among sentences"""
    tokens: float
    """predicted in a sentence, END counted (tokens)"""
    validation_rate: float
    """of the validation sentences: what strengths are chosen by"""


def load(data: DataSet) -> Dataset:
    folder = Path(os.environ["BNVAE_DATA"])
    if data == "snli":
        training, test = (_lines(folder / "snli" / f"snli.{name}.txt") for name in ("valid", "test"))
    else:
        couplets = _lines(folder / "tang_couplets" / "tang_wuyan_couplets.txt")
        random.Random(0).shuffle(couplets)
        training, test = couplets[:COUPLETS], couplets[COUPLETS:]
    tested = set(random_subset(len(test), TEST_EXAMPLES).tolist())
    rest = [row for row in range(len(test)) if row not in tested]
    validation = [test[rest[row]] for row in random_subset(len(rest), VALIDATION_EXAMPLES).tolist()]
    corpus = Corpus(
        training=_unlabelled(training),
        validation=_unlabelled(validation),
        test=_unlabelled([test[row] for row in sorted(tested)]),
    )
    return tokenised(corpus, configuration(data, seed=0).data, tokenizer=None)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _unlabelled(lines: list[str]) -> Sentences:
    return Sentences(lines=lines, labels=[-1] * len(lines))


def configuration(data: DataSet, *, seed: int) -> RunConfig:
    """What all methods have in common."""
    return RunConfig(
        data=DataConfig(name="text", path=data, tokenizer=TOKENS[data], vocabulary_size=VOCABULARY),
        model=ModelConfig(
            network="lstm", latent_dimensions=LATENT_DIMENSIONS, hidden_units=64, embedding_units=64, dropout=0.2
        ),
        training=TrainingConfig(
            epochs=EPOCHS[data], batch_size=64, learning_rate=2e-3, seed=seed, threads=1, precision="fp32", device="cpu"
        ),
    )


def figures(case: Case, common: RunConfig, dataset: Dataset) -> Figures:
    method, strength = case
    model, seconds = _train(method, strength, common, dataset)
    test = dataset.test.examples
    found = evaluate(model, test)
    rise = permuted_rise(model, test).permuted_rise
    assert rise is not None
    return Figures(
        method=method,
        strength=strength,
        seed=common.training.seed,
        seconds=seconds,
        nll=importance_sampled_nll(model, test, SAMPLES).nll,
        elbo=found.elbo,
        rate=found.rate,
        information=found.mutual_information,
        active=found.active_units,
        rise=rise,
        validation_rate=evaluate(model, dataset.validation.examples).rate,
        tokens=(row_lengths(test) - 1).double().mean().item(),  # START is given
    )


def _train(method: str, strength: float | None, common: RunConfig, dataset: Dataset) -> tuple[VAE, float]:
    """A trained model with the moments of its training set, and the processor seconds that its training took."""
    assert isinstance(dataset.shape, TextShape)
    if method == LANGUAGE_MODEL:
        config = configured(common, "none")
        model = language_model(config, dataset.shape)
    else:
        config = configured(common, method, strength)
        model = VAE.build(config.network, config.model, dataset.shape, seed=config.training.seed)
    trainer = Trainer(model, dataset.training, dataset.validation, config.training, record_every=100)
    started = time.process_time()
    for _ in trainer.fit():
        pass
    seconds = time.process_time() - started
    recompute_statistics(model, dataset.training.examples)
    return model, seconds
