"""A small map of a run's examples with one more code on it: a star, and rings around those nearest to it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import streamlit as st
from jaxtyping import Float, Int
from numpy.typing import NDArray

from bnvae.data.random_subset import random_subset
from pages.components.assets import joined
from pages.components.latent_scatter import Legend, legend_data

MOST_DRAWN = 2_500
"""examples drawn; of more, every so-manieth: a small map has no room for them, and a stroke sends them anew"""

_component = st.components.v2.component(
    "bnvae_place_map",
    js=joined("chart.js", "place_map.js"),
    css=joined("chart.css", "place_map.css"),
)


@final
@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """An example that is among the nearest in latent space."""

    point: tuple[float, float]
    words: str


def place_map(
    *,
    key: str,
    title: str,
    points: Float[np.ndarray, "N 2"],
    colours: Int[np.ndarray, "N"],
    legend: Legend,
    own: tuple[float, float] | None,
    near: Sequence[Neighbour],
    axes: str,
    words: str,
) -> None:
    """Points within about -1 to 1, with what the place of `own` is and how it was found in `words`."""
    _component(
        key=key,
        data=payload(
            title=title, points=points, colours=colours, legend=legend, own=own, near=near, axes=axes, words=words
        ),
    )


def payload(
    *,
    title: str,
    points: Float[np.ndarray, "N 2"],
    colours: Int[np.ndarray, "N"],
    legend: Legend,
    own: tuple[float, float] | None,
    near: Sequence[Neighbour],
    axes: str,
    words: str,
) -> dict[str, Any]:
    """What the browser draws."""
    rows = random_subset(len(points), MOST_DRAWN).numpy()
    return {
        "title": title,
        "points": _packed(points[rows], "<f4"),
        "colours": _packed(colours[rows], "<u4"),
        "legend": legend_data(legend),
        "own": None if own is None else [float(value) for value in own],
        "near": [{"point": [float(value) for value in one.point], "words": one.words} for one in near],
        "axes": axes,
        "words": words,
    }


def _packed(values: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()
