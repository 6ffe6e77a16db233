import math

import pytest
import torch

from bnvae.config.schema import DataConfig, ModelConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset
from bnvae.data.storybook.corpus import FACTOR_NAMES, load_storybook
from bnvae.data.storybook.reading import read_causes
from bnvae.metrics.downstream.factors_kept import causes_kept, kept_in_lines, kept_spans, told_again
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import recompute_statistics

COUNT = 500


@pytest.fixture(scope="module")
def lines_and_factors() -> tuple[list[str], dict[str, list[int]]]:
    test = load_storybook(DataConfig(training_examples=10), lambda what, share: None).test
    return list(test.lines[:COUNT]), {name: list(values[:COUNT]) for name, values in test.factors.items()}


def test_the_same_sentences_keep_everything(lines_and_factors: tuple[list[str], dict[str, list[int]]]) -> None:
    lines, factors = lines_and_factors
    kept = kept_in_lines(lines, lines, factors)
    assert kept.mean == 1
    assert kept.mean_standard_error == 0
    assert all(cause.share == 1 and cause.standard_error == 0 for cause in kept.causes.values())
    # A place that is not said can't be kept.
    assert kept.causes["place"].sentences == sum(f != FACTOR_NAMES["place"].index("unsaid") for f in factors["place"])


def test_one_sentence_for_all_keeps_what_chance_keeps(
    lines_and_factors: tuple[list[str], dict[str, list[int]]],
) -> None:
    lines, factors = lines_and_factors
    kept = kept_in_lines(lines, [lines[0]] * COUNT, factors)
    told = factors["mood"].count(factors["mood"][0]) / COUNT
    assert kept.causes["mood"].share == told
    assert kept.causes["mood"].permuted_chance == pytest.approx(told)  # every other sentence's is the same sentence
    assert kept.causes["mood"].majority_chance == max(factors["mood"].count(v) for v in range(5)) / COUNT


def test_chance_is_the_mean_over_all_pairs_of_different_sentences(
    lines_and_factors: tuple[list[str], dict[str, list[int]]],
) -> None:
    lines, factors = lines_and_factors
    few = {name: values[:60] for name, values in factors.items()}
    again = [lines[(3 * i + i // 7) % COUNT] for i in range(60)]
    kept = kept_in_lines(lines[:60], again, few)
    others = [factors["who"][(3 * j + j // 7) % COUNT] for j in range(60)]
    pairs = [few["who"][i] == others[j] for i in range(60) for j in range(60) if i != j]
    assert kept.causes["who"].permuted_chance == pytest.approx(sum(pairs) / len(pairs))


def test_the_standard_error_of_the_mean_is_that_of_repeated_draws(
    lines_and_factors: tuple[list[str], dict[str, list[int]]],
) -> None:
    lines, factors = lines_and_factors
    # Half of the sentences come back whole and half as another one: the causes of a sentence rise and fall together.
    again = [line if i % 2 else lines[i - 1] for i, line in enumerate(lines)]
    kept = kept_in_lines(lines, again, factors)
    generator, means = torch.Generator().manual_seed(0), []
    for _ in range(100):
        rows = torch.randint(COUNT, (COUNT,), generator=generator).tolist()
        drawn = {name: [values[row] for row in rows] for name, values in factors.items()}
        means.append(kept_in_lines([lines[r] for r in rows], [again[r] for r in rows], drawn).mean)
    assert kept.mean_standard_error == pytest.approx(torch.tensor(means).std().item(), rel=0.3)  # 4 se of a 100-draw sd


def test_a_cause_that_no_sentence_tells_is_named() -> None:
    lines = [
        "the merry owl baked an apple pie in the garden .",
        "the lonely owl baked an apple pie in the garden .",
    ] * 5
    told = [read_causes(line) | {"time": 0} for line in lines]
    with pytest.raises(ValueError, match="tell 'time': give more sentences"):
        kept_in_lines(lines, lines, {name: [row[name] for row in told] for name in FACTOR_NAMES})


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_dataset(DataConfig(training_examples=300))


def model_for(dataset: Dataset) -> VAE:
    config = ModelConfig(network="lstm", hidden_units=16, embedding_units=8, latent_dimensions=4)
    model = VAE.build("lstm", config, dataset.shape, seed=0)
    recompute_statistics(model, dataset.training.examples)
    return model


def test_an_untrained_model_keeps_no_more_than_chance(dataset: Dataset) -> None:
    kept = causes_kept(model_for(dataset), dataset, sentences=200)
    assert kept.sentences == 200
    assert set(kept.causes) == set(FACTOR_NAMES)
    for cause in kept.causes.values():
        assert abs(cause.share - cause.permuted_chance) <= 4 * math.sqrt(0.25 / cause.sentences)


def test_means_and_draws_tell_different_sentences(dataset: Dataset) -> None:
    model, examples = model_for(dataset), dataset.test.examples[:20]
    means = told_again(model, dataset, examples)
    assert means == told_again(model, dataset, examples, codes="means", seed=1)
    draws = told_again(model, dataset, examples, codes="draws")
    assert draws != told_again(model, dataset, examples, codes="draws", seed=1)
    assert causes_kept(model, dataset, sentences=150, codes="draws").codes == "draws"


def test_only_a_data_set_whose_words_tell_causes_is_accepted(dataset: Dataset) -> None:
    digits = load_dataset(DataConfig(name="digits", training_examples=20))
    with pytest.raises(ValueError, match="data is 'digits': causes can be read"):
        causes_kept(model_for(dataset), digits)


def test_what_both_sentences_tell_is_marked_in_both() -> None:
    line = "the cheerful king was carrying a bright lantern late at night ."
    again = "late at night , the cheerful bear happily carried a bright lantern ."
    own, other = kept_spans(line, again)
    assert [line[s.start : s.end] for s in own] == ["cheerful", "was", "carrying", "a bright lantern", "late at night"]
    assert [again[s.start : s.end] for s in other] == [
        "late at night",
        "cheerful",
        "carried",
        "carried",
        "a bright lantern",
    ]
