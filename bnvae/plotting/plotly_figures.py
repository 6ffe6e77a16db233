"""Arrays in, plotly figures out, in one theme for light and dark pages."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from bnvae.plotting.palette import DISTORTION_COLOUR, HEAD_COLOURS, RATE_COLOUR

_NEUTRAL = "#808080"
"""Lines and text that have to be read on a white and on a black page alike."""

_THEME = go.layout.Template(
    layout={
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 14, "color": _NEUTRAL},
        "title": {"font": {"size": 16}, "x": 0, "xref": "paper", "y": 1, "yanchor": "top", "pad": {"t": 12}},
        "colorway": list(HEAD_COLOURS.values()),
        "margin": {"l": 60, "r": 12, "t": 76, "b": 52},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "x unified",
        "bargap": 0.22,
        "xaxis": {"showgrid": False, "linecolor": _NEUTRAL, "ticks": "outside"},
        "yaxis": {"gridcolor": "rgba(128,128,128,0.25)", "zeroline": False, "rangemode": "tozero", "automargin": True},
    }
)


def kl_bars_figure(
    kl: Float[np.ndarray, " D"],
    floors: Mapping[str, Float[np.ndarray, " D"]],
    title: str,
    *,
    colour: str = HEAD_COLOURS["rms-scaler"],
) -> go.Figure:
    """KL of each dimension in nats as bars, >= 0, with each named floor in nats as a step line over them."""
    dimensions = np.arange(len(kl))
    figure = _figure(title, "dimension", "KL, nats per example")
    figure.add_bar(x=dimensions, y=kl, marker_color=colour, name="KL", hovertemplate="%{y:.3f} nats")
    for dash, (name, floor) in zip(("solid", "dot", "dash", "dashdot"), floors.items(), strict=False):
        figure.add_scatter(
            x=dimensions,
            y=floor,
            mode="lines",
            line={"shape": "hvh", "color": _NEUTRAL, "dash": dash, "width": 3},
            name=_literal(name),
            hovertemplate="%{y:.3f} nats",
        )
    return figure


def elbo_curve_figure(
    steps: Float[np.ndarray, " T"],
    distortion: Float[np.ndarray, " T"],
    rate: Float[np.ndarray, " T"],
    title: str,
) -> go.Figure:
    """−ELBO in nats per example, lower is better, as the stack of its two terms: distortion below, rate above."""
    figure = _figure(title, "step", "nats per example, lower is better")
    figure.update_layout(legend_title_text="−ELBO = distortion + rate:")
    terms = (("distortion", distortion, DISTORTION_COLOUR), ("rate", rate, RATE_COLOUR))
    for name, values, colour in terms:
        figure.add_scatter(
            x=steps,
            y=values,
            stackgroup="elbo",
            stackgaps="interpolate",
            line={"color": colour, "width": 1.5},
            name=name,
            hovertemplate="%{y:.2f} nats",
        )
    return figure


def second_moments_figure(
    mean_second: Float[np.ndarray, " D"],
    std_second: Float[np.ndarray, " D"],
    title: str = "Where the prior's second moment comes from",
) -> go.Figure:
    """E[mean²] and E[std²] of each dimension, stacked, no unit; they sum to 1 where q(z) has the prior's variance."""
    dimensions = np.arange(len(mean_second))
    figure = _figure(title, "dimension", "second moment of q(z)")
    parts = (
        ("E[mean²]: what z tells apart", mean_second, RATE_COLOUR),
        ("E[std²]: noise", std_second, DISTORTION_COLOUR),
    )
    for name, values, colour in parts:
        figure.add_bar(x=dimensions, y=values, marker_color=colour, name=name, hovertemplate="%{y:.3f}")
    figure.update_layout(barmode="stack")
    figure.add_hline(
        y=1, line={"color": _NEUTRAL, "width": 2}, annotation_text="prior: 1", annotation_position="top right"
    )
    return figure


@dataclass(frozen=True, kw_only=True)
class RatePoint:
    """One model in the plane of rate and distortion, nats per example."""

    name: str
    rate: float
    distortion: float
    colour: str


@dataclass(frozen=True, kw_only=True)
class RateLine:
    """The models of one method in that plane, in the order of their rate."""

    name: str
    points: Sequence[tuple[float, float]]
    """rate and distortion of each"""
    colour: str


MOST_NAMED = 4
"""points with their names beside them; of more the names are in the legend"""


