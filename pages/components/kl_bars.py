"""Live bars of KL per dimension for one run, made to stand in columns beside the bars of another."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

import streamlit as st

from bnvae.plotting.palette import HEAD_COLOURS
from pages.components.assets import joined, sendable

DEAD_BELOW_NATS = 0.01
"""A dimension with less KL than this carries nothing and is drawn hollow; one with more may carry nothing as well."""

FIXED_FLOOR = "floor −½ ln(1−τ)"

_component = st.components.v2.component(
    "bnvae_kl_bars",
    js=joined("chart.js", "live_feed.js", "dimension_bars.js", "kl_chart.js", "kl_bars.js"),
    css=joined("chart.css", "kl_bars.css"),
)


class Look(TypedDict, total=False):
    """What a chart may be given beside its numbers."""

    caption: str
    colour: str
    y_max: float | None
    """a value that the axis has to hold beside those drawn"""
    scale_group: str | None
    """charts of one group share their y axis"""
    sort: bool
    told: str
    """what the code was found to tell, which bars don't show; a line below them"""
    height_px: int
    fixed_floor_label: str


def kl_bars(
    *,
    key: str,
    kl: Sequence[float] | None,
    fixed_floor: Sequence[float] | None = None,
    current_floor: Sequence[float] | None = None,
    title: str,
    **look: Unpack[Look],
) -> None:
    """Bars of KL per dimension, in nats, numbered from 0; the node of a `key` survives every tick.

    The y axis grows at once and shrinks only when less than half of it is used. The fixed floor is a line, the current
    floor of each dimension a short tick.

    Raises:
        ValueError: a floor has another length than `kl`.
    """
    draw_kl_bars(key=key, data=chart(kl, fixed_floor, current_floor, title=title, **look))


def draw_kl_bars(*, key: str, data: Mapping[str, Any]) -> None:
    """Draw what `chart` returned, or follow a feed of it."""
    _component(key=key, data=dict(data))


def chart(
    kl: Sequence[float] | None,
    fixed_floor: Sequence[float] | None,
    current_floor: Sequence[float] | None,
    *,
    title: str,
    **look: Unpack[Look],
) -> dict[str, Any]:
    """All that the browser draws of one chart."""
    reach, label = look.get("y_max"), look.get("fixed_floor_label", FIXED_FLOOR)
    return {
        **bars(kl, fixed_floor, current_floor, sort=look.get("sort", False), fixed_floor_label=label),
        "title": title,
        "caption": look.get("caption", ""),
        "told": look.get("told", ""),
        "colour": look.get("colour", HEAD_COLOURS["rms-scaler"]),
        "reach": None if reach is None or not math.isfinite(reach) else reach,
        "group": look.get("scale_group"),
        "height": look.get("height_px", 220),
    }


def bars(
    kl: Sequence[float] | None,
    fixed_floor: Sequence[float] | None,
    current_floor: Sequence[float] | None,
    *,
    sort: bool = False,
    fixed_floor_label: str = FIXED_FLOOR,
) -> dict[str, Any]:
    """What the browser draws and says of these numbers: values in the order of the bars, and the words around them."""
    values = sendable([] if kl is None else kl)
    order = list(range(len(values)))
    if sort:
        order.sort(key=lambda d: math.inf if values[d] is None else -(values[d] or 0.0))
    floors = {}
    for name, floor in (("fixed", fixed_floor), ("current", current_floor)):
        if floor is not None and len(floor) != len(values):
            raise ValueError(f"{name}_floor has {len(floor)} values for {len(values)} dimensions: give one for each.")
        floors[name] = None if floor is None or not values else sendable(floor)
    return {
        "kl": [values[d] for d in order],
        **{name: floor and [floor[d] for d in order] for name, floor in floors.items()},
        "dimensions": order,
        "sorted": sort,
        "dead_below": DEAD_BELOW_NATS,
        "headline": headline(values),
        "summary": summary(values),
        "fixed_label": f"{fixed_floor_label} = {_extent(floors['fixed'])}",
        "current_label": f"current floor {_extent(floors['current'])}",
    }


def headline(kl: Sequence[float | None]) -> str:
    """The line above the bars: total in nats, and in how many dimensions the KL allows for more than nothing."""
    finite = [value for value in kl if value is not None]
    if not kl:
        return "no values yet"
    alive = sum(value >= DEAD_BELOW_NATS for value in finite)
    words = f"total {_digits(sum(finite))} nats · {alive} of {len(kl)} above {DEAD_BELOW_NATS}"
    return words if len(finite) == len(kl) else f"{words} · {len(kl) - len(finite)} not a number"


def summary(kl: Sequence[float | None]) -> str:
    """The bars in one sentence, for a screen reader."""
    finite = [value for value in kl if value is not None]
    if not finite:
        return headline(kl)
    count = f"{len(kl)} dimension{'s' if len(kl) > 1 else ''}"
    return (
        f"{count}, {headline(kl).replace(' · ', ', ')}, lowest {_digits(min(finite))}, highest {_digits(max(finite))}"
    )


def _extent(floor: list[float | None] | None) -> str:
    finite = [value for value in floor or [] if value is not None]
    if not finite:
        return "not known"
    low, high = (f"{value:.3f}" for value in (min(finite), max(finite)))
    return f"{low} nats" if low == high else f"{low} to {high} nats"


def _digits(nats: float) -> str:
    return f"{nats:.1f}" if nats >= 1 else f"{nats:.2g}"
