"""One row for each latent dimension: what is decoded when that coordinate alone moves, its KL, and how much changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from bnvae.metrics.word_diff import Marked, marked
from pages.components.assets import joined, sendable
from pages.components.image_grid import sprite
from pages.components.sentence_list import KeptPair

_component = st.components.v2.component(
    "bnvae_traversal_grid",
    js=joined("chart.js", "sprite_cells.js", "marked_words.js", "kept_words.js", "traversal_grid.js"),
    css=joined("chart.css", "marked_words.css", "kept_words.css", "traversal_grid.css"),
)


@final
@dataclass(frozen=True, kw_only=True)
class TraversedRow:
    """One dimension that was moved."""

    dimension: int
    kl: float
    """mean over the test examples (nats)"""
    change: float
    """mean distance of what is decoded from what the starting code gives, in the unit the grid is told"""
    at: float
    """the starting code's own value (prior standard deviations)"""
    dead: bool
    seen: bool
    """whether the eye could tell any of what is decoded from what the starting code gives"""


@final
@dataclass(frozen=True, kw_only=True)
class Traversal:
    """All rows of one run. Pictures or sentences come row by row, one for each value."""

    values: Sequence[float]
    """what the moved coordinate is set to (prior standard deviations)"""
    rows: Sequence[TraversedRow]
    decoded: UInt8[np.ndarray, "N C H W"] | Sequence[str]
    start: UInt8[np.ndarray, "C H W"] | str
    """decoded from the starting code itself"""
    original: UInt8[np.ndarray, "C H W"] | str | None
    """the example that the code is of; None where it was not kept"""
    kept: KeptPair | None = None
    """marks of the example and of what is decoded from its code, where both are sentences"""


def traversal_grid(
    *,
    key: str,
    traversal: Traversal,
    title: str,
    caption: str,
    colour: str,
    words: str,
    unit: str,
    tops: tuple[float, float],
    open_rows: int,
) -> None:
    """The grid of one run; `tops` are the ends of the axes of KL (nats) and of change (`unit`), shared between runs.

    Rows after the first `open_rows` unfold when the visitor asks for them.
    """
    _component(
        key=key,
        data={
            "title": title,
            "caption": caption,
            "colour": colour,
            "words": words,
            "unit": unit,
            "open": open_rows,
            "values": sendable(traversal.values),
            "tops": sendable(tops),
            "rows": [_row(row) for row in traversal.rows],
            **(_sentences(traversal) if isinstance(traversal.start, str) else _pictures(traversal)),
        },
    )


def _row(row: TraversedRow) -> dict[str, Any]:
    kl, change, at = sendable((row.kl, row.change, row.at))
    return {"dimension": row.dimension, "kl": kl, "change": change, "at": at, "dead": row.dead}


def _pictures(traversal: Traversal) -> dict[str, Any]:
    assert isinstance(traversal.decoded, np.ndarray)
    assert isinstance(traversal.start, np.ndarray)
    kept = [traversal.start] if traversal.original is None else [traversal.original, traversal.start]
    columns = len(traversal.values)
    _, _, height, width = traversal.decoded.shape
    return {
        "png": sprite(traversal.decoded, columns),
        "starts": sprite(np.stack(kept), len(kept)),
        "start_names": ["decoded"] if traversal.original is None else ["example", "decoded"],
        "width": width,
        "height": height,
    }


def _sentences(traversal: Traversal) -> dict[str, Any]:
    assert isinstance(traversal.start, str)
    columns = len(traversal.values)
    rows = [
        groups([str(sentence) for sentence in traversal.decoded[start : start + columns]], traversal.start)
        for start in range(0, len(traversal.decoded), columns)
    ]
    start = [["decoded", traversal.start]]
    return {
        "sentences": rows,
        "kept": None if traversal.kept is None else traversal.kept.sent(),
        "starts": start if traversal.original is None else [["example", traversal.original], *start],
    }


def groups(sentences: Sequence[str], start: str) -> list[tuple[int, int, Marked, bool]]:
    """Neighbouring equal sentences as one: first and last place, its words, told whether `start` has them, and whether
    it is another sentence than `start`, from which words may only have been left out."""
    found: list[tuple[int, int, Marked, bool]] = []
    for place, sentence in enumerate(sentences):
        if place and sentence == sentences[place - 1]:
            found[-1] = (found[-1][0], place, *found[-1][2:])
        else:
            found.append((place, place, marked(sentence, start), sentence != start))
    return found