def rate_distortion_figure(
    points: Sequence[RatePoint], title: str, *, lines: Sequence[RateLine] = (), at: float | None = None
) -> go.Figure:
    """Distortion over rate in nats per example, a point a model; equal ELBO on a dotted line.

    `lines` join the models of a method, `at` marks the rate at which they are compared.
    """
    figure = _figure(title, "rate: what the code costs, nats per example", "distortion, nats per example")
    places = [(point.rate, point.distortion) for point in points] + [place for line in lines for place in line.points]
    rates, costs = [rate for rate, _ in places], [cost for _, cost in places]
    is_named = len(points) <= MOST_NAMED
    spread = max(max(rates) - min(rates), max(costs) - min(costs), 0.02 * max(map(abs, costs)), 0.1)
    left, right = max(0.0, min(rates) - 0.15 * spread), max(rates) + 0.25 * spread
    low, high = min(costs) - 0.2 * spread, max(costs) + 0.25 * spread
    totals = [rate + cost for rate, cost in places]
    levels = (
        [point.rate + point.distortion for point in points] if is_named else np.linspace(min(totals), max(totals), 6)
    )
    for total in sorted({round(float(level), 6) for level in levels}):
        figure.add_scatter(
            x=[left, right],
            y=[total - left, total - right],
            mode="lines",
            line={"color": _NEUTRAL, "width": 1, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    for line in lines:
        figure.add_scatter(
            x=[rate for rate, _ in line.points],
            y=[cost for _, cost in line.points],
            mode="lines+markers",
            line={"color": line.colour, "width": 1.5},
            marker={"size": 6, "color": line.colour},
            name=_literal(line.name),
            showlegend=False,
            hovertemplate="rate %{x:.2f}, distortion %{y:.2f} nats",
        )
    if at is not None:
        figure.add_vline(x=at, line={"color": _NEUTRAL, "width": 2}, annotation_text=f"compared at {at:.2f} nats")
    for point in points:
        figure.add_scatter(
            x=[point.rate],
            y=[point.distortion],
            mode="markers+text" if is_named else "markers",
            marker={"size": 13, "color": point.colour, "line": {"width": 1.5, "color": "rgba(255,255,255,0.8)"}},
            text=[f"  {_literal(point.name)}  "],
            textposition="middle right" if point.rate < (left + right) / 2 else "middle left",
            name=_literal(point.name),
            showlegend=not is_named,
            hovertemplate=f"rate %{{x:.2f}}, distortion %{{y:.2f}}, ELBO {-point.rate - point.distortion:.2f} nats",
        )
    figure.update_layout(hovermode="closest", height=440 if is_named else 560)
    if not is_named:
        figure.update_layout(legend={"y": -0.16, "yanchor": "top"})
    figure.update_xaxes(range=[left - 0.04 * spread, right])
    figure.update_yaxes(range=[low, high], rangemode="normal")
    figure.add_annotation(
        text="dotted: equal ELBO; further down and left is better",
        xref="paper", yref="paper", x=1, y=1.0, xanchor="right", yanchor="bottom", showarrow=False,
    )  # fmt: skip
    return figure


@dataclass(frozen=True, kw_only=True)
class AccuracyLine:
    """Accuracies over numbers of labels."""

    name: str
    accuracy: Sequence[float]
    """share of test examples (fraction)"""
    spread: Sequence[float]
    """standard deviation over draws of the labels (fraction); empty for no error bars"""
    colour: str
    dash: str = "solid"


def labels_needed_figure(
    labels: Sequence[int], lines: Sequence[AccuracyLine], majority: float, title: str
) -> go.Figure:
    """Share of test examples classified correctly over the number of labels, a line for each input of the probe."""
    figure = _figure(title, "labelled training examples", "classified correctly")
    for line in lines:
        figure.add_scatter(
            x=list(labels),
            y=list(line.accuracy),
            error_y={"type": "data", "array": list(line.spread), "thickness": 1, "width": 3} if line.spread else None,
            mode="lines+markers",
            line={"color": line.colour, "width": 2, "dash": line.dash},
            marker={"size": 6, "color": line.colour},
            name=_literal(line.name),
            hovertemplate="%{y:.1%}",
        )
    figure.add_hline(
        y=majority,
        line={"color": _NEUTRAL, "width": 1.5, "dash": "dot"},
        annotation_text=f"commonest class {majority:.0%}",
        annotation_position="bottom right",
    )
    figure.update_xaxes(type="log", tickvals=list(labels), ticktext=[f"{count:,}" for count in labels])
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    figure.update_layout(height=330, margin={"t": 110}, legend={"font": {"size": 12}})
    return figure


def _figure(title: str, x_label: str, y_label: str) -> go.Figure:
    return go.Figure(
        layout={"template": _THEME, "title": _literal(title), "xaxis_title": x_label, "yaxis_title": y_label}
    )


def _literal(text: str) -> str:
    """Text that plotly shows as it is: it renders some HTML tags, so a user's & < > are escaped."""
    return html.escape(text, quote=False)
