"""Figures of a run for print: vector graphics whose text stays text, and pictures of the same."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:  # it takes half a second, and only a card needs it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES = (7.2, 4.0)
DOTS_PER_INCH = 200
INK, FAINT = "#222222", "#dddddd"
LATER = 0.1
"""the first tenth does not decide where the y axis ends: losses fall from great heights"""


@final
@dataclass(frozen=True, kw_only=True)
class Line:
    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str


def bars_figure(
    values: Sequence[float], *, title: str, y_label: str, colour: str, floor: float = 0.0, floor_label: str = ""
) -> "Figure":
    """A bar for each dimension from 0, and a line at the floor, if there is one."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _empty(title, "dimension", y_label)
    heights = [value if math.isfinite(value) else 0.0 for value in values]
    axes.bar(range(len(heights)), heights, width=0.7, color=colour)
    axes.set_ylim(0, 1.08 * max([*heights, floor, 1e-3]))
    axes.set_xlim(-0.6, max(len(heights), 1) - 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if floor > 0:
        axes.axhline(floor, color="#ffffff", linewidth=4)  # a halo: bars may be as dark as the line
        axes.axhline(floor, color=INK, linewidth=1.5, label=floor_label or "floor")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return figure


def lines_figure(lines: Sequence[Line], *, title: str, x_label: str, y_label: str) -> "Figure":
    """Curves over one x; what is not finite is a gap, and what stands above the axis is cut off."""
    figure, axes = _empty(title, x_label, y_label)
    for line in lines:
        axes.plot(line.x, [_or_gap(y) for y in line.y], color=line.colour, linewidth=1.6, label=line.name)
    known = [(x, y) for line in lines for x, y in zip(line.x, line.y, strict=True) if math.isfinite(y)]
    if not known:
        axes.text(0.5, 0.5, "no values", ha="center", transform=axes.transAxes, color=INK)
        return figure
    left, right = min(x for x, _ in known), max(x for x, _ in known)
    low = min(0.0, *(y for _, y in known))
    high = 1.1 * max(y for x, y in known if x >= left + LATER * (right - left))
    axes.set_ylim(low, high if high > low else low + 1.0)
    axes.set_xlim(left, right if right > left else left + 1.0)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=max(1, len(lines)), frameon=False)
    return figure


def _or_gap(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _empty(title: str, x_label: str, y_label: str) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES, layout="constrained")
    # A user's $ is a dollar, not the beginning of a formula.
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK, parse_math=False)
    axes = figure.add_subplot()
    axes.set_xlabel(x_label, color=INK, parse_math=False)
    axes.set_ylabel(y_label, color=INK, parse_math=False)
    axes.grid(axis="y", color=FAINT)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(colors=INK)
    return figure, axes


def as_svg(figure: "Figure") -> bytes:
    """The figure as vector graphics; equal figures give equal bytes."""
    return _saved(figure, format="svg", metadata={"Date": None, "Creator": None})


def as_png(figure: "Figure") -> bytes:
    """The figure as a picture of 1440 x 800 pixels; equal figures give equal bytes."""
    return _saved(figure, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})


def _saved(figure: "Figure", **options: Any) -> bytes:
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "bnvae"}):
        figure.savefig(buffer, **options)
    return buffer.getvalue()
