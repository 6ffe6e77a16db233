"""What a click on the map tells: the example or the code there, what the model makes of it, and who is near."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import streamlit as st
import torch
from jaxtyping import Float, Int
from torch import Tensor

from bnvae.analysis.neighbours import code_at, nearest
from bnvae.palette import HEAD_COLOURS
from bnvae.runs import Run
from pages.components.image_grid import image_grid
from pages.components.kl_bars import kl_bars
from pages.components.latent_scatter import View
from pages.components.sentence_list import sentence_columns
from pages.shared import cache, map_cache
from pages.shared.map_panels import Chart
from pages.shared.panels import LEGIBLE_PX, say_broken

NEIGHBOURS = 10
NEIGHBOUR_COLUMNS = 5


@final
@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A code that was chosen on one run's map."""

    code: Float[Tensor, "D"]
    example: int | None
    """None: a place without an example"""
    near: Int[Tensor, "K"]
    """the examples with the nearest posterior means, itself left out"""
    distances: Float[Tensor, "K"]


def chosen_code(chart: Chart, view: View, place: int) -> Chosen | None:
    """The code that a visitor means on this run's map; None if nothing is chosen, or it has no code."""
    pick = view.pick
    if pick is None:
        return None
    mean = chart.encoded.mean
    if "example" in pick:
        example = int(pick["example"])
        if not bool(torch.isfinite(mean[example]).all()):
            return None
        near, distances = (found[0] for found in nearest(mean[example : example + 1], mean, NEIGHBOURS + 1))
        others = near != example
        return Chosen(
            code=mean[example],
            example=example,
            near=near[others][:NEIGHBOURS],
            distances=distances[others][:NEIGHBOURS],
        )
    if place != pick["panel"] and not chart.common:
        return None
    if not bool(torch.isfinite(mean).all(1).any()):
        return None
    position = torch.tensor([pick["x"], pick["y"]])
    code = code_at(position, mean, chart.points)
    near, distances = (found[0] for found in nearest(code[None], mean, NEIGHBOURS))
    return Chosen(code=code, example=None, near=near, distances=distances)


def tell(charts: Sequence[Chart], answers: Sequence[Chosen | None]) -> None:
    """For each run side by side: the example, its reconstruction, its KL per dimension and its neighbours."""
    top = max(
        (float(chart.encoded.kl[found.example].max()) for chart, found in zip(charts, answers, strict=True)
         if found is not None and found.example is not None),
        default=0.1,
    )  # fmt: skip
    for column, chart, found in zip(st.columns(len(charts), gap="large"), charts, answers, strict=True):
        if found is not None:
            with column:
                try:
                    _tell_one(chart, found, top)
                except ValueError as error:
                    say_broken(chart.run, error)


def _tell_one(chart: Chart, found: Chosen, top: float) -> None:
    run, encoded = chart.run, chart.encoded
    if len(chart.encoded) and found.example is not None:
        label = int(encoded.labels[found.example])
        named = f" · {encoded.label_names[label]}" if 0 <= label < len(encoded.label_names) else ""
        st.text(f"{run.id} · example {found.example}{named}")
    else:
        st.text(f"{run.id} · the code at this place")
    _show_made(run, found)
    if found.example is not None:
        kl_bars(
            key=f"map-kl-{run.id}",
            kl=encoded.kl[found.example].tolist(),
            title="KL of this example",
            colour=HEAD_COLOURS[run.config.model.head],
            y_max=top,
            scale_group="map-kl",
            height_px=150,
        )
    else:
        st.caption(
            "A map has no inverse: this code is the mean of the 15 nearest points' codes, weighted by 1/distance."
        )
    if len(found.near):
        usual = f"; between neighbouring examples it is {encoded.usual_distance:.2f} as a rule"
        st.text(f"Nearest posterior mean at distance {float(found.distances[0]):.2f}{usual}.")
    _show_neighbours(run, encoded, found)


def _show_made(run: Run, found: Chosen) -> None:
    """The example, if it is kept, beside what the model makes of its code."""
    kept = map_cache.examples(run)
    made = map_cache.decoded(run, found.code[None])
    example = found.example if found.example is not None and found.example < len(kept) else None
    if made.dim() == 2:
        columns = {"decoded from this code": cache.sentences(run, made)}
        if found.example is not None:
            columns = {"decoded from its mean": cache.sentences(run, made)}
        if example is not None:
            columns = {"example": cache.sentences(run, kept[example : example + 1]), **columns}
        sentence_columns(key=f"map-made-{run.id}", columns=columns, label="example and reconstruction")
    else:
        pictures, captions = made, ["decoded from this code" if found.example is None else "decoded from its mean"]
        if example is not None:
            pictures, captions = torch.cat([kept[example : example + 1], made]), ["example", *captions]
        image_grid(
            key=f"map-made-{run.id}",
            pixels=pictures.numpy(),
            columns=len(pictures),
            alt=" and ".join(captions),
            captions=captions,
            scale=max(4.0, 1.75 * LEGIBLE_PX / pictures.shape[3]),
        )
        if example is not None:
            st.caption("Left the example, right decoded from its mean.")
    if found.example is not None and example is None:
        st.caption("The example itself is not kept with this run; shown is what its mean is decoded to.")


def _show_neighbours(run: Run, encoded: map_cache.Encoded, found: Chosen) -> None:
    """The ten nearest in latent space: the examples themselves where all are kept, else what they are decoded to."""
    if not len(found.near):
        return
    kept = map_cache.examples(run)
    there = bool((found.near < len(kept)).all())
    shown = kept[found.near] if there else map_cache.decoded(run, encoded.mean[found.near])
    rows = zip(found.near.tolist(), found.distances.tolist(), strict=True)
    captions = [f"example {row}{_label(encoded, row)} at distance {distance:.2f}" for row, distance in rows]
    what = "nearest in latent space" if there else "nearest in latent space, decoded from their means"
    if shown.dim() == 2:
        sentence_columns(key=f"map-near-{run.id}", columns={what: cache.sentences(run, shown)}, label=what)
        return
    st.text(what.capitalize())
    image_grid(
        key=f"map-near-{run.id}",
        pixels=shown.numpy(),
        columns=NEIGHBOUR_COLUMNS,
        alt=what,
        captions=captions,
        scale=max(2.0, LEGIBLE_PX / shown.shape[3]),
    )


def _label(encoded: map_cache.Encoded, row: int) -> str:
    label = int(encoded.labels[row])
    return f" ({encoded.label_names[label]})" if 0 <= label < len(encoded.label_names) else ""
