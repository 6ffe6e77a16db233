import itertools

import numpy as np
import plotly.graph_objects as go
import pytest

from bnvae.config.schema import HeadName
from bnvae.plotting.palette import (
    CAUSE_COLOURS,
    DISTORTION_COLOUR,
    HEAD_COLOURS,
    KEPT_COLOUR,
    OTHER_COLOURS,
    RATE_COLOUR,
    run_colours,
)
from bnvae.plotting.plotly_figures import (
    AccuracyLine,
    RateLine,
    RatePoint,
    elbo_curve_figure,
    kl_bars_figure,
    labels_needed_figure,
    rate_distortion_figure,
    second_moments_figure,
)

DARK_PAGE = "#0E1117"  # Streamlit's dark background

# Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
PROTANOPIA = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(colour: str, other: str) -> float:
    """WCAG 2.2 contrast ratio, from 1 to 21."""
    bright, dark = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (colour, other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of linear RGB under D65."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    f = np.cbrt(xyz / [0.9505, 1, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("page", ["#FFFFFF", DARK_PAGE])
@pytest.mark.parametrize(
    "colour",
    [
        *HEAD_COLOURS.values(),
        *OTHER_COLOURS,
        *CAUSE_COLOURS.values(),
        KEPT_COLOUR,
        DISTORTION_COLOUR,
        RATE_COLOUR,
    ],
)
def test_every_colour_stands_out_from_a_light_and_a_dark_page(colour: str, page: str) -> None:
    assert contrast(colour, page) >= 3  # WCAG 2.2, 1.4.11, for whatever carries meaning


@pytest.mark.parametrize("vision", [np.eye(3), PROTANOPIA, DEUTERANOPIA], ids=["full", "protanopia", "deuteranopia"])
def test_two_runs_look_different_to_red_green_blind_eyes_too(vision: np.ndarray) -> None:
    seen = {colour: lab(vision @ linear(colour)) for colour in (*HEAD_COLOURS.values(), *OTHER_COLOURS)}
    for one, other in itertools.combinations(seen, 2):
        # A difference of 2.3 is just noticeable; 10 is seen at a glance.
        assert np.linalg.norm(seen[one] - seen[other]) > 10, (one, other)


@pytest.mark.parametrize(
    "heads",
    [
        ("rms-scaler",) * 12,
        ("gaussian", "gaussian", "rms-scaler", "gaussian"),
        ("ln-mean", "bn-mean", "ln-mean", "rms-scaler", "bn-scaler", "gaussian", *("gaussian",) * 6),
    ],
)
def test_no_two_runs_of_a_view_share_a_colour(heads: tuple[HeadName, ...]) -> None:
    colours = run_colours(heads)
    assert len(set(colours)) == len(heads)
    assert all(colours[heads.index(head)] == HEAD_COLOURS[head] for head in heads)


def test_a_run_keeps_its_colour_when_another_is_added() -> None:
    heads: tuple[HeadName, ...] = ("rms-scaler", "rms-scaler", "gaussian", "rms-scaler", "bn-scaler", "gaussian")
    for count in range(1, len(heads)):
        assert run_colours(heads[:count]) == run_colours(heads)[:count]


def test_bars_have_the_heights_and_the_floor_given() -> None:
    figure = kl_bars_figure(np.array([0.5, 0.25]), {"floor": np.array([0.1, 0.1])}, "run")
    bars, floor = figure.data
    assert list(bars.y) == [0.5, 0.25]
    assert list(floor.y) == [0.1, 0.1]


def test_the_elbo_curve_stacks_rate_on_distortion() -> None:
    figure = elbo_curve_figure(np.array([0.0, 1.0]), np.array([90.0, 80.0]), np.array([1.0, 5.0]), "run")
    assert [trace.name for trace in figure.data] == ["distortion", "rate"]
    assert len({trace.stackgroup for trace in figure.data}) == 1


def test_the_shares_of_the_second_moment_are_stacked() -> None:
    figure = second_moments_figure(np.array([0.6]), np.array([0.4]))
    assert figure.layout.barmode == "stack"
    assert [list(trace.y) for trace in figure.data] == [[0.6], [0.4]]


def test_markup_in_a_users_words_is_shown_and_not_interpreted() -> None:
    hostile = '<b onclick="x">&amp;'
    figure = kl_bars_figure(np.array([0.5]), {hostile: np.array([0.1])}, hostile)
    assert figure.layout.title.text == '&lt;b onclick="x"&gt;&amp;amp;'
    assert figure.data[1].name == '&lt;b onclick="x"&gt;&amp;amp;'
    assert all("<b" not in trace.hovertemplate for trace in figure.data)


@pytest.mark.parametrize(
    "figure",
    [
        kl_bars_figure(np.array([]), {}, "empty"),
        elbo_curve_figure(np.array([0.0]), np.array([np.nan]), np.array([1.0]), "not a number"),
    ],
)
def test_empty_and_missing_values_still_make_a_figure_on_a_transparent_page(figure: go.Figure) -> None:
    assert figure.to_json()
    assert figure.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_methods_are_lines_and_many_models_are_named_in_the_legend() -> None:
    points = [RatePoint(name=f"run-{at}", rate=at, distortion=20 - at, colour="#0072b2") for at in range(5)]
    line = RateLine(name="β", points=[(0.0, 30.0), (2.0, 18.0)], colour="#0072b2")
    few, many = (rate_distortion_figure(points[:count], "data", lines=[line], at=1.5) for count in (4, 5))
    (drawn,) = [trace for trace in few.data if trace.mode == "lines+markers"]
    assert (list(drawn.x), list(drawn.y)) == ([0.0, 2.0], [30.0, 18.0])
    assert few.layout.yaxis.range[1] > 30
    assert [trace.name for trace in many.data if trace.showlegend] == [f"run-{at}" for at in range(5)]
    assert not any(trace.showlegend for trace in few.data)
    assert few.layout.shapes[0].x0 == 1.5


def test_accuracies_over_labels_have_their_spread_and_the_commonest_class() -> None:
    line = AccuracyLine(name="draws <of> z", accuracy=[0.25, 0.5], spread=[0.125, 0.0625], colour="#000000")
    figure = labels_needed_figure([10, 1_000], [line], 0.2, "a run")
    (drawn,) = figure.data
    assert (list(drawn.x), list(drawn.y), list(drawn.error_y.array)) == ([10, 1_000], [0.25, 0.5], [0.125, 0.0625])
    assert drawn.name == "draws &lt;of&gt; z"
    assert figure.layout.shapes[0].y0 == 0.2
    assert list(figure.layout.xaxis.ticktext) == ["10", "1,000"]
