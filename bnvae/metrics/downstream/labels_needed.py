"""How many labels a code saves: accuracy of a linear probe that is trained on few of them."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from bnvae.data.dataset import UNKNOWN, Dataset, Split
from bnvae.data.random_subset import random_subset
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import draw_codes, encode
from bnvae.training.sampler import is_text, mix

LABELS = (10, 30, 100, 300, 1_000)
DRAWS = 10
"""sets of labelled examples of each size"""
PRIOR_VARIANCE = 10.0
"""of a logit, before any label is seen: the same however many inputs a probe has"""
LABELLED_EXAMPLES, TEST_EXAMPLES = 5_000, 2_000
"""at most so many training examples from which labels are drawn, and test examples on which probes are judged"""
MOST_INPUTS = 1_024
"""words or pixel values that a probe sees: what keeps all probes of a run within seconds"""
LARGEST_CLASSES = 100
"""values of a label or factor, at most: more are names, not classes"""


@final
@dataclass(frozen=True, kw_only=True)
class Accuracies:
    """Of probes on one kind of input, for each number of labels."""

    accuracy: list[float]
    """share of test examples classified correctly, mean over the draws of labels; 0 to 1"""
    spread: list[float]
    """standard deviation of that share over the draws of labels"""


@final
@dataclass(frozen=True, kw_only=True)
class LabelsNeeded:
    """Accuracies of linear probes on posterior means, on codes drawn from posteriors, and on the examples."""

    factor: str
    """the label, or the known factor"""
    classes: int
    """different values among the training examples"""
    labels: list[int]
    """numbers of labelled training examples"""
    draws: int
    test_examples: int
    majority: float
    """share of test examples of the class that is commonest among training examples: no input is needed for it"""
    means: Accuracies
    """on posterior means. Standardised, those of a collapsed run may still tell the label, and its codes do not"""
    codes: Accuracies
    """on one draw of z from each posterior: what a decoder is given"""
    baseline: Accuracies
    """on the example itself"""
    baseline_input: str
    """"bag of words" or "pixels" """


@torch.no_grad()
def labels_needed(
    model: VAE, dataset: Dataset, *, factor: str = "", labels: Sequence[int] = (), seed: int = 0
) -> LabelsNeeded:
    """Accuracies from few labels of the data set's label, or of one of its known factors.

    The model's head must hold the training set's moments. `labels` are numbers of labelled examples; empty: those
    of `LABELS` of which there are enough examples. Runs on the same data get the same labelled and test examples.

    Raises:
        ValueError: there is no such factor, it is no class, it never varies, or there are too few labelled examples.
    """
    name, training, test = targets(dataset, factor)
    known = (training >= 0).nonzero().flatten()
    rows = known[random_subset(len(known), LABELLED_EXAMPLES, seed=seed)]
    judged = (test >= 0).nonzero().flatten()
    judged = judged[random_subset(len(judged), TEST_EXAMPLES, seed=seed)]
    _check(name, training[rows], len(judged))
    counts = _counts(labels, len(rows), name)
    parts = [dataset.training.examples[rows], dataset.test.examples[judged]]
    posteriors = [encode(model, part) for part in parts]
    inputs = {
        "means": [posterior.mean for posterior in posteriors],
        "codes": [draw_codes(posterior, mix(seed, part)) for part, posterior in enumerate(posteriors)],
        "baseline": _plain_inputs(parts[0], parts[1]),
    }
    accuracies = {
        kind: probe_accuracies(own, judging, training[rows], test[judged], labels=counts, seed=seed)
        for kind, (own, judging) in inputs.items()
    }
    return LabelsNeeded(
        factor=name,
        classes=len(torch.unique(training[rows])),
        labels=counts,
        draws=DRAWS,
        test_examples=len(judged),
        majority=(test[judged] == training[rows].mode().values).double().mean().item(),
        baseline_input="bag of words" if is_text(parts[0]) else "pixels",
        **accuracies,
    )


def targets(dataset: Dataset, factor: str = "") -> tuple[str, Int[Tensor, "N"], Int[Tensor, "M"]]:
    """The name of the label or factor, and its value for each training and each test example; -1 where none is known.

    Raises:
        ValueError: there is no such factor, or it has no classes.
    """
    training, test = dataset.training, dataset.test
    if not factor:
        return label_name(training), training.labels.long(), test.labels.long()
    if factor not in training.factors:
        there = ", ".join(training.factors) or "none"
        raise ValueError(f"factor is {factor!r}: data set {dataset.name!r} has these known factors: {there}.")
    if training.factors[factor].is_floating_point():
        classes = [name for name, values in training.factors.items() if not values.is_floating_point()]
        raise ValueError(
            f"factor is {factor!r}: it is a number without classes. Choose one of {', '.join(classes) or 'no other'}."
        )
    return factor, training.factors[factor].long(), test.factors[factor].long()


def label_name(split: Split) -> str:
    """The known factor that is the label, else "label"."""
    same = [
        name
        for name, values in split.factors.items()
        if not values.is_floating_point() and torch.equal(values.long(), split.labels.long())
    ]
    return same[0] if same else "label"


def _check(name: str, known: Int[Tensor, "K"], judged: int) -> None:
    if not len(known) or not judged:
        split = "test" if len(known) else "training"
        raise ValueError(f"{name}: no {split} example has one. Give the column of labels (label_column), or a factor.")
    values, sizes = torch.unique(known, return_counts=True)
    if len(values) < 2:
        raise ValueError(f"{name}: all examples have the same value, so there is nothing to tell. Choose another.")
    if len(values) > LARGEST_CLASSES or int(sizes.max()) < 2:
        raise ValueError(
            f"{name}: {len(values)} different values among {len(known)} examples, so they are no classes. Give at most "
            f"{LARGEST_CLASSES}, of which one has two examples or more."
        )


def _counts(labels: Sequence[int], known: int, name: str) -> list[int]:
    """The numbers of labels to try, rising."""
    if not labels:
        return [count for count in LABELS if count <= known] or [known]
    for count in labels:
        if not 2 <= count <= known:
            raise ValueError(
                f"labels is {count}: give 2 or more, and at most the {known} training examples whose {name} is known."
            )
    return sorted(set(labels))


def probe_accuracies(
    training: Float[Tensor, "K D"],
    test: Float[Tensor, "M D"],
    training_classes: Int[Tensor, "K"],
    test_classes: Int[Tensor, "M"],
    *,
    labels: Sequence[int],
    seed: int = 0,
) -> Accuracies:
    """Share of test examples that a multinomial logistic probe classifies correctly, from few labelled examples.

    Inputs are standardised by the labelled examples alone, and those that do not vary among them are left out. The
    weights have a Gaussian prior of variance 10/D (scikit-learn's C): it is never chosen by looking at test examples.
    Each of the `DRAWS` draws is a random order of the training examples, with one of each class in front, and not
    stratified further; n labels are its first n. Every class is there where n allows it.
    """
    orders = [_order(training_classes, mix(seed, 11, draw)) for draw in range(DRAWS)]
    shares = torch.tensor(
        [
            [
                _share_correct(training[order[:count]], training_classes[order[:count]], test, test_classes)
                for order in orders
            ]
            for count in labels
        ],
        dtype=torch.float64,
    )
    return Accuracies(accuracy=shares.mean(1).tolist(), spread=shares.std(1, correction=1).tolist())


def _order(classes: Int[Tensor, "K"], seed: int) -> Int[Tensor, "K"]:
    """A random order of all rows, one row of each class before the rest."""
    order = torch.randperm(len(classes), generator=torch.Generator().manual_seed(seed))
    is_first: Bool[Tensor, "K"] = torch.zeros(len(order), dtype=torch.bool)
    for value in torch.unique(classes):
        is_first[(classes[order] == value).nonzero()[0]] = True
    return torch.cat([order[is_first], order[~is_first]])


def _share_correct(inputs: Tensor, classes: Tensor, test: Tensor, test_classes: Tensor) -> float:
    from sklearn.linear_model import LogisticRegression  # takes a second

    if len(torch.unique(classes)) < 2:
        return (test_classes == classes[0]).double().mean().item()
    mean, std = inputs.double().mean(0), inputs.double().std(0, correction=0)
    varies = std > 1e-9 * inputs.double().abs().amax(0)
    if not bool(varies.any()):
        return (test_classes == classes.mode().values).double().mean().item()

    def standardised(values: Tensor) -> Tensor:
        return (values.double()[:, varies] - mean[varies]) / std[varies]

    probe = LogisticRegression(C=PRIOR_VARIANCE / int(varies.sum()), tol=1e-3, max_iter=1_000)
    with warnings.catch_warnings():
        # Few labels of many classes are what is asked about here, and no regression.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        probe.fit(standardised(inputs).numpy(), classes.numpy())
    answers = torch.from_numpy(probe.predict(standardised(test).numpy()))
    return (answers == test_classes).double().mean().item()


def _plain_inputs(training: Tensor, test: Tensor) -> list[Float[Tensor, "N D"]]:
    """What a probe without a model sees: how often each common word is in a sentence, or the pixels."""
    if is_text(training):
        counts = torch.bincount(training[training > UNKNOWN].long())
        common = counts.argsort(descending=True, stable=True)[: min(MOST_INPUTS, int((counts > 0).sum()))]
        return [_word_counts(part, common) for part in (training, test)]
    return [_pixels(training), _pixels(test)]


def _word_counts(sentences: Int[Tensor, "N L"], words: Int[Tensor, "W"]) -> Float[Tensor, "N W"]:
    """How often each of these words is in each sentence."""
    place = torch.full((int(max(sentences.max(), words.max())) + 1,), len(words))
    place[words] = torch.arange(len(words))
    columns = place[sentences.long()]
    found = torch.zeros(len(sentences), len(words) + 1)  # the last column takes all other tokens
    return found.scatter_add_(1, columns, torch.ones(columns.shape))[:, :-1]


def _pixels(pictures: Tensor) -> Float[Tensor, "N D"]:
    """Pixels from 0 to 1, averaged over squares where there are more than a probe sees."""
    values, side = pictures.float() / 255, 1
    channels, height, width = pictures.shape[1:]
    while channels * -(-height // side) * -(-width // side) > MOST_INPUTS:
        side += 1
    if side > 1:
        values = functional.avg_pool2d(values, side, ceil_mode=True)
    return values.flatten(1)
