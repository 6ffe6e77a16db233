"""A heat map with its numbers: how much each latent dimension tells of each known factor."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from jaxtyping import Float

from pages.components.assets import joined, sendable

_component = st.components.v2.component(
    "bnvae_factor_matrix",
    js=joined("chart.js", "sprite_cells.js", "factor_matrix.js"),
    css=joined("chart.css", "factor_matrix.css"),
)


def factor_matrix(
    *,
    key: str,
    information: Float[np.ndarray, "R F"],
    dimensions: Sequence[int],
    kl: Sequence[float],
    factors: Sequence[str],
    entropy: Sequence[float],
    top: float,
    title: str,
    caption: str,
    words: str,
    colour: str,
) -> None:
    """Mutual information in nats, a row for each of `dimensions` with its mean KL, a column for each factor.

    A cell is as dark as its share of `top`, which several matrices may share; `entropy` is what there is to know.
    """
    _component(
        key=key,
        data={
            "title": title,
            "caption": caption,
            "words": words,
            "colour": colour,
            "dimensions": list(dimensions),
            "kl": sendable(kl),
            "factors": list(factors),
            "entropy": sendable(entropy),
            "top": sendable([top])[0],
            "rows": [sendable(row) for row in information],
        },
    )
