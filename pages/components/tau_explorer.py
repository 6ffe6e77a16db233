"""Everything that tau moves, redrawn while its slider is dragged.

Numbers and decoded pictures are sent once; what moves is computed in the browser, in closed form
(tau_closed_form.js), so a drag asks no server.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Float

from bnvae.metrics.estimators.aggregated_posterior import HOLE_RATIO
from bnvae.metrics.scaler_curves import BINDING_SHARE, Budget, Unscaled, UnscaledMoments
from bnvae.plotting.palette import HOLE_COLOUR, MEAN_COLOUR, STD_COLOUR, TAU_COLOUR, THETA_COLOUR
from pages.components.assets import floats, joined, sendable
from pages.components.kl_bars import DEAD_BELOW_NATS
from pages.components.tau_strip import Strip, strip_payload
from pages.components.time_film import LABEL_COLOURS, MAP_REACH

MOST_EXAMPLES, FEWEST_EXAMPLES = 512, 150
MOST_NUMBERS = 20_000
"""Numbers of one quantity sent of each model: with many dimensions fewer examples."""

_component = st.components.v2.component(
    "bnvae_tau_explorer",
    js=joined(
        "chart.js",
        "dimension_bars.js",
        "kl_chart.js",
        "moment_chart.js",
        "posterior_map.js",
        "picture_grid.js",
        "sentence_rows.js",
        "curve_points.js",
        "tau_closed_form.js",
        "tau_model.js",
        "tau_slider.js",
        "tau_bars.js",
        "tau_map.js",
        "tau_density.js",
        "tau_rate.js",
        "tau_formula.js",
        "tau_strip.js",
        "tau_explorer.js",
    ),
    css=joined("chart.css", "kl_bars.css", "image_grid.css", "sentence_list.css", "tau_explorer.css"),
)


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What "the effect of tau" is on this page, and what it is not."""

    name: str
    short: str
    """beside the control"""
    says: str
    says_not: str
    learned: bool = False
    """whether a model was trained for each tau: only then does its rate tell where the floor binds"""


@dataclass(frozen=True, kw_only=True)
class TauRun:
    """What a slider over tau moves; one entry of `unscaled` and `moments` for all of it, or one for each tau."""

    titles: Sequence[str]
    """one, or one for each tau"""
    caption: str
    colour: str
    taus: Sequence[float]
    """ascending; of the rows of `thetas`"""
    thetas: Float[np.ndarray, "T D"]
    unscaled: Sequence[Unscaled]
    moments: Sequence[UnscaledMoments]
    labels: Sequence[int] = ()
    label_names: Sequence[str] = ()
    largest_tau: float
    axes: tuple[int, int]
    """the two dimensions of the map"""
    marks: Sequence[tuple[float, str]] = ()
    """values of tau with a name"""

    @property
    def snaps(self) -> bool:
        """Whether there is a model for each tau and nothing between them."""
        return len(self.unscaled) > 1


@dataclass(frozen=True, kw_only=True)
class Rival:
    """Another run of the same data, as one point beside the curve."""

    title: str
    colour: str
    rate: float
    """nats"""
    distortion: float
    """nats"""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What stands beside the run: its price, the plain VAE, and other runs."""

    priced_taus: Sequence[float] = ()
    distortion: Sequence[float] = ()
    """at `priced_taus` (nats); empty where it is not known"""
    curve_note: str = ""
    rivals: Sequence[Rival] = ()
    plain_title: str = ""
    plain: Budget | None = None


def tau_explorer(*, key: str, run: TauRun, meaning: Meaning, strip: Strip | None, beside: Beside, tau: float) -> float:
    """The tau at which the visitor let the slider go.

    `tau` is where it stands first, and where it goes when another is given later; in between the visitor moves it.
    """
    content = payload(run, meaning, strip, beside)
    version = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    data = {**content, "version": version, "tau": tau}
    result = _component(key=key, data=data, default={"tau": tau}, on_tau_change=_nothing)
    return float(result.tau)


def _nothing() -> None:
    """Streamlit keeps a value only if something is called when it changes."""


def payload(run: TauRun, meaning: Meaning, strip: Strip | None, beside: Beside) -> dict[str, Any]:
    """What the browser draws: numbers as base64 of little-endian float32, row by row."""
    dimensions = run.thetas.shape[1]
    examples = max(FEWEST_EXAMPLES, min(MOST_EXAMPLES, MOST_NUMBERS // dimensions))
    colours = {"tau": TAU_COLOUR, "mean": MEAN_COLOUR, "std": STD_COLOUR, "theta": THETA_COLOUR, "hole": HOLE_COLOUR}
    return {
        "binding_share": BINDING_SHARE if meaning.learned else None,
        "titles": list(run.titles),
        "caption": run.caption,
        "meaning": {"name": meaning.name, "is": meaning.says, "is_not": meaning.says_not},
        "colours": {"run": run.colour, **colours},
        "label_colours": LABEL_COLOURS,
        "reach": MAP_REACH,
        "hole_ratio": HOLE_RATIO,
        "dead_below": DEAD_BELOW_NATS,
        "largest_tau": run.largest_tau,
        "members": list(run.taus) if run.snaps else None,
        "marks": [{"tau": tau, "text": text} for tau, text in run.marks],
        "axes": list(run.axes),
        "labels": [int(label) for label in run.labels[:examples]],
        "label_names": list(run.label_names),
        "model": {
            "dimensions": dimensions,
            "taus": list(run.taus),
            "theta": floats(run.thetas),
            "examples": [
                _examples(unscaled, moments, examples)
                for unscaled, moments in zip(run.unscaled, run.moments, strict=True)
            ],
        },
        "strip": None if strip is None else strip_payload(strip),
        "curve": _curve(beside),
        "curve_note": beside.curve_note,
        "rivals": [
            {"title": rival.title, "colour": rival.colour, "rate": rival.rate, "distortion": rival.distortion}
            for rival in beside.rivals
            if np.isfinite([rival.rate, rival.distortion]).all()
        ],
        "plain": None if beside.plain is None else _plain(beside.plain_title, beside.plain),
    }


def _curve(beside: Beside) -> dict[str, Any] | None:
    if not len(beside.distortion) or not np.isfinite(beside.distortion).all():
        return None
    return {"taus": list(beside.priced_taus), "distortion": sendable(beside.distortion)}


def _plain(title: str, budget: Budget) -> dict[str, Any]:
    return {"title": title, "mean": sendable(budget.mean), "std": sendable(budget.std)}


def _examples(unscaled: Unscaled, moments: UnscaledMoments, count: int) -> dict[str, str]:
    return {
        "moments": floats(np.stack([moments.mean_square, moments.std_square, moments.log_std_square])),
        "mean": floats(unscaled.mean[:count]),
        "std": floats(unscaled.std[:count]),
    }
