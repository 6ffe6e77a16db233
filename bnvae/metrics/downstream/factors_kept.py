"""Which known causes of a sentence are still told by its reconstruction, beside what chance would keep."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from bnvae.data.dataset import Dataset, TextShape
from bnvae.data.random_subset import random_subset
from bnvae.data.storybook.corpus import FACTOR_NAMES
from bnvae.data.storybook.reading import CauseSpan, cause_spans, read_causes
from bnvae.data.text.vocabulary import decode as as_sentences
from bnvae.metrics.generation import Decoding, decode_codes
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import draw_codes, encode

CodeSource = Literal["means", "draws"]
"""From which codes a sentence is told again: posterior means, or one draw of z from each posterior"""

KEPT_SENTENCES = 600
"""share of a cause to two standard errors of at most 0.04"""


@final
@dataclass(frozen=True, kw_only=True)
class CauseKept:
    """How often one cause survives, and how often it would by chance."""

    share: float
    """of the sentences that tell the cause, those whose reconstruction tells the same value (fraction)"""
    standard_error: float
    """of the share, over the sentences (fraction)"""
    permuted_chance: float
    """share kept by the reconstruction of another sentence, mean over all pairs of two: what a code that tells nothing
    would keep with this decoder (fraction)"""
    majority_chance: float
    """share kept if every reconstruction told the commonest value (fraction)"""
    sentences: int
    """sentences that tell the cause (sentences)"""


@final
@dataclass(frozen=True, kw_only=True)
class CausesKept:
    """The shares of all causes, and their mean."""

    causes: dict[str, CauseKept]
    """by name: mood, who, action, object, place, time, tense, aspect, form"""
    mean: float
    """mean of the causes' shares (fraction)"""
    mean_standard_error: float
    """of that mean, over the sentences: a sentence's causes are not independent (fraction)"""
    mean_permuted_chance: float
    """mean of the causes' permuted chances (fraction)"""
    sentences: int
    """sentences that were told again (sentences)"""
    codes: CodeSource
    """posterior means, or one draw of z each"""


def causes_kept(
    model: VAE,
    dataset: Dataset,
    *,
    sentences: int = KEPT_SENTENCES,
    codes: CodeSource = "means",
    decoding: Decoding | None = None,
    seed: int = 0,
    tau: float | None = None,
) -> CausesKept:
    """Shares of the known causes that reconstructions of a random subset of the test sentences keep.

    Decoded greedily unless `decoding` says otherwise, from posterior means, or from one draw of z each: a code that
    tells little has means that still differ a little, so the draws are the stricter half. The head must hold the
    training set's moments, as every evaluated run's does.

    Raises:
        ValueError: the data set has no causes that words tell, or too few sentences.
    """
    if dataset.tokenizer is None or not isinstance(dataset.shape, TextShape) or "mood" not in dataset.test.factors:
        raise ValueError(f"data is {dataset.name!r}: causes can be read from the sentences of 'storybook' only.")
    rows = random_subset(len(dataset.test), sentences, seed=seed)
    examples = dataset.test.examples[rows]
    again = told_again(model, dataset, examples, codes=codes, decoding=decoding, seed=seed, tau=tau)
    factors = {name: values[rows].tolist() for name, values in dataset.test.factors.items()}
    return kept_in_lines(as_sentences(dataset.tokenizer, examples), again, factors, codes=codes)


@torch.no_grad()
def told_again(
    model: VAE,
    dataset: Dataset,
    examples: Tensor,
    *,
    codes: CodeSource = "means",
    decoding: Decoding | None = None,
    seed: int = 0,
    tau: float | None = None,
) -> list[str]:
    """The reconstruction of each example as a sentence, from its posterior mean or from one draw of z."""
    assert dataset.tokenizer is not None
    posterior = encode(model, examples, tau)
    z = posterior.mean if codes == "means" else draw_codes(posterior, seed)
    return as_sentences(dataset.tokenizer, decode_codes(model, dataset.shape, z, decoding, tau=tau))


def kept_in_lines(
    lines: Sequence[str],
    again: Sequence[str],
    factors: Mapping[str, Sequence[int]],
    *,
    codes: CodeSource = "means",
) -> CausesKept:
    """Shares of the causes that the sentences of `again` keep of those of `lines`, whose causes are `factors`.

    A cause counts where the sentence's own words tell it. A reconstruction whose words leave it open has lost it.

    Raises:
        ValueError: there are not as many sentences in both, or fewer than two tell a cause.
    """
    if len(lines) != len(again):
        raise ValueError(f"again has {len(again)} sentences for {len(lines)}: give one for each.")
    told, retold = [read_causes(line) for line in lines], [read_causes(line) for line in again]
    causes: dict[str, CauseKept] = {}
    deviations = torch.zeros(len(lines), dtype=torch.float64)
    for name in FACTOR_NAMES:
        places = [place for place, causes_told in enumerate(told) if name in causes_told]
        if len(places) < 2:
            raise ValueError(f"{len(places)} of {len(lines)} sentences tell {name!r}: give more sentences.")
        truth = [factors[name][place] for place in places]
        answers = [retold[place].get(name) for place in places]
        causes[name] = _kept(truth, answers)
        hits = torch.tensor([float(a == b) for a, b in zip(truth, answers, strict=True)], dtype=torch.float64)
        deviations[places] += (hits - hits.mean()) / (len(places) * len(FACTOR_NAMES))
    count = len(causes)
    return CausesKept(
        causes=causes,
        mean=sum(kept.share for kept in causes.values()) / count,
        mean_standard_error=deviations.square().sum().sqrt().item(),
        mean_permuted_chance=sum(kept.permuted_chance for kept in causes.values()) / count,
        sentences=len(lines),
        codes=codes,
    )


def _kept(truth: Sequence[int], answers: Sequence[int | None]) -> CauseKept:
    count = len(truth)
    hits = sum(a == b for a, b in zip(truth, answers, strict=True))
    true_counts, answer_counts = Counter(truth), Counter(answers)
    share = hits / count
    equal_pairs = sum(times * answer_counts[value] for value, times in true_counts.items())
    return CauseKept(
        share=share,
        standard_error=(share * (1 - share) / (count - 1)) ** 0.5,
        permuted_chance=(equal_pairs - hits) / (count * (count - 1)),
        majority_chance=max(true_counts.values()) / count,
        sentences=count,
    )


def kept_spans(line: str, again: str) -> tuple[list[CauseSpan], list[CauseSpan]]:
    """The spans of a sentence and of its reconstruction that tell the same value of the same cause, for colouring.

    Of a cause that words tell only in one of the two, or differently, there is none. The form has no span.
    """
    first, second = cause_spans(line), cause_spans(again)
    common = {(span.cause, span.value) for span in first} & {(span.cause, span.value) for span in second}
    own, other = ([span for span in spans if (span.cause, span.value) in common] for spans in (first, second))
    return own, other
