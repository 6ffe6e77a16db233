"""Maps of up to 70,000 points each, drawn, moved, clicked and lassoed in the browser."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeGuard

import numpy as np
import streamlit as st
from jaxtyping import Float, Int
from numpy.typing import NDArray

from pages.components.assets import joined

MOST_PANELS = 4
MOST_POINTS = 70_000
MOST_TEXTS = 10_000
LONGEST_TEXT = 160
NO_CLASS = (128, 128, 128)
# Viridis (van der Walt & Smith 2015) without its darkest end, which a dark page would swallow.
SCALE = ((72, 60, 140), (49, 104, 142), (33, 145, 140), (53, 183, 121), (144, 215, 67), (253, 231, 37))

_component = st.components.v2.component(
    "bnvae_latent_scatter",
    js=joined(
        "chart.js",
        "sprite_cells.js",
        "point_painter.js",
        "map_camera.js",
        "map_panel.js",
        "map_gestures.js",
        "map_time.js",
        "map_marks.js",
        "latent_scatter.js",
    ),
    css=joined("chart.css", "latent_scatter.css"),
)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """More codes on a map, which cannot be chosen."""

    points: Float[np.ndarray, "K d"]
    shape: Literal["dot", "cross"] = "dot"
    colour: str | None = None
    """None: the page's ink"""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One map; all maps show the same examples in the same order."""

    title: str
    caption: str = ""
    verdict: str = ""
    """what a visitor has to know before he believes the map"""
    words: str = ""
    """how far the map may be believed"""
    axes: str = ""
    points: Float[np.ndarray, "N d"]
    """within -1 to 1; a row that is not finite is not drawn"""
    colours: Int[np.ndarray, "N"]
    """as `class_colours` and `scale_colours` make them"""
    values: Float[np.ndarray, "N"] | None = None
    """what a scale's colours stand for"""
    layers: Sequence[Layer] = ()
    moments: Sequence[Float[np.ndarray, "N d"]] = ()
    """the points at each of `steps`, the last one the same as `points`"""


@dataclass(frozen=True, kw_only=True)
class View:
    """What is chosen, and from where it is looked at."""

    pick: Mapping[str, float] | None = None
    """{"example": i}, or a place {"panel": p, "x": x, "y": y}"""
    other: int | None = None
    """the example that was chosen before this one"""
    lasso: Sequence[int] = ()
    camera: Mapping[str, float] | None = None
    id: str = ""
    """the browser takes this view over when the id is another than before"""


@dataclass(frozen=True, kw_only=True)
class Thumbnails:
    """Pictures of the first examples, shown of the one under the pointer, as `sprite` puts them into one."""

    png: str
    count: int
    columns: int
    width: int
    """of a picture (pixels)"""
    height: int


@dataclass(frozen=True, kw_only=True)
class Legend:
    """Classes by name and colour, or one scale."""

    text: str = ""
    classes: Sequence[tuple[int, str, str]] = field(default_factory=tuple)
    """index, name, colour; without any the colours are a scale"""
    low: float = 0.0
    high: float = 0.0


def latent_scatter(
    *,
    key: str,
    panels: Sequence[Panel],
    legend: Legend,
    view: View,
    classes: Int[np.ndarray, "N"] | None = None,
    names: Sequence[str] = (),
    texts: Sequence[str] | None = None,
    steps: Sequence[int] | Sequence[str] | None = None,
    thumbnails: Thumbnails | None = None,
    common: bool = False,
) -> View | None:
    """The maps; returns what the visitor chose last, or None before the first choice.

    With `steps`, or other names of them, a slider goes through the moments of the panels. A place on one map is the
    same place on all of them where they are `common`. What a choice marks on the maps comes from `map_answer`: as long
    as a click changes none of these arguments, the browser has the points already and is not sent them again.

    Raises:
        ValueError: there are no panels or more than four, or they show different numbers of examples or too many.
    """
    result = _component(
        key=key,
        data={
            "key": key,
            "common": common,
            "thumbnails": None if thumbnails is None else asdict(thumbnails),
            **payload(panels, legend=legend, view=view, classes=classes, names=names, texts=texts, steps=steps),
        },
        default={"view": None},
        on_view_change=_nothing,
    )
    return chosen_view(result.view, len(panels[0].points))


def chosen_before(key: str, count: int) -> View | None:
    """What the component of this key said last: known before it is drawn, so that its answer is drawn with it."""
    state = st.session_state.get(key)
    return chosen_view(state.get("view"), count) if isinstance(state, Mapping) else None


def _nothing() -> None:
    """Streamlit keeps a value only if something is called when it changes."""


