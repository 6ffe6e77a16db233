"""Named pictures in a row, or named sentences under one another with some of their words marked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from bnvae.metrics.word_diff import Marked
from pages.components.assets import joined
from pages.components.image_grid import sprite
from pages.components.sentence_list import KeptPair

_component = st.components.v2.component(
    "bnvae_exhibits",
    js=joined("chart.js", "sprite_cells.js", "marked_words.js", "kept_words.js", "exhibits.js"),
    css=joined("chart.css", "marked_words.css", "kept_words.css", "exhibits.css"),
)


def exhibits(
    *,
    key: str,
    shown: Mapping[str, UInt8[np.ndarray, "C H W"] | Marked],
    title: str,
    caption: str,
    words: str,
    colour: str,
    unknown: int | None = None,
    kept: KeptPair | None = None,
) -> None:
    """What is named in `shown`, all pictures or all sentences, in whose parts marked words are different ones.

    In the sentence whose place is `unknown` they are words that the vocabulary lacks. `kept` are the marks of the first
    two sentences in place of those; of the second alone where the first has unknown words.
    """
    data: dict[str, Any] = {
        "title": title,
        "caption": caption,
        "words": words,
        "colour": colour,
        "names": list(shown),
        "unknown": unknown,
        "kept": None if kept is None else kept.sent(),
    }
    pictures = [one for one in shown.values() if isinstance(one, np.ndarray)]
    if pictures:
        _, height, width = pictures[0].shape
        data |= {"png": sprite(np.stack(pictures), len(pictures)), "width": width, "height": height}
    else:
        data["sentences"] = list(shown.values())
    _component(key=key, data=data)
