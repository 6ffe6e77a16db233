"""Sentences from a model or a user as numbered text nodes: whatever they contain is shown, never interpreted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import streamlit as st

from bnvae.metrics.word_diff import Part
from pages.components.assets import joined

_component = st.components.v2.component(
    "bnvae_sentence_list",
    js=joined("chart.js", "kept_words.js", "sentence_rows.js", "sentence_list.js"),
    css=joined("chart.css", "kept_words.css", "sentence_list.css"),
)


@final
@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a marked word keeps, and how it is marked."""

    name: str
    colour: str
    faint: bool = False
    """marked by an underline alone"""


@final
@dataclass(frozen=True, kw_only=True)
class Marks:
    """The words of lists of sentences that are marked, and what is said of it."""

    parts: Mapping[str, Sequence[Sequence[Part]]]
    """of each sentence under a title; names are those of `kinds`"""
    kinds: Sequence[Kind]
    notes: Mapping[str, str]
    """what stands under a title"""
    says: str
    """what is marked"""


@final
@dataclass(frozen=True, kw_only=True)
class KeptPair:
    """A sentence and its reconstruction, their marked words, and what is said of them."""

    original: Sequence[Part]
    again: Sequence[Part]
    kinds: Sequence[Kind]
    says: str

    def sent(self) -> dict[str, Any]:
        """What the browser draws of it."""
        pair = [sent_parts(parts, self.kinds) for parts in (self.original, self.again)]
        return {"pair": pair, "kinds": [vars(kind) for kind in self.kinds], "says": self.says}


def sentence_columns(*, key: str, columns: Mapping[str, Sequence[str]], label: str = "sentences") -> None:
    """Lists under their titles side by side, row by row level with each other; `label` is for screen readers.

    Sentences are numbered from 1; one without a visible character is shown as a dim "(empty)".
    """
    _component(key=key, data=table(columns, label=label))


def table(columns: Mapping[str, Sequence[str]], *, label: str, marks: Marks | None = None) -> dict[str, Any]:
    """What the browser draws of lists side by side."""
    lists: list[dict[str, Any]] = [
        {"title": title, "sentences": list(sentences)} for title, sentences in columns.items()
    ]
    if marks is None:
        return {"columns": lists, "label": label}
    for column in lists:
        column["parts"] = [sent_parts(parts, marks.kinds) for parts in marks.parts.get(column["title"], ())]
        column["note"] = marks.notes.get(column["title"], "")
    return {"columns": lists, "label": label, "says": marks.says, "kinds": [vars(kind) for kind in marks.kinds]}


def sent_parts(parts: Sequence[Part], kinds: Sequence[Kind]) -> list[tuple[str, list[int]]]:
    """Parts of a sentence as the browser takes them: each with the places of its kinds."""
    places = {kind.name: place for place, kind in enumerate(kinds)}
    return [(text, [places[name] for name in names]) for text, names in parts]
