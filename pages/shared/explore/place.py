"""Where a visitor's own input lies on a run's map, and the ten examples that are nearest to it in latent space."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import streamlit as st
import torch
from jaxtyping import Float, Int
from torch import Tensor

from bnvae.latent.neighbours import nearest
from bnvae.latent.projection.umap_transform import settled_place
from bnvae.runs import Run
from pages.components.image_grid import image_grid
from pages.components.place_map import Neighbour, place_map
from pages.components.sentence_list import sentence_columns
from pages.shared.links import MAP, link_to
from pages.shared.map import cache as map_cache
from pages.shared.map.answers import NEIGHBOURS, Chosen, near_shown
from pages.shared.map.colours import choices, colouring, told_best
from pages.shared.map.panels import Chart, charts
from pages.shared.map.url import POINT
from pages.shared.map.words import METHODS, verdict
from pages.shared.state import RUNS

BY_FORCES = (
    "Placed by UMAP's own objective: drawn by its 15 nearest posterior means and pushed by all points to where it "
    "rests, while these stay where they are."
)
EXACTLY = "Placed exactly: PCA is a linear map, which every code can be put on."
NO_UMAP = " This run has no UMAP yet: the Map page makes one."


@final
@dataclass(frozen=True, kw_only=True)
class Place:
    """A code on a run's map."""

    chart: Chart
    point: Float[Tensor, "2"]
    """in the chart's measure: -1 to 1"""
    near: Int[Tensor, "K"]
    distances: Float[Tensor, "K"]
    """prior standard deviations"""


def place_of(run: Run, code: Float[Tensor, "D"]) -> Place:
    """Where a code belongs on the best map that this run has.

    Raises:
        ValueError: the code is not finite, or no example's is; or the run's files are damaged.
    """
    (chart,), _ = charts([run], "umap", 2)
    if not bool(torch.isfinite(code).all()):
        raise ValueError("Its code is not finite: the model's numbers have overflowed, and it has no place on a map.")
    if not bool(torch.isfinite(chart.points).all(1).any()):
        raise ValueError("No example has a finite code in this run: there is no map to put yours on.")
    if chart.projection.method == "pca":
        point = chart.placed(code[None])[0]
    else:
        point = (settled_place(code[None], chart.encoded.mean, chart.projection.points)[0] - chart.centre) / chart.reach
    near, distances = (found[0] for found in nearest(code[None], chart.encoded.mean, NEIGHBOURS))
    return Place(chart=chart, point=point, near=near, distances=distances)


def show_place(run: Run, code: Float[Tensor, "D"], alike: list[Run]) -> None:
    """The map with a star, the nearest examples, and a way to the large map; coloured by what `alike` runs tell best.

    Raises:
        ValueError: as `place_of`.
    """
    place = place_of(run, code)
    chart, encoded = place.chart, place.chart.encoded
    shown = near_shown(run, encoded, Chosen(code=code, example=None, near=place.near, distances=place.distances))
    colours = colouring([run], told_best(alike, list(choices(alike))))
    method = chart.projection.method
    how = EXACTLY + NO_UMAP if method == "pca" else BY_FORCES
    captions = [] if shown is None else _captions(shown.captions, shown.shown)
    place_map(
        key=f"own-place-{run.id}",
        title=f"Its place on the {METHODS[method]} map",
        points=chart.points.numpy(),
        colours=colours.colours[0],
        legend=colours.legend,
        own=(float(place.point[0]), float(place.point[1])),
        near=[
            Neighbour(point=(float(chart.points[row, 0]), float(chart.points[row, 1])), words=words)
            for row, words in zip(place.near.tolist(), captions, strict=True)
            if bool(torch.isfinite(chart.points[row]).all())
        ],
        axes="PCA" if method == "pca" else f"{METHODS[method]}: axes have no unit",
        words=" ".join(filter(None, (verdict(encoded, map_cache.told(run)), how))),
    )
    if shown is not None:
        st.text(shown.title)
        if isinstance(shown.shown, np.ndarray):
            image_grid(
                key=f"own-near-{run.id}", pixels=shown.shown, columns=5, alt=shown.title, captions=shown.captions
            )
        else:
            sentence_columns(key=f"own-near-{run.id}", columns={"nearest first": shown.shown}, label=shown.title)
    at = "~".join(f"{value:.4g}" for value in (0, *place.point.clamp(-2, 2).tolist()))
    link_to(MAP, {RUNS: [run.id], POINT: [at]}, "Open this place on the Map")


def _captions(captions: Sequence[str], shown: object) -> list[str]:
    """What a ring says when it is pointed at: a sentence as well."""
    if isinstance(shown, np.ndarray):
        return list(captions)
    assert isinstance(shown, list)
    return [f"{caption}: {sentence}" for caption, sentence in zip(captions, shown, strict=True)]
