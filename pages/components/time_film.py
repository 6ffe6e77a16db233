"""The recorded history of one to four trainings under one slider: dragged or played, every panel moves at once.

All of it is sent once and drawn in the browser, so a drag needs no server. What is sent is bounded: about 1 MB a run
at 16 dimensions and 24 snapshots of MNIST, however long the training was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Float, Int, UInt8

from pages.components.assets import floats, joined, sendable
from pages.components.image_grid import sprite
from pages.components.kl_bars import FIXED_FLOOR, bars

MOST_RUNS = 4
MOST_SNAPSHOTS = 24
MOST_RECORDS = 200
MOST_NUMBERS = 25_600
"""Numbers of one quantity of a run: with 256 dimensions 100 records are sent instead of 200."""
MOST_POINTS = 150
MOST_PICTURES = {"samples": 16, "reconstructions": 8}
MOST_SENTENCES = 6
LONGEST_SENTENCE = 300
LARGEST_SIDE_PX = 32
MAP_REACH = 3.5
"""The map shows -3.5 to 3.5 of both dimensions, whatever the points are: the prior has to look the same everywhere."""

# Okabe and Ito's palette (2008) and four more; each stands out from a white page and from a dark one.
LABEL_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#C46FA0",
    "#B07A00",
    "#4596C8",
    "#8A6FD1",
    "#A65B3C",
    "#6B8F23",
    "#7A7A7A",
)

_component = st.components.v2.component(
    "bnvae_time_film",
    js=joined(
        "chart.js",
        "live_feed.js",
        "dimension_bars.js",
        "kl_chart.js",
        "moment_chart.js",
        "posterior_map.js",
        "picture_grid.js",
        "sentence_rows.js",
        "curve_points.js",
        "film_transport.js",
        "film_run.js",
        "time_film.js",
    ),
    css=joined("chart.css", "kl_bars.css", "image_grid.css", "sentence_list.css", "time_film.css"),
)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a model made of the same inputs at one step."""

    step: int
    points: Float[np.ndarray, "N 2"] | None = None
    """posterior means of up to 150 test examples in two dimensions"""
    spreads: Float[np.ndarray, "N 2"] | None = None
    """posterior stds of the same examples in the same dimensions"""
    samples: UInt8[np.ndarray, "K C H W"] | list[str]
    """decoded from the same draws of the prior; up to 16 pictures or 6 sentences"""
    reconstructions: UInt8[np.ndarray, "K C H W"] | list[str]
    """of the run's originals; up to 8 pictures or 6 sentences"""


@dataclass(frozen=True, kw_only=True)
class FilmRun:
    """The history of one training; rows of the arrays belong to `steps`, columns to the latent dimensions."""

    title: str
    caption: str = ""
    colour: str
    steps: Sequence[int]
    """ascending; thinned here, more and more as the steps get larger"""
    told: Sequence[str] = ()
    """what the code was found to tell by then, one line for each step; none of a training that did not ask"""
    kl: Float[np.ndarray, "T D"]
    """nats"""
    mean_second_moment: Float[np.ndarray, "T D"]
    std_second_moment: Float[np.ndarray, "T D"]
    current_floor: Float[np.ndarray, "T D"] | None = None
    """nats"""
    fixed_floor: Sequence[float] | None = None
    """nats, one for each dimension"""
    fixed_floor_label: str = FIXED_FLOOR
    labels: Sequence[int] = ()
    """classes of the snapshots' points, for their colour; -1 for none"""
    label_names: Sequence[str] = ()
    """what the classes are called; without them the map has no legend"""
    map_caption: str = ""
    """which two dimensions the map shows"""
    originals: UInt8[np.ndarray, "K C H W"] | list[str]
    snapshots: Sequence[Snapshot] = ()


def time_film(
    *,
    key: str,
    runs: Sequence[FilmRun],
    step: int | None = None,
    live: bool = False,
) -> int | None:
    """The step at which the visitor let the slider go, or None for the end: there it follows a training.

    `step` is where the slider stands first, and where it goes when another `step` is given later; in between the
    visitor moves it. `live` names the end of the slider "now".

    Raises:
        ValueError: there are not 1 to 4 runs, or an array of a run has another shape than its steps and dimensions.
    """
    return draw_time_film(key=key, data={"runs": payload(runs), "live": live}, step=step)


