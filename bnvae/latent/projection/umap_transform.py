"""Where a visitor's code belongs on a finished UMAP map: umap's transform without its chance, in a page's time."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.latent.neighbours import NEIGHBOURS, nearest
from bnvae.latent.projection.fuzzy_graph import strengths
from bnvae.latent.projection.umap_layout import EPOCHS, PLACING_RATE, REPELLED, STRONGEST, pull, push

MOST_QUERIES = 16
"""at once: each is compared with every point in every step"""


def settled_place(
    queries: Float[Tensor, "Q D"],
    codes: Float[Tensor, "N D"],
    points: Float[Tensor, "N d"],
    *,
    neighbours: int = NEIGHBOURS,
) -> Float[Tensor, "Q d"]:
    """Where codes come to rest on a map that stays as it is, in the map's own measure.

    umap's transform begins at the mean of the neighbours' places, weighted by their strength, and moves a code along
    one neighbour and five random points at a time. Here every step takes the mean of all of these at once, so the
    place is the same every time. A code that is on the map lies on its own point.

    Raises:
        ValueError: more than 16 codes, or one that is not finite, or a map without points.
    """
    if len(queries) > MOST_QUERIES:
        raise ValueError(f"queries has {len(queries)} codes: place at most {MOST_QUERIES} at once.")
    if not bool(torch.isfinite(queries).all()):
        raise ValueError("queries has a code that is not finite: it has no place on a map.")
    there = torch.isfinite(points).all(1) & torch.isfinite(codes).all(1)
    if not bool(there.any()):
        raise ValueError("points has no place that is finite: there is no map to put a code on.")
    codes, points = codes[there], points[there]
    indices, distances = nearest(queries, codes, neighbours)
    weights = strengths(distances, linked=False)
    weights = (weights / weights.sum(1, keepdim=True))[:, :, None]
    near = points[indices]
    places = (near * weights).sum(1)
    steps = EPOCHS // 3
    for step in range(steps):
        attraction = (weights * _forces(places, near, pull)).sum(1)
        repulsion = _forces(places, points[None], push).mean(1)
        places = places + PLACING_RATE * (1 - step / steps) * (attraction + REPELLED * repulsion)
    known = distances[:, :1] == 0
    return torch.where(known, near[:, 0], places)


def _forces(places: Tensor, others: Tensor, law: Callable[[Tensor], Tensor]) -> Float[Tensor, "Q K d"]:
    apart = places[:, None] - others
    return (law(apart.square().sum(2, keepdim=True)) * apart).clamp(-STRONGEST, STRONGEST)
