"""What the points of a map are coloured by, and the legend that says it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from bnvae.runs import Run
from pages.components.latent_scatter import Legend, class_colours, scale_colours
from pages.components.time_film import LABEL_COLOURS
from pages.shared.map import cache as map_cache

FEW_VALUES = 24
LEAST_TOLD = 0.05
"""share of a cause's entropy below which a map in its colours shows nothing of it"""
TAILS = (0.01, 0.99)
"""quantiles at the ends of a scale: one extreme example must not paint all others alike"""


@final
@dataclass(frozen=True, kw_only=True)
class Colouring:
    """The colours of one or more runs' examples, with one legend."""

    legend: Legend
    colours: list[Int[np.ndarray, "N"]]
    values: list[Float[np.ndarray, "N"] | None]
    classes: Int[np.ndarray, "N"] | None
    names: tuple[str, ...]


def choices(runs: list[Run]) -> dict[str, str]:
    """Keys for the address and what they are called, for what all of these runs know."""
    encodings = [map_cache.encoded(run) for run in runs]
    known = [map_cache.mapped(run) for run in runs]
    found = {"label": "label"} if encodings[0].label_names else {}
    found["kl"] = "KL of the example"
    if all(mapped is not None for mapped in known):
        found["distortion"] = "distortion"
        for name in known[0].factors if known[0] else ():
            found[f"cause-{name}"] = f"cause: {name}"
    for dimension in range(min(encoded.mean.shape[1] for encoded in encodings)):
        found[f"z{dimension}"] = f"dimension {dimension}"
    return found


def choose_colour(runs: list[Run]) -> str:
    """The key of what the visitor wants to see in colour."""
    offered = choices(runs)
    keys = list(offered)
    return st.selectbox(
        "Colour",
        keys,
        index=keys.index(told_best(runs, keys)),
        format_func=lambda key: offered.get(key, key),
        key="colour",
        bind="query-params",
    )


def told_best(runs: list[Run], keys: Sequence[str]) -> str:
    """The known cause that these codes tell best, where they tell any: a colour that they don't carry looks like noise.

    The first of the keys where no cause is known, or none is told.
    """
    shares: dict[str, float] = {}
    for run in runs:
        for name, share in map_cache.told(run).items():
            shares[name] = max(share, shares.get(name, 0.0))
    best = max(shares, key=lambda name: shares[name], default=None)
    if best is None or shares[best] < LEAST_TOLD or f"cause-{best}" not in keys:
        return keys[0]
    return f"cause-{best}"


def colouring(runs: list[Run], key: str) -> Colouring:
    """Colours of every run's examples by one key of `choices`."""
    encodings = [map_cache.encoded(run) for run in runs]
    if key == "label":
        return _classes(encodings[0].labels.numpy(), encodings[0].label_names, len(runs))
    if key.startswith("cause-"):
        mapped = map_cache.mapped(runs[0])
        assert mapped is not None
        factor = mapped.factors[key.removeprefix("cause-")]
        if factor.names:
            return _classes(factor.values.long().numpy(), factor.names, len(runs))
        return _scale([factor.values.numpy()] * len(runs), key.removeprefix("cause-"))
    if key == "distortion":
        found = [map_cache.mapped(run) for run in runs]
        return _scale([mapped.distortion.numpy() for mapped in found if mapped is not None], "distortion, nats")
    if key == "kl":
        return _scale([encoded.kl.sum(1).numpy() for encoded in encodings], "KL of the example, nats")
    dimension = int(key.removeprefix("z"))
    return _scale([encoded.mean[:, dimension].numpy() for encoded in encodings], f"mean of dimension {dimension}")


def _classes(classes: Int[np.ndarray, "N"], names: tuple[str, ...], count: int) -> Colouring:
    classes = np.where((classes >= 0) & (classes < len(names)), classes, -1)
    there = [index for index in range(min(len(names), FEW_VALUES)) if bool((classes == index).any())]
    legend = Legend(
        classes=[(index, names[index], LABEL_COLOURS[index % len(LABEL_COLOURS)]) for index in there]
        or [(-1, "no label", "#808080")]
    )
    return Colouring(
        legend=legend,
        colours=[class_colours(classes, LABEL_COLOURS)] * count,
        values=[None] * count,
        classes=classes,
        names=names,
    )


def _scale(values: list[Float[np.ndarray, "N"]], text: str) -> Colouring:
    every = np.concatenate(values)
    finite = every[np.isfinite(every)]
    low, high = (float(end) for end in np.quantile(finite, TAILS)) if len(finite) else (0.0, 0.0)
    return Colouring(
        legend=Legend(text=text, low=low, high=high),
        colours=[scale_colours(one, low, high) for one in values],
        values=list(values),
        classes=None,
        names=(),
    )
