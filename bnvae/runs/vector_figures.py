"""Figures of a run as SVG text without a drawing library: they stay sharp in print and can be taken apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 56, 56
INK, FAINT = "#222222", "#dddddd"
MOST_POINTS = 600


@final
@dataclass(frozen=True, kw_only=True)
class Line:
    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str


def bars_svg(
    values: Sequence[float], *, title: str, y_label: str, colour: str, floor: float = 0.0, floor_label: str = ""
) -> str:
    """A bar for each dimension from 0, and a line at the floor, if there is one."""
    top = max([value for value in values if math.isfinite(value)] + [floor, 1e-3]) * 1.08
    step = (WIDTH - LEFT - RIGHT) / max(1, len(values))
    shapes = []
    for index, value in enumerate(values):
        if math.isfinite(value) and value > 0:
            y = _y(value, 0, top)
            x, width, height = LEFT + (index + 0.15) * step, 0.7 * step, HEIGHT - BOTTOM - y
            shapes.append(f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{colour}"/>')
    every = max(1, -(-len(values) // 16))
    for index in range(0, len(values), every):
        shapes.append(_text(LEFT + (index + 0.5) * step, HEIGHT - BOTTOM + 18, str(index), anchor="middle"))
    if floor > 0:
        y = _y(floor, 0, top)
        for colour_of_line, width_of_line in (("#ffffff", 5), (INK, 2)):  # a halo: bars may be as dark as the line
            stroke = f'stroke="{colour_of_line}" stroke-width="{width_of_line}"'
            shapes.append(f'<path d="M{LEFT} {y:.2f}H{WIDTH - RIGHT}" {stroke}/>')
        shapes.append(f'<path d="M{LEFT} {TOP - 14}h24" stroke="{INK}" stroke-width="2"/>')
        shapes.append(_text(LEFT + 32, TOP - 10, floor_label))
    return _document(title, "dimension", y_label, (0, top), shapes)


def lines_svg(lines: Sequence[Line], *, title: str, x_label: str, y_label: str) -> str:
    """Curves over one x; the first tenth does not decide where the y axis ends: losses fall from great heights."""
    known = [(x, y) for line in lines for x, y in zip(line.x, line.y, strict=True) if math.isfinite(y)]
    if not known:
        return _document(title, x_label, y_label, (0, 1), [_text(WIDTH / 2, HEIGHT / 2, "no values", anchor="middle")])
    left, right = min(x for x, _ in known), max(x for x, _ in known)
    later = [y for x, y in known if x >= left + 0.1 * (right - left)]
    low, high = min(0.0, *(y for _, y in known)), max(later) * 1.1 or 1.0
    if not high > low:
        high = low + 1.0
    shapes = []
    for index, line in enumerate(lines):
        stride = max(1, len(line.x) // MOST_POINTS)
        points = [
            f"{_x(x, left, right):.2f},{_y(y, low, high):.2f}"
            for x, y in list(zip(line.x, line.y, strict=True))[::stride]
            if math.isfinite(y) and y <= high
        ]
        shapes.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{line.colour}" stroke-width="2"/>')
        x = LEFT + 150 * index
        shapes.append(f'<rect x="{x}" y="{TOP - 20}" width="11" height="11" fill="{line.colour}"/>')
        shapes.append(_text(x + 17, TOP - 10, line.name))
    for tick in _ticks(left, right):
        shapes.append(_text(_x(tick, left, right), HEIGHT - BOTTOM + 18, f"{tick:g}", anchor="middle"))
    return _document(title, x_label, y_label, (low, high), shapes)


def _document(title: str, x_label: str, y_label: str, y_range: tuple[float, float], shapes: Sequence[str]) -> str:
    grid = []
    for tick in _ticks(*y_range):
        y = _y(tick, *y_range)
        grid.append(f'<path d="M{LEFT} {y:.2f}H{WIDTH - RIGHT}" stroke="{FAINT}"/>')
        grid.append(_text(LEFT - 8, y + 4, f"{tick:g}", anchor="end"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *grid,
        *shapes,
        f'<path d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}" stroke="{INK}"/>',
        f'<text x="{LEFT}" y="22" font-size="16" font-weight="bold" fill="{INK}">{escape(title)}</text>',
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_label, anchor="middle"),
        f'<g transform="translate(18 {middle}) rotate(-90)">{_text(0, 0, y_label, anchor="middle")}</g>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(x: float, y: float, words: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}" fill="{INK}">{escape(words)}</text>'


def _x(value: float, left: float, right: float) -> float:
    return LEFT + (value - left) / ((right - left) or 1) * (WIDTH - LEFT - RIGHT)


def _y(value: float, low: float, high: float) -> float:
    return HEIGHT - BOTTOM - (value - low) / ((high - low) or 1) * (HEIGHT - TOP - BOTTOM)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers within the range, some four to eight; the one value of a range without extent."""
    if not high > low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(factor * power for factor in (1, 2, 5, 10) if (high - low) / (factor * power) <= 8)
    return [round(step * index, 10) for index in range(math.ceil(low / step), math.floor(high / step) + 1)]
