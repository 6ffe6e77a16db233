"""A film strip as it is sent to the browser: one sheet of pictures, or sentences, for each row of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8

from pages.components.image_grid import sprite
from pages.components.time_film import LARGEST_SIDE_PX, at_most, cut

Frames = UInt8[np.ndarray, "T K C H W"] | Sequence[Sequence[str]]
"""pictures or sentences of each frame; a single frame for what tau does not move"""


@dataclass(frozen=True, kw_only=True)
class StripPart:
    half: int
    """0: test examples, 1: prior samples"""
    title: str
    frames: Frames


@dataclass(frozen=True, kw_only=True)
class Strip:
    taus: Sequence[float]
    """of the frames, ascending"""
    parts: Sequence[StripPart]
    note: str = ""


def strip_payload(strip: Strip) -> dict[str, Any]:
    """Sheets with a row for each frame as PNG, or sentences with the longest that will stand in each place."""
    parts = [{"half": part.half, "title": part.title, "made": _made(part.frames)} for part in strip.parts]
    return {"taus": list(strip.taus), "parts": parts, "note": strip.note}


def _made(frames: Frames) -> dict[str, Any]:
    if isinstance(frames, np.ndarray):
        rows, count = frames.shape[:2]
        pixels = at_most(frames.reshape(-1, *frames.shape[2:]), LARGEST_SIDE_PX)
        _, _, height, width = pixels.shape
        return {"png": sprite(pixels, count), "count": count, "rows": rows, "width": width, "height": height}
    sentences = [[cut(sentence) for sentence in frame] for frame in frames]
    places = zip(*sentences, strict=True)
    return {"sentences": sentences, "reserve": [max(place, key=len) for place in places] if len(sentences) > 1 else []}
