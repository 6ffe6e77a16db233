"""Live curves over training steps, as lines or stacked areas; crosshair and zoom survive every tick."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from pages.components.assets import joined, sendable

MOST_POINTS = 400
"""Points sent for each series: about as many as a chart has columns of pixels."""

_component = st.components.v2.component(
    "bnvae_curves",
    js=joined("chart.js", "live_feed.js", "curve_points.js", "curves.js"),
    css=joined("chart.css", "curves.css"),
)


@dataclass(frozen=True, kw_only=True)
class Series:
    """One curve: a value for each x, NaN where there is none."""

    name: str
    values: Sequence[float]
    colour: str
    kind: Literal["line", "stacked"] = "line"
    """stacked: an area on top of the stacked series before it"""


class Look(TypedDict, total=False):
    """What curves may be given beside their points and the names of their axes."""

    title: str
    marks: Sequence[tuple[float, str]]
    """vertical lines at an x, each with its words"""
    levels: Sequence[tuple[float, str]]
    """horizontal lines at a y, each with its words"""
    y_range: tuple[float, float] | None
    total_label: str
    """names the sum of the stacked series in the tooltip"""
    height_px: int


def curves(
    *, key: str, x: Sequence[float], series: Sequence[Series], x_label: str, y_label: str, **look: Unpack[Look]
) -> None:
    """Curves over one ascending x; drag to zoom, double-click for the whole range.

    `y_range` fixes the y axis; without it the axis follows the visible part and leaves out an early transient that
    would flatten the rest, saying so.

    Raises:
        ValueError: a series has another length than `x`.
    """
    draw_curves(key=key, data=plot(x, series, x_label=x_label, y_label=y_label, **look))


def draw_curves(*, key: str, data: Mapping[str, Any]) -> None:
    """Draw what `plot` returned, or follow a feed of it."""
    _component(key=key, data=dict(data))


def plot(
    x: Sequence[float], series: Sequence[Series], *, x_label: str, y_label: str, **look: Unpack[Look]
) -> dict[str, Any]:
    """All that the browser draws of the curves."""
    title = look.get("title", "")
    return {
        "series": payload(x, series),
        "x_label": x_label,
        "y_label": y_label,
        "title": title,
        "summary": summary(title or y_label, x_label, x, series),
        "marks": sorted((float(at), words) for at, words in look.get("marks", ())),
        "levels": [(float(at), words) for at, words in look.get("levels", ())],
        "y_range": look.get("y_range"),
        "total_label": look.get("total_label", "sum"),
        "height": look.get("height_px", 260),
    }


def payload(x: Sequence[float], series: Sequence[Series]) -> list[dict[str, Any]]:
    """Each series as the browser takes it, thinned: lines each by themselves, stacked ones all at the same x."""
    steps = np.asarray(x, dtype=float)
    columns = [np.asarray(one.values, dtype=float) for one in series]
    for one, column in zip(series, columns, strict=True):
        if column.shape != steps.shape:
            raise ValueError(f"series {one.name!r} has {len(column)} values for {len(steps)} x: give one for each.")
    stacked = [column for one, column in zip(series, columns, strict=True) if one.kind == "stacked"]
    at_total = thinned(np.sum(stacked, axis=0)) if stacked else np.arange(0)
    sent = []
    for one, column in zip(series, columns, strict=True):
        keep = at_total if one.kind == "stacked" else thinned(column)
        shape = {"x": steps[keep].tolist(), "y": sendable(column[keep])}
        sent.append({"name": one.name, "colour": one.colour, "stacked": one.kind == "stacked", **shape})
    return sent


def thinned(values: Float[np.ndarray, " T"], most: int = MOST_POINTS) -> Int[np.ndarray, " K"]:
    """Indices, K <= most, that draw the same curve: the lowest, the highest and one gap of each bucket, and both ends.

    Buckets hold a power of two of points, so that they stay where they are while steps are added: a curve that is
    thinned anew at every tick would shimmer.
    """
    count = len(values)
    if count <= most:
        return np.arange(count)
    size = 2
    while 3 * -(-count // size) + 2 > most:
        size *= 2
    padding = -count % size
    buckets = np.pad(values, (0, padding), mode="edge").reshape(-1, size)  # (buckets, size)
    missing = np.isnan(buckets)
    start = np.arange(len(buckets)) * size
    lowest = start + np.where(missing, np.inf, buckets).argmin(axis=1)
    highest = start + np.where(missing, -np.inf, buckets).argmax(axis=1)
    gaps = (start + missing.argmax(axis=1))[missing.any(axis=1)]
    keep = np.concatenate([[0, count - 1], lowest, highest, gaps])
    return np.unique(np.minimum(keep, count - 1))


def summary(title: str, x_label: str, x: Sequence[float], series: Sequence[Series]) -> str:
    """The newest values in one sentence, for a screen reader."""
    if not len(x):
        return f"{title}: no values yet"
    newest = ", ".join(f"{one.name} {one.values[-1]:.4g}" for one in series[:8])
    return f"{title}: at {x_label} {x[-1]:g} {newest}"