def draw_time_film(*, key: str, data: Mapping[str, Any], step: int | None = None) -> int | None:
    """As `time_film`, of what `payload` returned, or of a feed of it."""
    result = _component(
        key=key,
        data={**data, "step": step, "colours": LABEL_COLOURS, "reach": MAP_REACH},
        default={"step": step},
        on_step_change=_nothing,
    )
    chosen = result.step
    return None if chosen is None else int(chosen)


def _nothing() -> None:
    """Streamlit keeps a value only if something is called when it changes."""


def payload(runs: Sequence[FilmRun]) -> list[dict[str, Any]]:
    """What the browser draws: numbers as base64 of little-endian float32, row by row, and pictures as PNG sheets."""
    if not 1 <= len(runs) <= MOST_RUNS:
        raise ValueError(f"runs has {len(runs)} entries: give 1 to {MOST_RUNS}.")
    return [_run(run) for run in runs]


def apart(runs: Sequence[FilmRun]) -> tuple[list[dict[str, Any]], list[Any]]:
    """What `payload` returns, and apart from it each run's snapshots: most of the bytes, and seldom new."""
    sent = payload(runs)
    return sent, [run.pop("snapshots") for run in sent]


def most_records(dimensions: int) -> int:
    """How many records of a run are sent at most."""
    return max(MOST_SNAPSHOTS, min(MOST_RECORDS, MOST_NUMBERS // max(1, dimensions)))


def kept(count: int, most: int) -> Int[np.ndarray, " K"]:
    """Indices, K <= most, of `count` records: all of the first, then every 2nd, 4th, 8th …, and always the last.

    Strides are powers of two at places that are powers of two, so an index that is kept stays kept while records are
    added, but for the rare moment when all strides double: a slider in a running training does not tremble.
    """
    if count <= most:
        return np.arange(count)
    index = np.arange(count)
    for dense in 2 ** np.arange(int(np.log2(most)), -1, -1):
        strides = 2 ** np.maximum(0, np.floor(np.log2(np.maximum(index, 1) / dense))).astype(int)
        chosen: Int[np.ndarray, " K"] = index[(index % strides == 0) | (index == count - 1)]
        if len(chosen) <= most:
            break
    return chosen


def _run(run: FilmRun) -> dict[str, Any]:
    _check(run)
    dimensions = run.kl.shape[1]
    rows = kept(len(run.steps), most_records(dimensions))
    snapshots = [run.snapshots[i] for i in kept(len(run.snapshots), MOST_SNAPSHOTS)]
    floors = [None] * len(rows) if run.current_floor is None else run.current_floor[rows]
    words = [
        bars(kl, run.fixed_floor, floor, fixed_floor_label=run.fixed_floor_label)
        for kl, floor in zip(run.kl[rows], floors, strict=True)
    ]
    return {
        "title": run.title,
        "caption": run.caption,
        "colour": run.colour,
        "dimensions": dimensions,
        "steps": [int(run.steps[i]) for i in rows],
        "kl": floats(run.kl[rows]),
        "mean": floats(run.mean_second_moment[rows]),
        "std": floats(run.std_second_moment[rows]),
        "current": None if run.current_floor is None else floats(run.current_floor[rows]),
        "fixed": None if run.fixed_floor is None or not len(rows) else sendable(run.fixed_floor),
        "words": [
            {name: said[name] for name in ("headline", "summary", "current_label")} | {"told": told}
            for said, told in zip(words, [run.told[i] for i in rows] if run.told else [""] * len(rows), strict=True)
        ],
        "fixed_label": words[0]["fixed_label"] if words else "",
        "dead_below": words[0]["dead_below"] if words else 0,
        "labels": [int(label) for label in run.labels[:MOST_POINTS]],
        "label_names": list(run.label_names),
        "map_caption": run.map_caption,
        "originals": _made(run.originals, "reconstructions"),
        "snapshots": [_snapshot(snapshot) for snapshot in snapshots],
    }


def _check(run: FilmRun) -> None:
    shape = (len(run.steps), run.kl.shape[1])
    for name in ("kl", "mean_second_moment", "std_second_moment", "current_floor"):
        values = getattr(run, name)
        if values is not None and values.shape != shape:
            raise ValueError(f"{name} of {run.title!r} has shape {values.shape}: give {shape}, steps and dimensions.")
    for name, steps in (("steps", list(run.steps)), ("snapshots", [snapshot.step for snapshot in run.snapshots])):
        if any(later <= earlier for earlier, later in pairwise(steps)):
            raise ValueError(f"{name} of {run.title!r} do not ascend: sort them by step, each step once.")


def _snapshot(snapshot: Snapshot) -> dict[str, Any]:
    points = None if snapshot.points is None else snapshot.points[:MOST_POINTS]
    spreads = None if points is None or snapshot.spreads is None else snapshot.spreads[:MOST_POINTS]
    return {
        "step": int(snapshot.step),
        "points": None if points is None else floats(points),
        "spreads": None if spreads is None else floats(spreads),
        "map": "" if points is None else map_words(points, spreads),
        "samples": _made(snapshot.samples, "samples"),
        "reconstructions": _made(snapshot.reconstructions, "reconstructions"),
    }


def map_words(points: Float[np.ndarray, "N 2"], spreads: Float[np.ndarray, "N 2"] | None) -> str:
    """The map in one sentence, for a screen reader."""
    finite = points[np.isfinite(points).all(axis=1)]
    words = f"{len(points)} test example{'' if len(points) == 1 else 's'}"
    if len(finite) < len(points):
        words += f", {len(points) - len(finite)} not a number"
    if not len(finite):
        return words
    words += ", the standard deviation of their means is {:.2f} and {:.2f}".format(*finite.std(axis=0))
    outside = int((np.abs(finite) > MAP_REACH).any(axis=1).sum())
    if spreads is not None:
        widths = np.where(np.isfinite(spreads), spreads, np.nan)
        known = np.isfinite(widths).any(axis=0).all()
        words += ", that of a posterior {:.2f} and {:.2f}".format(*np.nanmean(widths, axis=0)) if known else ""
    return f"{words}, {outside} outside the map" if outside else words


def _made(made: UInt8[np.ndarray, "K C H W"] | Sequence[str], kind: str) -> dict[str, Any]:
    if isinstance(made, np.ndarray):
        pixels = made[: MOST_PICTURES[kind]]
        return _sheet(pixels.tobytes(), pixels.shape)
    return {"sentences": [cut(sentence) for sentence in made[:MOST_SENTENCES]]}


def cut(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST_SENTENCE else f"{sentence[:LONGEST_SENTENCE]}…"


@lru_cache(maxsize=512)
def _sheet(content: bytes, shape: tuple[int, ...]) -> dict[str, Any]:
    """Pictures as one PNG; remembered, because a training that runs sends its old snapshots again at each tick."""
    pixels = at_most(np.frombuffer(content, dtype=np.uint8).reshape(shape), LARGEST_SIDE_PX)
    count, _, height, width = pixels.shape
    return {"png": sprite(pixels, max(1, count)), "count": count, "width": width, "height": height}


def at_most(pixels: UInt8[np.ndarray, "K C H W"], side: int) -> UInt8[np.ndarray, "K C h w"]:
    """Larger pictures are made smaller by a whole factor (mean of each block): they are shown at about that size."""
    count, channels, height, width = pixels.shape
    factor = -(-max(height, width) // side)
    if factor <= 1:
        return pixels
    rows, columns = height // factor, width // factor
    cropped = pixels[:, :, : rows * factor, : columns * factor]
    blocks = cropped.reshape(count, channels, rows, factor, columns, factor)
    smaller: UInt8[np.ndarray, "K C h w"] = blocks.mean(axis=(3, 5)).round().astype(np.uint8)
    return smaller
