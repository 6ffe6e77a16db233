"""What is told of a choice on the maps, of all runs in one message: it has to be drawn a glance after the click."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from bnvae.metrics.word_diff import Marked
from pages.components.assets import joined
from pages.components.image_grid import sprite
from pages.components.kl_bars import bars
from pages.components.latent_scatter import Layer, packed_layer

KL_HEIGHT_PX = 124
NEAR_COLUMNS = 5
"""of pictures, where there is one run; several runs have all ten in a row"""

_component = st.components.v2.component(
    "bnvae_map_answer",
    js=joined(
        "chart.js",
        "dimension_bars.js",
        "kl_chart.js",
        "picture_grid.js",
        "sprite_cells.js",
        "marked_words.js",
        "map_marks.js",
        "map_answer.js",
    ),
    css=joined("chart.css", "kl_bars.css", "image_grid.css", "marked_words.css", "map_answer.css"),
)


@final
@dataclass(frozen=True, kw_only=True)
class Near:
    """The nearest in latent space, with a caption for each."""

    title: str
    shown: UInt8[np.ndarray, "K C H W"] | Sequence[str]
    captions: Sequence[str]


@final
@dataclass(frozen=True, kw_only=True)
class RunAnswer:
    """What one run makes of the choice."""

    title: str
    colour: str
    named: str
    """what was chosen"""
    problem: str = ""
    """why the run has no answer"""
    made: Mapping[str, UInt8[np.ndarray, "C H W"] | Marked] | None = None
    """pictures or sentences by their names"""
    kl: Sequence[float] | None = None
    """of each dimension (nats)"""
    words: str = ""
    near: Near | None = None


@final
@dataclass(frozen=True, kw_only=True)
class Marks:
    """What the choice marks on one map."""

    linked: Sequence[int] = ()
    """examples with a thin ring"""
    layers: Sequence[Layer] = ()
    words: str = ""
    """what the layers show"""


def map_answer(
    *,
    key: str,
    map_key: str,
    answers: Sequence[RunAnswer],
    marks: Sequence[Marks],
    answered: Mapping[str, float] | None,
    hint: str = "",
    chosen: str = "",
    most_kl: float = 0.1,
) -> None:
    """The answers under one another, and the marks of each panel of the map of `map_key`.

    `most_kl` is a value that every run's axis of KL holds (nats), `chosen` what is told of a lasso.
    """
    _component(
        key=key,
        data={
            "map": map_key,
            "hint": hint,
            "chosen": chosen,
            "answered": None if answered is None else dict(answered),
            "runs": [_answer(one, alone=len(answers) == 1, most_kl=most_kl) for one in answers],
            "marks": [
                {
                    "linked": [int(row) for row in one.linked],
                    "layers": [packed_layer(layer) for layer in one.layers],
                    "words": one.words,
                }
                for one in marks
            ],
        },
    )


def _answer(one: RunAnswer, *, alone: bool, most_kl: float) -> dict[str, Any]:
    return {
        "title": one.title,
        "colour": one.colour,
        "named": one.named,
        "problem": one.problem,
        "made": None if one.made is None else _made(one.made),
        "kl": None if one.kl is None else _kl(one, one.kl, most_kl),
        "words": one.words,
        "near": None if one.near is None else _near(one.near, columns=NEAR_COLUMNS if alone else 2 * NEAR_COLUMNS),
    }


def _kl(one: RunAnswer, kl: Sequence[float], most_kl: float) -> dict[str, Any]:
    return {
        **bars(kl, None, None),
        "title": f"{one.title}: KL of this example",
        "caption": "",
        "colour": one.colour,
        "reach": most_kl if np.isfinite(most_kl) else None,
        "group": "map-answer",
        "height": KL_HEIGHT_PX,
    }


def _made(made: Mapping[str, UInt8[np.ndarray, "C H W"] | Marked]) -> dict[str, Any]:
    pictures = [one for one in made.values() if isinstance(one, np.ndarray)]
    if pictures:
        return {"pictures": _pictures(np.stack(pictures), list(made), columns=len(pictures), wide=84)}
    return {"sentences": [{"name": name, "parts": parts} for name, parts in made.items()]}


def _near(near: Near, *, columns: int) -> dict[str, Any]:
    if isinstance(near.shown, np.ndarray):
        wide = 56 if columns == NEAR_COLUMNS else 28
        return {
            "title": near.title,
            "folded": False,
            "pictures": _pictures(near.shown, near.captions, columns=columns, wide=wide, alt=near.title),
        }
    rows = [{"text": text, "caption": caption} for text, caption in zip(near.shown, near.captions, strict=True)]
    # Ten sentences would push the next run's answer out of sight.
    return {"title": near.title, "sentences": rows, "folded": columns != NEAR_COLUMNS}


def _pictures(
    pixels: UInt8[np.ndarray, "K C H W"], captions: Sequence[str], *, columns: int, wide: int, alt: str = ""
) -> dict[str, Any]:
    """As `image_grid` sends them; `wide` is the width of a picture on the page (CSS pixels)."""
    count, _, height, width = pixels.shape
    return {
        "png": sprite(pixels, columns),
        "count": count,
        "columns": columns,
        "width": width,
        "height": height,
        "scale": max(1.0, wide / width),
        "captions": list(captions),
        "alt": alt or " and ".join(captions),
    }
