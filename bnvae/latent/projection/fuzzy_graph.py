"""How strongly codes belong together, 0 to 1: the graph that UMAP lays out; McInnes et al. 2018, arXiv:1802.03426.

The same numbers as umap-learn's, without importing it: its first graph of 10,000 codes compiles for half a minute.
"""

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

SEARCH_STEPS = 64
LEAST_WIDTH = 1e-3
"""of the mean distance to the neighbours: a width below that would leave a code without any"""


def strengths(distances: Float[Tensor, "N K"], *, linked: bool) -> Float[Tensor, "N K"]:
    """Membership strength of each neighbour, sorted by distance, in the surroundings of its row.

    exp(-max(0, d - rho) / sigma), with sigma such that all but the first sum to log2 K. `linked`: rho is the distance
    of the nearest other code, so that every code has a full link to one; else 0, as for codes put on a finished map.
    """
    others = distances[:, 1:]
    nearest = torch.where(distances > 0, distances, torch.inf).amin(1)
    rho = torch.where(torch.isfinite(nearest) & linked, nearest, 0.0)[:, None]
    beyond = (others - rho).clamp_min(0)
    low, high, sigma = torch.zeros(len(rho), 1), torch.full((len(rho), 1), torch.inf), torch.ones(len(rho), 1)
    for _ in range(SEARCH_STEPS):
        too_wide = torch.exp(-beyond / sigma).sum(1, keepdim=True) > math.log2(distances.shape[1])
        low, high = torch.where(too_wide, low, sigma), torch.where(too_wide, sigma, high)
        sigma = torch.where(torch.isinf(high), 2 * sigma, (low + high) / 2).clamp(1e-30, 1e30)
    usual = torch.where(rho > 0, distances.mean(1, keepdim=True), distances.mean())
    sigma = torch.maximum(sigma, LEAST_WIDTH * usual).clamp_min(1e-30)
    return torch.exp(-(distances - rho).clamp_min(0) / sigma)


def neighbours(queries: Float[Tensor, "Q D"], codes: Float[Tensor, "N D"], count: int) -> tuple[Tensor, Tensor]:
    """Indices of the `count` nearest codes, the nearest first, and their distances: exact, in fp32, on one thread."""
    from sklearn.neighbors import NearestNeighbors  # imports for two seconds

    index = NearestNeighbors(n_neighbors=count, algorithm="brute", n_jobs=1).fit(codes.numpy())
    distances, indices = index.kneighbors(queries.numpy())
    return torch.from_numpy(indices.astype(np.int64)), torch.from_numpy(distances.astype(np.float32))


def fuzzy_graph(codes: Float[Tensor, "N D"], count: int) -> Any:
    """Strength of every pair that is near, a symmetric sparse matrix (N, N): a + b - ab of both directions.

    `count` nearest codes are looked at, each code itself among them.
    """
    from scipy.sparse import csr_matrix

    indices, distances = neighbours(codes, codes, count)
    rows = torch.arange(len(codes))[:, None].expand_as(indices)
    weights = strengths(distances, linked=True).masked_fill(indices == rows, 0.0)
    one_way = csr_matrix((weights.flatten().numpy(), (rows.flatten().numpy(), indices.flatten().numpy())))
    one_way.resize((len(codes), len(codes)))
    both = (one_way + one_way.T - one_way.multiply(one_way.T)).tocsr()
    both.eliminate_zeros()
    return both
