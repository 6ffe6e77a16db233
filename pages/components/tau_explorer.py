"""Everything that tau moves, redrawn while its slider is dragged.

Numbers and decoded pictures are sent once; what moves is computed in the browser, in closed form
(tau_closed_form.js), so a drag asks no server.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Float

from bnvae.analysis.tau import Unscaled, UnscaledMoments
from bnvae.palette import MEAN_COLOUR, STD_COLOUR, TAU_COLOUR
from pages.components.assets import joined
from pages.components.kl_bars import DEAD_BELOW_NATS
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
        "curve_points.js",
        "tau_closed_form.js",
        "tau_model.js",
        "tau_slider.js",
        "tau_bars.js",
        "tau_map.js",
        "tau_explorer.js",
    ),
    css=joined("chart.css", "kl_bars.css", "image_grid.css", "sentence_list.css", "tau_explorer.css"),
)


@dataclass(frozen=True, kw_only=True)
class TauRun:
    """A run with a Scaler as the page shows it; one entry of `unscaled` and `moments`, or one for each member."""

    title: str
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


def tau_explorer(*, key: str, run: TauRun, tau: float) -> float:
    """The tau at which the visitor let the slider go.

    `tau` is where it stands first, and where it goes when another is given later; in between the visitor moves it.
    """
    content = payload(run)
    version = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    data = {**content, "version": version, "tau": tau}
    result = _component(key=key, data=data, default={"tau": tau}, on_tau_change=_nothing)
    return float(result.tau)


def _nothing() -> None:
    """Streamlit keeps a value only if something is called when it changes."""


def payload(run: TauRun) -> dict[str, Any]:
    """What the browser draws: numbers as base64 of little-endian float32, row by row."""
    dimensions = run.thetas.shape[1]
    return {
        "title": run.title,
        "caption": run.caption,
        "colours": {"run": run.colour, "tau": TAU_COLOUR, "mean": MEAN_COLOUR, "std": STD_COLOUR},
        "label_colours": LABEL_COLOURS,
        "reach": MAP_REACH,
        "dead_below": DEAD_BELOW_NATS,
        "largest_tau": run.largest_tau,
        "members": list(run.taus) if len(run.unscaled) > 1 else None,
        "marks": [{"tau": tau, "text": text} for tau, text in run.marks],
        "axes": list(run.axes),
        "labels": [int(label) for label in run.labels[:MOST_EXAMPLES]],
        "label_names": list(run.label_names),
        "model": {
            "dimensions": dimensions,
            "taus": list(run.taus),
            "theta": floats(run.thetas),
            "examples": [
                _examples(unscaled, moments, max(FEWEST_EXAMPLES, min(MOST_EXAMPLES, MOST_NUMBERS // dimensions)))
                for unscaled, moments in zip(run.unscaled, run.moments, strict=True)
            ],
        },
    }


def _examples(unscaled: Unscaled, moments: UnscaledMoments, count: int) -> dict[str, str]:
    return {
        "moments": floats(np.stack([moments.mean_square, moments.std_square, moments.log_std_square])),
        "mean": floats(unscaled.mean[:count]),
        "std": floats(unscaled.std[:count]),
    }


def floats(values: Float[np.ndarray, "..."]) -> str:
    with np.errstate(over="ignore"):  # too large for float32 is infinite, and drawn as what is not a number
        return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()
