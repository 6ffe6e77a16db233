"""The members of a sweep over τ as one film: the same examples on aligned maps, from the least τ to the largest."""

from collections.abc import Sequence

import streamlit as st
import torch

from bnvae.config.schema import SCALED
from bnvae.data.random_subset import random_subset
from bnvae.latent.projection.fit_projection import turned_onto
from bnvae.runs import Run
from bnvae.runs.groups import group_of
from pages.components.latent_scatter import Panel, View, latent_scatter
from pages.shared.map import cache as map_cache
from pages.shared.map.colours import choices, colouring, told_best
from pages.shared.map.panels import Wish, frame_of
from pages.shared.map.start import ask_for_maps, watch_maps
from pages.shared.state import store

MOST_SHOWN = 2_500
"""examples: each is sent once for every τ"""
HELP = "The runs of this sweep over τ, on aligned maps: each example keeps its place where its codes let it."


def offer_tau_film(run: Run) -> list[Run]:
    """The members of the run's sweep if the visitor wants to see them as a film; else none."""
    members = sweep_over_tau(run)
    if len(members) < 2 or not st.toggle("Through τ", key="through_tau", bind="query-params", help=HELP):
        return []
    return members


def sweep_over_tau(run: Run) -> list[Run]:
    """The runs of a run's sweep that differ in τ alone and can be mapped together with it, in the order of their τ."""
    group = group_of(run)
    if group is None:
        return []
    found: dict[float, Run] = {}
    for member in store().groups().get(group, []):
        try:
            model, seed = member.config.model, member.config.training.seed
            if seed != run.config.training.seed:
                continue  # of a sweep over seeds as well, the runs of one seed make the film
            if model.head in SCALED and not model.amortised and _same_examples(member, run):
                found.setdefault(model.tau, member)
        except ValueError:
            continue  # broken, or not evaluated yet: the others make a film without it
    return [found[tau] for tau in sorted(found)]


def _same_examples(member: Run, run: Run) -> bool:
    one, other = map_cache.encoded(member), map_cache.encoded(run)
    return (one.data, len(one)) == (other.data, len(other)) and len(one) > 0


def through_tau(members: Sequence[Run], wish: Wish) -> None:
    """One map that moves from τ to τ under a slider: AlignedUMAP where it is there, until then PCA, turned."""
    encodings = [map_cache.encoded(run) for run in members]
    aligned = map_cache.aligned(members) if wish == "umap" else None
    if aligned is not None:
        points = [aligned[run.id].points for run in members]
        words, axes = "AlignedUMAP", "AlignedUMAP: axes have no unit"
    else:
        points = [map_cache.pca(members[0], 2).points]
        for run in members[1:]:
            points.append(turned_onto(map_cache.pca(run, 2).points, points[-1]))
        words, axes = "PCA of each run, turned as a whole onto the one before", "PCA, turned: axes have no unit"
    rows = random_subset(len(points[0]), MOST_SHOWN).numpy()
    rates = f"{encodings[0].rate:.2f} nats at the least τ, {encodings[-1].rate:.2f} at the largest"
    colours = colouring(list(members), told_best(list(members), list(choices(list(members)))))
    centre, reach = frame_of(torch.cat(points))
    moments = [((one - centre) / reach).numpy()[rows] for one in points]
    values = colours.values[-1]
    latent_scatter(
        key=f"tau-film-{members[0].id}",
        panels=[
            Panel(
                title=group_of(members[0]) or members[0].id,
                caption=f"{len(members)} runs",
                words=f"{words}: {len(moments[0]):,} test examples. Codes carry {rates}.",
                axes=axes,
                points=moments[-1],
                colours=colours.colours[-1][rows],
                values=None if values is None else values[rows],
                moments=moments,
            )
        ],
        legend=colours.legend,
        view=View(id="first"),
        classes=None if colours.classes is None else colours.classes[rows],
        names=colours.names,
        steps=[f"τ = {run.config.model.tau:g}" for run in members],
    )
    if wish == "umap" and aligned is None:
        ask_for_maps(members, ["umap"])
        watch_maps(members, "umap")
