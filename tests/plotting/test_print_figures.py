"""Figures for print: what is drawn stands at its numbers, in vectors and in pixels, whatever a user wrote."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from bnvae.plotting.print_figures import Line, as_png, as_svg, bars_figure, lines_figure

BLUE = (0x12, 0x34, 0x56)
HOSTILE = "<b> & $\\frac{1}{0}$ $x"


def texts(svg: bytes) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter() if node.tag.endswith(("text", "title"))]


def pixels(png: bytes, colour: tuple[int, int, int]) -> np.ndarray:
    """Whether each pixel has this colour, rows from the top."""
    same: np.ndarray = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) == colour).all(-1)
    return same


def test_bars_stand_in_proportion_to_their_values() -> None:
    drawn = pixels(as_png(bars_figure([1.0, 0.5, 0.0, float("nan")], title="t", y_label="KL", colour="#123456")), BLUE)
    assert drawn.shape == (800, 1440)
    inside = [int(count) for count in drawn.sum(0) if count]
    low, high = min(inside), max(inside)
    assert high == pytest.approx(2 * low, abs=2)
    assert high == pytest.approx(drawn.shape[0] * 0.7, rel=0.1)  # most of the picture's height


def test_a_floor_is_a_line_across_all_bars() -> None:
    figure = bars_figure([1.0, 0.5], title="t", y_label="KL", colour="#123456", floor=0.25)
    _, line = figure.axes[0].lines
    assert np.asarray(line.get_ydata()).tolist() == [0.25, 0.25]
    assert figure.axes[0].get_ylim() == (0, 1.08)


def test_words_stay_words_in_vectors() -> None:
    figure = bars_figure([1.0], title=HOSTILE, y_label="KL, nats", colour="#123456", floor=0.3, floor_label="floor 0.3")
    assert {HOSTILE, "KL, nats", "floor 0.3", "dimension"} <= set(texts(as_svg(figure)))
    assert as_png(figure).startswith(b"\x89PNG")


def test_the_heights_from_which_a_loss_falls_do_not_flatten_the_rest() -> None:
    x = [float(step) for step in range(2000)]
    line = Line(name="loss", x=x, y=[1e6 / (1 + step) for step in x], colour="#123456")
    figure = lines_figure([line], title="t", x_label="step", y_label="nats")
    assert figure.axes[0].get_ylim() == pytest.approx((0, 1.1 * 1e6 / 201))  # of the step at a tenth, 200
    assert pixels(as_png(figure), BLUE).any()


def test_equal_figures_are_equal_bytes() -> None:
    def drawn() -> tuple[bytes, bytes]:
        line = Line(name="a", x=[0.0, 1.0], y=[2.0, 1.0], colour="#123456")
        figure = lines_figure([line], title="t", x_label="step", y_label="nats")
        return as_svg(figure), as_png(figure)

    assert drawn() == drawn()


@pytest.mark.parametrize("values", [[], [float("nan")], [0.0, 0.0], [-3.0, -3.0], [float("inf"), 1.0]])
def test_curves_without_a_range_are_drawn_all_the_same(values: list[float]) -> None:
    line = Line(name="a", x=[float(index) for index in range(len(values))], y=values, colour="#123456")
    assert "t" in texts(as_svg(lines_figure([line], title="t", x_label="step", y_label="nats")))
