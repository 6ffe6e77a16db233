"""What else a sentence changes when one of its known causes is changed in its latent code."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from bnvae.data.dataset import Dataset, TextShape
from bnvae.data.random_subset import random_subset
from bnvae.data.storybook.corpus import UNSAID
from bnvae.data.storybook.reading import read_causes
from bnvae.data.text.vocabulary import decode as as_sentences
from bnvae.metrics.generation import decode_codes
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import encode
from bnvae.training.mutual_information import standard_error
from bnvae.training.sampler import mix

EDITED_CAUSES = ("mood", "who", "action", "place", "time", "tense", "aspect")
"""not the form, which decides what else is said, and not the object, of which each action has its own"""
FOLLOWS = {"action": ("object",)}
"""causes that have to change with the edited one, and are not counted"""
DIRECTION_EXAMPLES, EDITED_SENTENCES = 5_000, 300
"""training examples behind the directions, and test sentences that are edited, at most"""

Causes = Mapping[str, int]
"""the value of each cause that a sentence tells, by name"""
Read = Callable[[Float[Tensor, "B D"]], Sequence[Causes]]
"""the causes of what a model decodes from each code"""


@final
@dataclass(frozen=True, kw_only=True)
class EditOutcome:
    """Of edits of one cause, or means over the edits of each sentence."""

    took: float
    """share of the edits after which the decoded sentence tells the wanted value (fraction)"""
    took_standard_error: float | None
    """of that share over the sentences (fraction)"""
    took_before: float
    """share of the same edits whose wanted value was told before the edit: chance (fraction)"""
    others_changed: float
    """share of the other causes, told before or after the edit, that the edit changes (fraction)"""
    others_changed_standard_error: float | None
    """of that share over the sentences (fraction)"""
    sentences: int


@final
@dataclass(frozen=True, kw_only=True)
class Edits:
    """Edits of each cause, and of all of them."""

    all: EditOutcome
    causes: dict[str, EditOutcome]


def edits(model: VAE, dataset: Dataset, *, seed: int = 0) -> Edits:
    """Outcomes of edits of test sentences, decoded greedily from posterior means, before and after.

    The model's head must hold the training set's moments.

    Raises:
        ValueError: the causes of the data set's sentences can't be read from their words.
    """
    tokenizer, shape = dataset.tokenizer, dataset.shape
    if tokenizer is None or not isinstance(shape, TextShape) or not set(EDITED_CAUSES) <= set(dataset.test.factors):
        raise ValueError(f"data is {dataset.name!r}: causes can be read from the sentences of 'storybook' only.")
    rows = [
        random_subset(len(split), most, seed=seed)
        for split, most in ((dataset.training, DIRECTION_EXAMPLES), (dataset.test, EDITED_SENTENCES))
    ]
    codes = [
        encode(model, split.examples[chosen]).mean
        for split, chosen in zip((dataset.training, dataset.test), rows, strict=True)
    ]

    def read(changed: Float[Tensor, "B D"]) -> Sequence[Causes]:
        return [read_causes(line) for line in as_sentences(tokenizer, decode_codes(model, shape, changed))]

    training, test = (
        {name: split.factors[name][chosen].long() for name in EDITED_CAUSES}
        for split, chosen in zip((dataset.training, dataset.test), rows, strict=True)
    )
    never = {
        name: dataset.factor_names[name].index(UNSAID) for name in EDITED_CAUSES if UNSAID in dataset.factor_names[name]
    }
    return edits_of_codes(codes[1], test, codes[0], training, read, never=never, follows=FOLLOWS, seed=seed)


def edits_of_codes(
    codes: Float[Tensor, "N D"],
    causes: Mapping[str, Int[Tensor, "N"]],
    training_codes: Float[Tensor, "M D"],
    training_causes: Mapping[str, Int[Tensor, "M"]],
    read: Read,
    *,
    never: Mapping[str, int] | None = None,
    follows: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
) -> Edits:
    """Outcomes of moving each code from the mean code of its own value of a cause to that of another value.

    The direction is the difference of the mean codes of two classes of training examples, added once: the attribute
    vectors of Larsen et al. 2016, arXiv:1512.09300. The wanted value is drawn from the other ones. `never` is a value
    of a cause from and to which nothing is moved, `follows` names causes that are not counted beside an edited one.
    """
    never, follows = never or {}, follows or {}
    before = read(codes)
    found: dict[str, tuple[Tensor, Tensor, Tensor, Tensor]] = {}
    for number, (name, values) in enumerate(causes.items()):
        known = torch.unique(training_causes[name]).tolist()
        usable = torch.tensor([value for value in known if value != never.get(name)], dtype=torch.long)
        rows = torch.isin(values, usable).nonzero().flatten()
        if len(usable) < 2 or not len(rows):
            continue
        wanted = _other_values(values[rows], usable, mix(seed, 12, number))
        means = {value: training_codes[training_causes[name] == value].mean(0) for value in usable.tolist()}
        direction = torch.stack(
            [means[int(to)] - means[int(own)] for own, to in zip(values[rows], wanted, strict=True)]
        )
        after = read(codes[rows] + direction)
        left_out = {name, *follows.get(name, ())}
        each = [
            _compared(before[row], told, name, int(to), left_out)
            for row, told, to in zip(rows.tolist(), after, wanted, strict=True)
        ]
        took, had, changed = torch.tensor(each, dtype=torch.float64).unbind(1)
        found[name] = rows, took, had, changed
    if not found:
        raise ValueError("causes: each has one value, so there is nothing to change. Give examples that differ.")
    return Edits(
        all=_overall(list(found.values()), len(codes)), causes={name: _outcome(*of) for name, of in found.items()}
    )


def _other_values(own: Int[Tensor, "N"], values: Int[Tensor, "V"], seed: int) -> Int[Tensor, "N"]:
    """For each a random one of the values that is not its own."""
    generator = torch.Generator().manual_seed(seed)
    further = torch.randint(1, len(values), (len(own),), generator=generator)
    return values[(torch.searchsorted(values, own) + further) % len(values)]


def _compared(before: Causes, after: Causes, name: str, wanted: int, left_out: set[str]) -> tuple[float, float, float]:
    """Whether an edit took, whether its value was told before, and the share of other causes that it changed."""
    others = (before.keys() | after.keys()) - left_out
    changed = sum(before.get(other) != after.get(other) for other in others)
    return float(after.get(name) == wanted), float(before.get(name) == wanted), changed / max(1, len(others))


def _outcome(rows: Int[Tensor, "N"], took: Tensor, had: Tensor, changed: Tensor) -> EditOutcome:
    """Means over sentences, one edit each."""
    return EditOutcome(
        took=took.mean().item(),
        took_standard_error=standard_error(took),
        took_before=had.mean().item(),
        others_changed=changed.mean().item(),
        others_changed_standard_error=standard_error(changed),
        sentences=len(rows),
    )


def _overall(found: Sequence[tuple[Tensor, Tensor, Tensor, Tensor]], count: int) -> EditOutcome:
    """Means over sentences of the mean over each one's edits: those of one sentence are not independent."""
    times = torch.zeros(count, dtype=torch.float64)
    sums = torch.zeros(3, count, dtype=torch.float64)
    for rows, *each in found:
        times[rows] += 1
        sums[:, rows] += torch.stack(each)
    edited = times > 0
    return _outcome(edited.nonzero().flatten(), *(sums[:, edited] / times[edited]))


def as_figures(found: Edits) -> dict[str, object]:
    """Ready for JSON: the figures of all edits by name, and those of each cause under "causes"."""
    return dataclasses.asdict(found.all) | {"causes": {name: vars(one) for name, one in found.causes.items()}}
