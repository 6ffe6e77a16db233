"""Reads the causes of a storybook sentence from its words, so that any decoder's text can be compared with them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bnvae.data.storybook.corpus import FACTOR_NAMES
from bnvae.data.storybook.lexicon import ACTIONS, CHARACTERS, MOODS, OBJECTS, PLACES, TIMES

_TOKEN = re.compile(r"\w+|[^\w\s]")
_PAST, _PRESENT, _FUTURE = range(3)
_SIMPLE, _ONGOING = range(2)
_ASKED = {"will": _FUTURE, "did": _PAST, "does": _PRESENT}
_BEING = {"was": _PAST, "were": _PAST, "is": _PRESENT, "are": _PRESENT, "am": _PRESENT, "will": _FUTURE}


@dataclass(frozen=True, kw_only=True)
class CauseSpan:
    """Words of a sentence that tell one of its causes: `line[start:end]`."""

    start: int
    """first character (characters)"""
    end: int
    """the character after the last one (characters)"""
    cause: str
    """a name in `FACTOR_NAMES`"""
    value: int
    """index into `FACTOR_NAMES[cause]`"""


class _Token(NamedTuple):
    word: str
    start: int
    end: int


class _Found(NamedTuple):
    """A phrase of the word lists at the tokens first, ..., last."""

    kind: str
    value: int
    first: int
    last: int


_Phrases = Mapping[tuple[str, ...], tuple[str, int]]


def _phrases() -> _Phrases:
    """Every phrase that tells a cause by itself, split into words; a mood's kind says which of its lists it is in."""
    lists: dict[str, Sequence[str]] = {"who": CHARACTERS, "object": OBJECTS, "place": PLACES, "time": TIMES}
    found = {phrase: (kind, value) for kind, names in lists.items() for value, phrase in enumerate(names)}
    for value, mood in enumerate(MOODS):
        for kind in _MOOD_KINDS:
            found |= dict.fromkeys(getattr(mood, kind), (kind, value))
    return {tuple(phrase.split()): told for phrase, told in found.items()}


_MOOD_KINDS = ("adjectives", "adverbs", "while_doing", "manner")
_PHRASES = _phrases()
_LONGEST = max(map(len, _PHRASES))
_FORM_OF_MOOD_KIND = {"adjectives": "plain", "adverbs": "adverb", "manner": "manner"}


def cause_spans(line: str) -> list[CauseSpan]:
    """Where a sentence tells each of its causes, in the order of its words; each cause at most once.

    The verb tells action and aspect, and the tense too where no auxiliary does, so spans may be equal. The form is told
    by no words of its own. Of two characters the first is the one who acts.
    """
    tokens = _tokens(line)
    spans: dict[str, CauseSpan] = {}

    def mark(cause: str, value: int, first: int, last: int) -> None:
        span = CauseSpan(start=tokens[first].start, end=tokens[last].end, cause=cause, value=value)
        spans.setdefault(cause, span)

    found = list(_find(tokens))
    for kind, value, first, last in found:
        mark("mood" if kind in _MOOD_KINDS else kind, value, first, last)
    verb = _verb(tokens, found)
    if verb is not None:
        mark("action", verb.action, verb.position, verb.position)
        mark("aspect", verb.aspect, verb.position, verb.position)
        if verb.tense is not None:
            mark("tense", verb.tense, verb.auxiliary, verb.auxiliary)
    return sorted(spans.values(), key=lambda span: (span.start, span.end))


def read_causes(line: str) -> dict[str, int]:
    """The causes that a sentence tells, by name, as indices into `FACTOR_NAMES`; what its words leave open is absent.

    Place and time are absent where unsaid, and so is the tense of "i read a letter".
    """
    causes = {span.cause: span.value for span in cause_spans(line)}
    form = _form(_tokens(line))
    return causes if form is None else causes | {"form": FACTOR_NAMES["form"].index(form)}


def _tokens(line: str) -> list[_Token]:
    return [_Token(match.group().lower(), *match.span()) for match in _TOKEN.finditer(line)]


def _find(tokens: list[_Token]) -> Iterator[_Found]:
    """The phrases of the word lists from left to right, the longest first; none shares a word with another."""
    at = 0
    while at < len(tokens):
        for length in range(min(_LONGEST, len(tokens) - at), 0, -1):
            told = _PHRASES.get(tuple(token.word for token in tokens[at : at + length]))
            if told is not None:
                yield _Found(*told, at, at + length - 1)
                at += length
                break
        else:
            at += 1


class _Verb(NamedTuple):
    position: int
    action: int
    aspect: int
    tense: int | None
    """None where the form fits two tenses"""
    auxiliary: int
    """position of the word that tells the tense: an auxiliary, or the verb itself"""


def _verb(tokens: list[_Token], found: list[_Found]) -> _Verb | None:
    """The first form of an action outside all other phrases ("with a light heart" lights nothing)."""
    taken = {at for phrase in found for at in range(phrase.first, phrase.last + 1)}
    for position, token in enumerate(tokens):
        if position in taken:
            continue
        for index, action in enumerate(ACTIONS):
            if token.word == action.ongoing:
                at = _before(tokens, position, _BEING)
                tense = None if at is None else _BEING[tokens[at].word]
                return _Verb(position, index, _ONGOING, tense, position if at is None else at)
            if token.word in (action.base, action.present, action.past):
                return _simple(tokens, found, position, index)
    return None


def _simple(tokens: list[_Token], found: list[_Found], position: int, index: int) -> _Verb:
    action, word = ACTIONS[index], tokens[position].word
    at = _before(tokens, position, _ASKED) if word == action.base else None
    if at is not None:
        return _Verb(position, index, _SIMPLE, _ASKED[tokens[at].word], at)
    fits = [
        tense
        for tense, told in ((_PAST, action.past), (_PRESENT, action.base if _is_plain(tokens, found, position) else ""))
        if word == told
    ]
    if word == action.present:
        fits = [_PRESENT]
    elif not fits:
        fits = [_PRESENT]  # "the owl bake": of no tense but this one
    return _Verb(position, index, _SIMPLE, fits[0] if len(fits) == 1 else None, position)


def _is_plain(tokens: list[_Token], found: list[_Found], position: int) -> bool:
    """Whether the present of this verb is its base: "i read", "the owl and the fox read"."""
    before = [phrase for phrase in found if phrase.last < position]
    characters = [phrase for phrase in before if phrase.kind == "who"]
    return len(characters) > 1 or any(token.word == "i" for token in tokens[:position])


def _before(tokens: list[_Token], position: int, words: Mapping[str, int]) -> int | None:
    """Position of the last of these words before `position`."""
    return next((at for at in range(position - 1, -1, -1) if tokens[at].word in words), None)


def _form(tokens: list[_Token]) -> str | None:
    words = [token.word for token in tokens]
    found = list(_find(tokens))
    if "?" in words:
        return "question"
    if '"' in words:
        return "speech"
    if "there" in words:
        return "there was"
    if {"help", "helps", "helped"} & set(words):
        return "with help"
    characters = [phrase for phrase in found if phrase.kind == "who"]
    if len(characters) > 1 and words[characters[0].last + 1 : characters[1].first] == ["and", "the"]:
        return "two together"
    mood = next((phrase for phrase in found if phrase.kind in _MOOD_KINDS), None)
    if mood is None:
        return None
    if mood.kind == "while_doing":
        verb = _verb(tokens, found)
        return "doing first" if verb is not None and mood.last < verb.position else "while doing"
    return _FORM_OF_MOOD_KIND[mood.kind]
