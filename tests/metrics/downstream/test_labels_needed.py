"""Probes on planted codes: what they tell is known from how the codes were made."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from bnvae.data.dataset import Dataset, ImageShape, Split, TextShape
from bnvae.metrics.downstream import labels_needed as module
from bnvae.metrics.downstream.labels_needed import DRAWS, labels_needed, probe_accuracies, targets
from bnvae.nn.posterior import Posterior

CLASSES = 2


def split(count: int, seed: int, *, share: float = 0.5, **factors: Tensor) -> Split:
    """Pictures of one pixel that is the place of the example, with two classes at random."""
    generator = torch.Generator().manual_seed(seed)
    labels = (torch.rand(count, generator=generator) < share).long()
    return Split(examples=torch.zeros(count, 1, 2, 2, dtype=torch.uint8), labels=labels, factors=factors)


def planted(monkeypatch: pytest.MonkeyPatch, dataset: Dataset, *, signal: float, jitter: float, std: float) -> Any:
    """A model whose posterior mean tells the class by ± `signal` in its first dimension, beside a jitter of its own."""

    def encode(model: object, examples: Tensor) -> Posterior:
        part = dataset.training if len(examples) == len(dataset.training) else dataset.test
        noise = torch.randn(len(examples), 4, generator=torch.Generator().manual_seed(len(examples)))
        mean = jitter * noise
        mean[:, 0] += signal * (2 * part.labels - 1)
        return Posterior(mean, torch.full_like(mean, std))

    monkeypatch.setattr(module, "encode", encode)
    return None


def data(training: Split, test: Split) -> Dataset:
    return Dataset(
        name="planted", shape=ImageShape(channels=1, height=2, width=2), training=training, validation=test, test=test
    )


@pytest.fixture
def balanced() -> Dataset:
    return data(split(1_500, 0), split(1_400, 1))


def test_a_class_that_the_means_tell_linearly_is_told_from_few_labels(
    monkeypatch: pytest.MonkeyPatch, balanced: Dataset
) -> None:
    found = labels_needed(planted(monkeypatch, balanced, signal=3, jitter=0.2, std=0.5), balanced)
    assert found.labels == [10, 30, 100, 300, 1_000]
    assert found.means.accuracy[0] > 0.95
    assert found.codes.accuracy[1] > 0.99
    assert found.baseline.accuracy == pytest.approx([found.majority] * 5, abs=0.1)  # black pictures tell nothing


def test_noise_tells_the_commonest_class_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    uneven = data(split(1_500, 0, share=0.7), split(1_400, 1, share=0.7))
    found = labels_needed(planted(monkeypatch, uneven, signal=0, jitter=1, std=0.1), uneven)
    assert found.majority == uneven.test.labels.double().mean().item()
    assert found.means.accuracy[-1] == pytest.approx(found.majority, abs=0.01)
    assert found.codes.accuracy[-1] == pytest.approx(found.majority, abs=0.01)


def test_means_of_a_collapsed_run_tell_the_class_and_its_draws_do_not(
    monkeypatch: pytest.MonkeyPatch, balanced: Dataset
) -> None:
    found = labels_needed(planted(monkeypatch, balanced, signal=0.01, jitter=0.001, std=1), balanced)
    assert found.means.accuracy[-1] > 0.99
    assert found.codes.accuracy[-1] == pytest.approx(0.5, abs=0.03)


def test_draws_are_told_as_well_as_the_best_rule_for_two_normals(
    monkeypatch: pytest.MonkeyPatch, balanced: Dataset
) -> None:
    found = labels_needed(planted(monkeypatch, balanced, signal=1, jitter=0, std=1), balanced)
    bayes = (1 + math.erf(1 / math.sqrt(2))) / 2  # Φ(1): means at ±1, unit noise
    assert found.codes.accuracy[-1] == pytest.approx(bayes, abs=0.025)  # two standard errors over 1,400 examples


def test_units_of_a_code_change_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    classes, test_classes = torch.arange(600) % 3, torch.arange(300) % 3
    inputs = torch.randn(600, 5, generator=generator) + classes[:, None]
    test = torch.randn(300, 5, generator=generator) + test_classes[:, None]
    own = probe_accuracies(inputs, test, classes, test_classes, labels=(30, 300))
    far = probe_accuracies(1e-4 * inputs + 7, 1e-4 * test + 7, classes, test_classes, labels=(30, 300))
    assert far.accuracy == pytest.approx(own.accuracy, abs=0.005)
    assert own.accuracy[0] < own.accuracy[1]


def test_the_spread_is_over_the_draws_of_labels_and_each_class_is_drawn() -> None:
    classes = torch.cat([torch.zeros(997), torch.tensor([1.0, 2.0, 3.0])]).long()
    orders = [module._order(classes, seed) for seed in range(DRAWS)]
    for order in orders:
        assert sorted(order.tolist()) == list(range(1_000))
        assert set(classes[order[:4]].tolist()) == {0, 1, 2, 3}
    assert not torch.equal(orders[0], orders[1])
    inputs = torch.randn(1_000, 2, generator=torch.Generator().manual_seed(3))
    found = probe_accuracies(inputs, inputs[:200], classes, classes[:200], labels=(30, 1_000))
    assert found.spread[0] > 0
    assert found.spread[1] == pytest.approx(0, abs=1e-9)  # all labels: each draw is the same set


def test_words_are_counted_and_rare_ones_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = torch.tensor([[1, 4, 4, 2, 0], [1, 5, 6, 2, 0], [1, 5, 3, 3, 2]], dtype=torch.int32)
    monkeypatch.setattr(module, "MOST_INPUTS", 2)
    training, test = module._plain_inputs(sentences, torch.tensor([[1, 9, 5, 5, 2]], dtype=torch.int32))
    assert training.tolist() == [[2, 0], [0, 1], [0, 1]]  # 4 and 5 are commonest; UNKNOWN (3) is no word
    assert test.tolist() == [[0, 2]]


def test_large_pictures_are_averaged_until_a_probe_can_see_them() -> None:
    pictures = torch.zeros(2, 3, 64, 64, dtype=torch.uint8)
    pictures[0, :, :4, :4] = 255
    seen = module._pixels(pictures)
    assert seen.shape == (2, 3 * 16 * 16)
    assert seen.sum().item() == pytest.approx(3)  # one pixel of each colour


def test_a_known_factor_is_told_by_name_and_one_that_is_the_label_lends_its_name() -> None:
    training = split(50, 0, shade=torch.linspace(0, 1, 50), side=torch.arange(50) % 2)
    training.factors["kind"] = training.labels.clone()
    dataset = data(training, training)
    assert targets(dataset)[0] == "kind"
    name, values, _ = targets(dataset, "side")
    assert (name, values.tolist()) == ("side", (torch.arange(50) % 2).tolist())
    with pytest.raises(ValueError, match=r"factor is 'colour': .* these known factors: shade, side, kind\."):
        targets(dataset, "colour")
    with pytest.raises(
        ValueError, match=r"factor is 'shade': it is a number without classes. Choose one of side, kind"
    ):
        targets(dataset, "shade")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (torch.full((60,), -1), "label: no training example has one"),
        (torch.zeros(60), "label: all examples have the same value"),
        (torch.arange(60), "label: 60 different values among 60 examples, so they are no classes"),
    ],
)
def test_labels_that_tell_nothing_are_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, labels: Tensor, words: str
) -> None:
    one = Split(examples=torch.zeros(60, 1, 2, 2, dtype=torch.uint8), labels=labels.long())
    with pytest.raises(ValueError, match=words):
        labels_needed(planted(monkeypatch, data(one, one), signal=1, jitter=1, std=1), data(one, one))


def test_more_labels_than_examples_are_refused_where_asked_for_and_left_out_where_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = data(split(120, 0), split(50, 1))
    model = planted(monkeypatch, small, signal=1, jitter=1, std=1)
    assert labels_needed(model, small).labels == [10, 30, 100]
    with pytest.raises(ValueError, match="labels is 500: give 2 or more, and at most the 120 training examples"):
        labels_needed(model, small, labels=[500])


def test_constant_inputs_tell_the_commonest_class(monkeypatch: pytest.MonkeyPatch, balanced: Dataset) -> None:
    found = labels_needed(planted(monkeypatch, balanced, signal=0, jitter=0, std=0), balanced)
    assert found.means.accuracy[-1] == pytest.approx(found.majority, abs=0.03)
    assert found.codes.accuracy == found.means.accuracy


def test_unlabelled_examples_are_neither_learned_from_nor_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    training, test = split(400, 0), split(300, 1)
    training.labels[::2], test.labels[100:] = -1, -1
    seen: list[int] = []

    def encode(model: object, examples: Tensor) -> Posterior:
        seen.append(len(examples))
        return Posterior(torch.zeros(len(examples), 2), torch.ones(len(examples), 2))

    monkeypatch.setattr(module, "encode", encode)
    found = labels_needed(None, data(training, test))  # type: ignore[arg-type]
    assert seen == [200, 100]
    assert found.test_examples == 100


def test_sentences_are_compared_with_a_bag_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = torch.arange(200) % 2
    rows = torch.tensor([[1, 4, 2], [1, 5, 2]], dtype=torch.int32)[labels]
    told = Split(examples=rows, labels=labels)
    dataset = Dataset(
        name="told", shape=TextShape(vocabulary_size=6, max_tokens=3), training=told, validation=told, test=told
    )
    found = labels_needed(planted(monkeypatch, dataset, signal=0, jitter=1, std=1), dataset)
    assert found.baseline_input == "bag of words"
    assert found.baseline.accuracy == [1.0, 1.0, 1.0]


def test_fewer_labels_than_classes_are_no_warning() -> None:
    classes = torch.arange(400) % 20
    inputs = torch.nn.functional.one_hot(classes, 20).float()
    found = probe_accuracies(inputs, inputs[:100], classes, classes[:100], labels=(10, 200))
    assert found.accuracy[0] == pytest.approx(0.5, abs=0.05)  # ten of twenty classes were seen, the rest is guessed
    assert found.accuracy[1] == 1
