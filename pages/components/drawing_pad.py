"""A square to draw on with mouse, finger, pen or keys; every stroke is sent as grey levels, white ink on black."""

import base64
import binascii

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from pages.components.assets import joined

PAD_SIDE = 140
"""Side of what is sent (pixels)."""
SENT_LETTERS = 4 * -(-PAD_SIDE * PAD_SIDE // 3)
"""Length of a drawing in base64; anything else is none."""

_component = st.components.v2.component(
    "bnvae_drawing_pad", js=joined("chart.js", "drawing_pad.js"), css=joined("chart.css", "drawing_pad.css")
)


def drawing_pad(*, key: str, drawing: str, label: str) -> str:
    """What is drawn now, as `ink_of` reads it, "" for nothing; `drawing` is shown where the pad is made anew.

    A browser may send anything: what is not a drawing is nothing.
    """
    result = _component(
        key=key,
        data={"side": PAD_SIDE, "drawing": drawing, "label": label},
        default={"drawing": drawing},
        on_drawing_change=lambda: None,
    )
    sent = result.get("drawing")
    return sent if isinstance(sent, str) and ink_of(sent) is not None else ""


def ink_of(drawing: str) -> UInt8[np.ndarray, "S S"] | None:
    """Grey levels of a drawing, 255 where there is ink; None for what is not a drawing."""
    if len(drawing) != SENT_LETTERS:
        return None
    try:
        content = base64.b64decode(drawing, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(content) != PAD_SIDE * PAD_SIDE:
        return None
    return np.frombuffer(content, dtype=np.uint8).reshape(PAD_SIDE, PAD_SIDE)
