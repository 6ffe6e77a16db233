"""Which words of a sentence differ from another sentence's."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

# Scripts without blanks between words (Chinese, Japanese) are compared sign by sign.
_PIECES = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]|\w+(?:['’\-]\w+)*|[^\w\s]")

Marked = list[tuple[str, bool]]
"""A sentence in parts, each with whether it differs; joined they are the sentence."""

Part = tuple[str, tuple[str, ...]]
"""Some of a sentence, and the names of what its words share with another sentence; none where they share nothing."""


def marked(sentence: str, other: str) -> Marked:
    """The sentence, its words told apart into those that `other` has at their place and those that it has not.

    The longest common runs of words are matched first (Ratcliff & Obershelp, as `difflib` does).
    """
    spans, theirs = list(_PIECES.finditer(sentence)), _PIECES.findall(other)
    parts: Marked = []
    end = 0
    for operation, start, stop, _, _ in _operations([span[0] for span in spans], theirs):
        if start < stop:
            last = spans[stop - 1].end()
            differs = operation != "equal"
            if differs and (lead := sentence[end : spans[start].start()]):
                parts.append((lead, False))  # the blank before a change is none
                end = spans[start].start()
            parts.append((sentence[end:last], differs))
            end = last
    if end < len(sentence):
        parts.append((sentence[end:], False))
    return parts


def words_changed(sentence: str, other: str) -> int:
    """Words replaced, added or left out to make one sentence of the other, >= 0; punctuation marks count as words."""
    ours, theirs = _PIECES.findall(sentence), _PIECES.findall(other)
    return sum(
        max(stop - start, until - begin)
        for operation, start, stop, begin, until in _operations(ours, theirs)
        if operation != "equal"
    )


def same_words(sentence: str, other: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The words that both have at their place, as `line[start:end]` of the one and of the other; no punctuation."""
    ours, theirs = (list(_PIECES.finditer(line)) for line in (sentence, other))
    pairs = [
        (ours[start + step].span(), theirs[begin + step].span())
        for operation, start, stop, begin, _ in _operations([o[0] for o in ours], [t[0] for t in theirs])
        if operation == "equal"
        for step in range(stop - start)
        if ours[start + step][0][0].isalnum()
    ]
    return [own for own, _ in pairs], [their for _, their in pairs]


def _operations(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """How to make `ours` of `theirs`: (what is done, our span, their span)."""
    return SequenceMatcher(None, list(ours), list(theirs), autojunk=False).get_opcodes()  # type: ignore[return-value]
