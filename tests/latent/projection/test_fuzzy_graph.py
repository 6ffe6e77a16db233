"""Strengths of neighbours against their definition and against umap-learn."""

import math

import pytest
import torch

from bnvae.latent.projection.fuzzy_graph import fuzzy_graph, neighbours, strengths
from tests.latent.projection.test_fit_projection import draw, needs_umap, umap_warns


def test_all_but_the_first_strength_sum_to_the_log_of_their_number() -> None:
    distances = draw(50, 15).abs().sort(1).values

    for linked in (True, False):
        sums = strengths(distances, linked=linked)[:, 1:].sum(1)
        assert sums.numpy() == pytest.approx(math.log2(15), abs=1e-3)  # umap-learn stops its search at 1e-5


def test_the_nearest_other_code_is_linked_in_full_while_a_map_is_made() -> None:
    distances = torch.tensor([[0.0, 0.5, 0.7, 2.0]])

    assert strengths(distances, linked=True)[0, 1] == 1
    assert strengths(distances, linked=False)[0, 1] < 1


def test_a_strength_falls_exponentially_beyond_the_nearest() -> None:
    found = strengths(torch.tensor([[0.0, 1.0, 2.0, 3.0]]), linked=True)[0]

    assert (found[2] / found[1]).item() == pytest.approx((found[3] / found[2]).item(), rel=1e-4)


def test_equal_codes_are_one_code_to_each_other() -> None:
    assert (strengths(torch.zeros(3, 5), linked=True) == 1).all()


def test_the_graph_is_symmetric_with_no_code_its_own_neighbour() -> None:
    graph = fuzzy_graph(draw(80, 4), 10)

    assert abs(graph - graph.T).max() == 0
    assert graph.diagonal().max() == 0
    assert graph.max() <= 1


def test_neighbours_are_those_of_all_distances() -> None:
    queries, codes = draw(20, 3, seed=1), draw(90, 3)

    indices, distances = neighbours(queries, codes, 7)

    nearest = torch.cdist(queries.double(), codes.double()).topk(7, largest=False)
    assert torch.equal(indices, nearest.indices)
    assert distances.numpy() == pytest.approx(nearest.values.numpy(), abs=1e-5)


@needs_umap
@umap_warns
def test_the_graph_is_umap_learns() -> None:
    import numpy as np
    from umap.umap_ import fuzzy_simplicial_set

    codes = draw(300, 6)
    indices, distances = neighbours(codes, codes, 15)
    theirs, _, _ = fuzzy_simplicial_set(
        codes.numpy(), 15, np.random.RandomState(0), "euclidean",
        knn_indices=indices.int().numpy(), knn_dists=distances.numpy(),
    )  # fmt: skip

    assert abs(fuzzy_graph(codes, 15) - theirs).max() == pytest.approx(0, abs=1e-4)  # both search sigma to 1e-5
