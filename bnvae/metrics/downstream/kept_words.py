"""Which words of a sentence its reconstructions keep: those of its known causes, else the words that are the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from bnvae.data.storybook.reading import cause_spans
from bnvae.metrics.downstream.factors_kept import kept_spans
from bnvae.metrics.word_diff import Part, same_words

SHOWN_CAUSES = ("mood", "who", "action", "object", "place", "time", "tense", "aspect")
"""that words tell, in the order in which a word that tells several is given to one: the verb is the action's"""

_Span = tuple[int, int, str]


@final
@dataclass(frozen=True, kw_only=True)
class KeptWords:
    """Sentences and their reconstructions in parts; joined, the parts of one are the sentence."""

    originals: list[list[Part]]
    """what at least one of the models keeps"""
    again: list[list[list[Part]]]
    """of each model, of each sentence: what its reconstruction keeps"""
    kept: list[int]
    """causes, or words, that each model keeps in all sentences"""
    told: int
    """causes, or words, that the sentences have"""


def kept_causes(lines: Sequence[str], again: Sequence[Sequence[str]]) -> KeptWords:
    """Sentences whose causes words tell: what each model's reconstructions `again` keep of them.

    A cause is kept where both tell the same value of it, with whatever words. The form, which no words tell, is left
    out.
    """

    def spans(line: str, other: str) -> tuple[list[_Span], list[_Span]]:
        own, theirs = (
            [(span.start, span.end, span.cause) for span in found if span.cause in SHOWN_CAUSES]
            for found in kept_spans(line, other)
        )
        return own, theirs

    def count(line: str) -> int:
        return sum(span.cause in SHOWN_CAUSES for span in cause_spans(line))

    return _kept(lines, again, spans, count)


def kept_words(lines: Sequence[str], again: Sequence[Sequence[str]]) -> KeptWords:
    """Sentences without known causes: the words that each model's reconstructions `again` have at the same place."""

    def spans(line: str, other: str) -> tuple[list[_Span], list[_Span]]:
        own, theirs = ([(*span, "word") for span in found] for found in same_words(line, other))
        return own, theirs

    def count(line: str) -> int:
        return len(same_words(line, line)[0])

    return _kept(lines, again, spans, count)


def _kept(
    lines: Sequence[str],
    again: Sequence[Sequence[str]],
    spans: Callable[[str, str], tuple[list[_Span], list[_Span]]],
    count: Callable[[str], int],
) -> KeptWords:
    for sentences in again:
        if len(sentences) != len(lines):
            raise ValueError(f"again has {len(sentences)} sentences for {len(lines)}: give one for each.")
    found = [[spans(line, other) for line, other in zip(lines, sentences, strict=True)] for sentences in again]
    return KeptWords(
        originals=[_parts(line, [span for one in found for span in one[row][0]]) for row, line in enumerate(lines)],
        again=[
            [_parts(other, theirs) for other, (_, theirs) in zip(sentences, one, strict=True)]
            for sentences, one in zip(again, found, strict=True)
        ],
        kept=[sum(len(own) for own, _ in one) for one in found],
        told=sum(map(count, lines)),
    )


def _parts(line: str, spans: Sequence[_Span]) -> list[Part]:
    """The line cut where a span begins or ends; neighbours that keep the same are one, and the blank between them."""
    ends = sorted({0, len(line), *(end for span in spans for end in span[:2])})
    parts: list[Part] = []
    for start, end in pairwise(ends):
        names = {name for first, last, name in spans if first <= start and end <= last}
        text = line[start:end]
        order = tuple(name for name in (*SHOWN_CAUSES, "word") if name in names)
        if order and parts and parts[-1][1] == order:
            parts[-1] = (parts[-1][0] + text, order)
        elif order and len(parts) > 1 and parts[-2][1] == order and not parts[-1][1] and parts[-1][0].isspace():
            blank = parts.pop()[0]
            parts[-1] = (parts[-1][0] + blank + text, order)
        else:
            parts.append((text, order))
    return parts
