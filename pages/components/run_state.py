"""How a run is doing, in a bar and in words that change while it trains."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components.assets import joined

_component = st.components.v2.component(
    "bnvae_run_state",
    js=joined("chart.js", "live_feed.js", "run_state.js"),
    css=joined("chart.css", "run_state.css"),
)


def standing(*, share: float, words: str, message: str = "", verdict: str = "", seen: str = "") -> dict[str, Any]:
    """What the browser draws: the share of the steps taken (0 to 1), state and message, and what the bars say."""
    return {"share": share, "words": words, "message": message, "verdict": verdict, "seen": seen}


def draw_run_state(*, key: str, data: Mapping[str, Any]) -> None:
    """Draw what `standing` returned, or follow a feed of it."""
    _component(key=key, data=dict(data))