def payload(
    panels: Sequence[Panel],
    *,
    legend: Legend,
    view: View,
    classes: Int[np.ndarray, "N"] | None = None,
    names: Sequence[str] = (),
    texts: Sequence[str] | None = None,
    steps: Sequence[int] | Sequence[str] | None = None,
) -> dict[str, Any]:
    """What the browser draws: numbers as base64 of little-endian arrays."""
    if not 1 <= len(panels) <= MOST_PANELS:
        raise ValueError(f"panels has {len(panels)} entries: give 1 to {MOST_PANELS}.")
    counts = {len(panel.points) for panel in panels}
    if len(counts) > 1 or max(counts) > MOST_POINTS:
        raise ValueError(f"panels show {sorted(counts)} points: give the same number, at most {MOST_POINTS}, to each.")
    return {
        "count": counts.pop(),
        "panels": [_panel(panel) for panel in panels],
        "legend": legend_data(legend),
        "classes": None if classes is None else _packed(classes, "<i2"),
        "names": list(names),
        "steps": None if steps is None else [step if isinstance(step, str) else int(step) for step in steps],
        "texts": None if texts is None else [text[:LONGEST_TEXT] for text in texts[:MOST_TEXTS]],
        "view": {
            "id": view.id,
            "pick": None if view.pick is None else dict(view.pick),
            "other": view.other,
            "lasso": [int(row) for row in view.lasso],
            "camera": None if view.camera is None else dict(view.camera),
        },
    }


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "caption": panel.caption,
        "verdict": panel.verdict,
        "words": panel.words,
        "axes": panel.axes,
        "spoken": f"{panel.title}: map of {len(panel.points)} examples. {panel.verdict} {panel.words}",
        "points": _packed(panel.points, "<f4"),
        "dimensions": panel.points.shape[1],
        "colours": _packed(panel.colours, "<u4"),
        "values": None if panel.values is None else _packed(panel.values, "<f4"),
        "layers": [packed_layer(layer) for layer in panel.layers],
        "moments": [_packed(moment, "<f4") for moment in panel.moments],
    }


def packed_layer(layer: Layer) -> dict[str, Any]:
    """What the browser draws of a layer."""
    return {"points": _packed(layer.points, "<f4"), "shape": layer.shape, "colour": layer.colour}


def legend_data(legend: Legend) -> dict[str, Any]:
    """What the browser draws of a legend."""
    if legend.classes:
        entries = [{"index": index, "text": text, "colour": colour} for index, text, colour in legend.classes]
        return {"kind": "classes", "entries": entries, "text": legend.text}
    ends = {"low": legend.low, "high": legend.high}
    known = {name: value if math.isfinite(value) else None for name, value in ends.items()}
    return {"kind": "scale", "text": legend.text, "gradient": [f"rgb{colour}" for colour in SCALE], **known}


def class_colours(classes: Int[np.ndarray, "N"], palette: Sequence[str]) -> Int[np.ndarray, "N"]:
    """The colour of each example's class; grey for -1."""
    colours = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in palette]
    table = np.array([*colours, NO_CLASS], dtype=np.uint32)
    chosen = table[np.where(classes < 0, len(palette), classes % len(palette))]
    return _rgba(chosen)


def scale_colours(values: Float[np.ndarray, "N"], low: float, high: float) -> Int[np.ndarray, "N"]:
    """The colour of each value on the scale from low to high; what lies beyond has an end's, NaN is grey."""
    place = np.clip((values - low) / (high - low or 1.0), 0, 1) * (len(SCALE) - 1)
    anchors = np.array(SCALE, dtype=np.float64)
    finite = np.nan_to_num(place)
    mixed = np.stack([np.interp(finite, np.arange(len(SCALE)), anchors[:, c]) for c in range(3)], axis=1)
    mixed[~np.isfinite(place)] = NO_CLASS
    return _rgba(mixed.round().astype(np.uint32))


def _rgba(rgb: NDArray[np.uint32]) -> Int[np.ndarray, "N"]:
    opaque = np.full(len(rgb), 255, dtype=np.uint8)
    packed = np.column_stack([rgb.astype(np.uint8), opaque])  # red, green, blue, alpha: a canvas's order of bytes
    return packed.view("<u4")[:, 0]


def _packed(values: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()


def chosen_view(sent: object, count: int) -> View | None:
    """What a browser sent, checked: a browser may send anything."""
    if not isinstance(sent, Mapping):
        return None
    lasso = sent.get("lasso")
    rows = [row for row in lasso if type(row) is int and 0 <= row < count] if isinstance(lasso, Sequence) else []
    pick, other = checked_pick(sent.get("pick"), count), sent.get("other")
    return View(
        pick=pick,
        other=other if pick and "example" in pick and type(other) is int and 0 <= other < count else None,
        lasso=rows,
        camera=checked_camera(sent.get("camera")),
        id=str(sent.get("after", ""))[:100],
    )


def checked_pick(pick: object, count: int) -> dict[str, float] | None:
    """A choice of an example that is there, or of a place near the map."""
    if not isinstance(pick, Mapping):
        return None
    if type(example := pick.get("example")) is int:
        return {"example": example} if 0 <= example < count else None
    panel, x, y = pick.get("panel"), pick.get("x"), pick.get("y")
    if type(panel) is not int or not 0 <= panel < MOST_PANELS:
        return None
    return {"panel": panel, "x": float(x), "y": float(y)} if _is_near(x) and _is_near(y) else None


def checked_camera(camera: object) -> dict[str, float] | None:
    names = ("x", "y", "zoom", "yaw", "pitch")
    if not isinstance(camera, Mapping) or not all(_is_near(camera.get(name)) for name in names):
        return None
    return {name: float(camera[name]) for name in names}


def _is_near(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < 1000
