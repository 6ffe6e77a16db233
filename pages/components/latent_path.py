"""The way from one latent code to another, step by step: what is decoded, and how far from the data each step is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from bnvae.metrics.word_diff import marked
from pages.components.assets import joined, sendable
from pages.components.image_grid import sprite

_component = st.components.v2.component(
    "bnvae_latent_path",
    js=joined("chart.js", "sprite_cells.js", "marked_words.js", "latent_path.js"),
    css=joined("chart.css", "marked_words.css", "latent_path.css"),
)


def latent_path(
    *,
    key: str,
    decoded: UInt8[np.ndarray, "N C H W"] | Sequence[str],
    distances: Sequence[float],
    typical: float,
    top: float,
    title: str,
    caption: str,
    words: str,
    colour: str,
) -> None:
    """N steps in their order, pictures in a row, sentences in a list with the words marked that changed.

    `distances` are those to the nearest posterior mean, `typical` that between neighbours in the data and `top` the end
    of the axis, which several ways may share; all in prior standard deviations.

    Raises:
        ValueError: there is not one distance for each step.
    """
    if len(distances) != len(decoded):
        raise ValueError(f"distances has {len(distances)} values for {len(decoded)} steps: give one for each.")
    _component(
        key=key,
        data={
            "title": title,
            "caption": caption,
            "words": words,
            "colour": colour,
            "distances": sendable(distances),
            "typical": sendable([typical])[0],
            "top": sendable([top])[0],
            **_made(decoded),
        },
    )


def _made(decoded: UInt8[np.ndarray, "N C H W"] | Sequence[str]) -> dict[str, Any]:
    if isinstance(decoded, np.ndarray):
        _, _, height, width = decoded.shape
        return {"png": sprite(decoded, max(1, len(decoded))), "width": width, "height": height}
    before = [decoded[0] if len(decoded) else "", *decoded]
    return {"sentences": [marked(sentence, last) for sentence, last in zip(decoded, before, strict=False)]}
