"""Grids of small pictures, enlarged with hard pixels; hovering one enlarges it further and names it."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import UInt8
from PIL import Image

from pages.components.assets import joined

_component = st.components.v2.component(
    "bnvae_image_grid",
    js=joined("chart.js", "picture_grid.js", "image_grid.js"),
    css=joined("chart.css", "image_grid.css"),
)


def image_grid(
    *,
    key: str,
    pixels: UInt8[np.ndarray, "N C H W"],
    columns: int,
    alt: str,
    captions: Sequence[str] | None = None,
    scale: float = 3.0,
) -> None:
    """N pictures row by row, numbered from 0; `scale` is the side of a pixel on the page where there is room for it.

    Raises:
        ValueError: there are not as many captions as pictures, or the pictures are neither grey nor RGB.
    """
    _component(key=key, data=pictures(pixels, columns, alt=alt, captions=captions, scale=scale))


def pictures(
    pixels: UInt8[np.ndarray, "N C H W"],
    columns: int,
    *,
    alt: str,
    captions: Sequence[str] | None = None,
    scale: float = 3.0,
) -> dict[str, Any]:
    """What the browser draws of a grid."""
    count, _, height, width = pixels.shape
    if captions is not None and len(captions) != count:
        raise ValueError(f"captions has {len(captions)} entries for {count} pictures: give one for each.")
    return {
        "png": sprite(pixels, columns),
        "count": count,
        "columns": columns,
        "width": width,
        "height": height,
        "scale": scale,
        "captions": None if captions is None else list(captions),
        "alt": alt,
    }


def sprite(pixels: UInt8[np.ndarray, "N C H W"], columns: int) -> str:
    """All pictures in one PNG without gaps, base64: one message and one decoding for each tick instead of N."""
    count, channels, height, width = pixels.shape
    if channels not in (1, 3):
        raise ValueError(f"pixels has {channels} channels: give 1 (grey) or 3 (RGB).")
    if not count:
        return ""
    rows = -(-count // columns)
    filled = np.zeros((rows * columns, channels, height, width), dtype=np.uint8)
    filled[:count] = pixels
    grid = filled.reshape(rows, columns, channels, height, width).transpose(0, 3, 1, 4, 2)  # rows H columns W C
    sheet = grid.reshape(rows * height, columns * width, channels)
    file = io.BytesIO()
    Image.fromarray(sheet if channels == 3 else sheet[:, :, 0]).save(file, format="PNG", compress_level=1)
    return base64.b64encode(file.getvalue()).decode()
