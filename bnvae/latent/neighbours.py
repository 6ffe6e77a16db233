"""Nearest neighbours of latent codes, what a map keeps of them, and where a new code belongs on a map."""

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

NEIGHBOURS = 15
"""k of both figures of a map, and UMAP's own"""
FIDELITY_EXAMPLES = 1_000
"""examples whose neighbours are looked up for the figures: each costs a distance to all others"""
CHUNK_ROWS = 250
"""rows of a distance matrix at a time: bounds memory to rows x examples numbers"""


@final
@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """How far a map may be believed, from the neighbours of `examples` of its points."""

    trustworthiness: float
    """1 if every neighbour on the map is one in the codes as well; 0.5 or so for chance; no unit"""
    kept: float
    """share of the k nearest codes that are among the k nearest points, 0 to 1"""
    neighbours: int
    """k"""
    examples: int
    """points whose neighbours were looked up"""
    of: int
    """points among which they were looked up"""


def nearest(
    queries: Float[Tensor, "Q D"], codes: Float[Tensor, "N D"], count: int
) -> tuple[Int[Tensor, "Q K"], Float[Tensor, "Q K"]]:
    """Indices of the `count` codes nearest to each query (all, if there are fewer), and their Euclidean distances.

    The nearest comes first; a code that is not finite is never among them.
    """
    there = torch.isfinite(codes).all(1).nonzero()[:, 0]
    few = min(count, len(there))
    found = [_distances(part, codes[there]).topk(few, largest=False) for part in torch.split(queries, CHUNK_ROWS)]
    if not found:
        return torch.empty(0, few, dtype=torch.long), torch.empty(0, few)
    return there[torch.cat([part.indices for part in found])], torch.cat([part.values for part in found]).float()


def fidelity(
    codes: Float[Tensor, "N D"],
    points: Float[Tensor, "N d"],
    *,
    neighbours: int = NEIGHBOURS,
    examples: int = FIDELITY_EXAMPLES,
    seed: int = 0,
) -> Fidelity | None:
    """What the points of a map tell of the codes they stand for; None for fewer than three of them.

    trustworthiness = 1 - 2 / (n k (2N - 3k - 1)) sum_i sum_j max(0, r(i, j) - k), over the k map neighbours j of each
    of n examples i, where r(i, j) is j's rank among the codes seen from i; Venna & Kaski 2001. Equal distances share
    the middle one of their ranks, so that equal codes do not look like a perfect map. k is at most (N - 1) / 2.
    """
    there = torch.isfinite(codes).all(1) & torch.isfinite(points).all(1)
    codes, points = codes[there], points[there]
    total = len(codes)
    k = min(neighbours, (total - 1) // 2)
    if k < 1:
        return None
    rows = torch.randperm(total, generator=torch.Generator().manual_seed(seed))[:examples]
    intruded = kept = 0.0
    for part in torch.split(rows, CHUNK_ROWS):
        ranks = _ranks_of_map_neighbours(codes, points, part, k)
        intruded += (ranks - k).clamp_min(0).sum().item()
        kept += (ranks <= k).double().sum().item()
    return Fidelity(
        trustworthiness=1 - 2 * intruded / (len(rows) * k * (2 * total - 3 * k - 1)),
        kept=kept / (len(rows) * k),
        neighbours=k,
        examples=len(rows),
        of=total,
    )


def _ranks_of_map_neighbours(codes: Tensor, points: Tensor, rows: Tensor, k: int) -> Float[Tensor, "R K"]:
    """The rank among the codes, 1 for the nearest, of each of the k points nearest on the map."""
    itself = torch.arange(len(rows))
    between_points, between_codes = _distances(points[rows], points), _distances(codes[rows], codes)
    between_points[itself, rows] = between_codes[itself, rows] = torch.inf
    chosen = between_codes.gather(1, between_points.topk(k, largest=False).indices)
    ranks = torch.empty_like(chosen)
    every, wanted = between_codes.numpy(), chosen.numpy()
    for place in range(k):  # numpy counts six times faster than torch sums booleans
        distance = wanted[:, place : place + 1]
        nearer = np.count_nonzero(every < distance, axis=1)
        as_near = np.count_nonzero(every <= distance, axis=1)
        ranks[:, place] = torch.from_numpy((nearer + as_near + 1) / 2)
    return ranks


def place(
    queries: Float[Tensor, "Q D"],
    codes: Float[Tensor, "N D"],
    points: Float[Tensor, "N d"],
    *,
    neighbours: int = NEIGHBOURS,
) -> Float[Tensor, "Q d"]:
    """Where codes belong on the map of others: the mean place of their nearest ones, weighted by 1 / distance.

    UMAP's own transform begins so. A code that is on the map lies on its own point.
    """
    there = torch.isfinite(points).all(1)
    codes, points = codes[there], points[there]
    indices, distances = nearest(queries, codes, neighbours)
    return _weighted(points, indices, distances)


def code_at(
    position: Float[Tensor, "d"],
    codes: Float[Tensor, "N D"],
    points: Float[Tensor, "N d"],
    *,
    neighbours: int = NEIGHBOURS,
) -> Float[Tensor, "D"]:
    """The code at a place of the map: the mean of the codes of the nearest points, weighted by 1 / distance there.

    A map is no function with an inverse; this is the answer that the examples around the place give.
    """
    there = torch.isfinite(codes).all(1)
    codes, points = codes[there], points[there]
    indices, distances = nearest(position[None], points, neighbours)
    return _weighted(codes, indices, distances)[0]


def _weighted(values: Tensor, indices: Tensor, distances: Tensor) -> Tensor:
    weights = 1 / distances.clamp_min(1e-12)
    return (values[indices] * (weights / weights.sum(1, keepdim=True))[:, :, None]).sum(1)


def _distances(queries: Tensor, among: Tensor) -> Float[Tensor, "Q N"]:
    # fp64 without the product trick's cancellation in fp32: ranks of near neighbours hang on the last digits.
    return torch.cdist(queries.double(), among.double())
