"""What models made, in sections under headings: sentences in columns, pictures in grids; all in one node."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from pages.components.assets import joined
from pages.components.image_grid import pictures
from pages.components.sentence_list import Marks, table

Made = Sequence[str] | UInt8[np.ndarray, "N C H W"]

_component = st.components.v2.component(
    "bnvae_preview_sections",
    js=joined(
        "chart.js", "live_feed.js", "picture_grid.js", "kept_words.js", "sentence_rows.js", "preview_sections.js"
    ),
    css=joined("chart.css", "image_grid.css", "kept_words.css", "sentence_list.css", "preview_sections.css"),
)


def section(heading: str, made: Mapping[str, Made], *, picture_px: int, marks: Marks | None = None) -> dict[str, Any]:
    """What the browser draws of one section: sentences row by row level with each other, pictures as grids of one size.

    `made` maps a title to sentences, or to pixels; a picture is at least `picture_px` wide, however few pixels it has.
    `marks` are of the sentences.
    """
    texts = {title: sentences for title, sentences in made.items() if not isinstance(sentences, np.ndarray)}
    grids = {title: pixels for title, pixels in made.items() if isinstance(pixels, np.ndarray)}
    columns = 4 if len(grids) > 2 else 8
    return {
        "heading": heading,
        "table": table(texts, label=heading, marks=marks) if texts else None,
        "grids": [
            {
                "title": title,
                **pictures(pixels, columns, alt=f"{heading}, {title}", scale=max(3.0, picture_px / pixels.shape[3])),
            }
            for title, pixels in grids.items()
        ],
    }


def draw_preview_sections(*, key: str, data: Mapping[str, Any]) -> None:
    """Draw {"note": words before there are any, "sections": what `section` returned}, or follow a feed of it."""
    _component(key=key, data=dict(data))
