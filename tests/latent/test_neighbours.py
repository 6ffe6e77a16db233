"""Neighbours and the figures of a map, against scikit-learn's and by hand."""

import pytest
import torch
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from bnvae.latent.neighbours import code_at, fidelity, nearest, place


def draw(count: int, dimensions: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))


def test_the_nearest_codes_are_scikit_learns() -> None:
    codes, queries = draw(700, 5), draw(300, 5, seed=1)

    indices, distances = nearest(queries, codes, 7)

    theirs, where = NearestNeighbors(n_neighbors=7, algorithm="brute").fit(codes.numpy()).kneighbors(queries.numpy())
    assert (indices.numpy() == where).all()
    assert distances.numpy() == pytest.approx(theirs, abs=1e-6)


def test_fewer_codes_than_asked_for_are_all_found_and_broken_ones_never() -> None:
    codes = torch.tensor([[0.0], [torch.nan], [2.0], [torch.inf]])

    indices, distances = nearest(torch.tensor([[1.5]]), codes, 10)

    assert indices.tolist() == [[2, 0]]
    assert distances.tolist() == [[0.5, 1.5]]


@pytest.mark.parametrize("seed", [0, 1])
def test_trustworthiness_over_all_examples_is_scikit_learns(seed: int) -> None:
    codes = draw(400, 6, seed)
    points = codes[:, :2] + 0.3 * draw(400, 2, seed + 10)

    found = fidelity(codes, points, examples=400)

    assert found is not None
    # 1e-12: sums of whole numbers, divided once.
    assert found.trustworthiness == pytest.approx(
        trustworthiness(codes.double(), points.double(), n_neighbors=15), abs=1e-12
    )
    assert (found.neighbours, found.examples, found.of) == (15, 400, 400)


def test_the_share_of_kept_neighbours_is_the_overlap_of_scikit_learns() -> None:
    codes = draw(300, 4)
    points = codes[:, :2]

    def neighbours(values: torch.Tensor) -> list[set[int]]:
        found = NearestNeighbors(n_neighbors=15, algorithm="brute").fit(values.double().numpy()).kneighbors()[1]
        return [set(row) for row in found.tolist()]

    overlap = sum(len(a & b) for a, b in zip(neighbours(codes), neighbours(points), strict=True)) / (300 * 15)
    found = fidelity(codes, points, examples=300)

    assert found is not None
    assert found.kept == pytest.approx(overlap, abs=1e-12)


def test_a_sample_of_the_examples_estimates_the_figures_of_all() -> None:
    codes = draw(2_000, 6)
    points = codes[:, :2]
    every, some = fidelity(codes, points, examples=2_000), fidelity(codes, points, examples=500)

    assert every is not None
    assert some is not None
    assert some.examples == 500
    # An example's share has a standard deviation below 0.15; 500 of them 0.007.
    assert some.trustworthiness == pytest.approx(every.trustworthiness, abs=0.02)
    assert some.kept == pytest.approx(every.kept, abs=0.02)


def test_a_map_that_is_the_codes_is_perfect() -> None:
    found = fidelity(draw(100, 2), draw(100, 2) * 3)

    assert found is not None
    assert (found.trustworthiness, found.kept) == (1, 1)


def test_equal_codes_do_not_make_a_trustworthy_map() -> None:
    found = fidelity(torch.zeros(200, 3), draw(200, 2))

    assert found is not None
    # Every rank is the middle of 199, which is 100: 1 - 2 / (15 (400 - 46)) * 15 * 85.
    assert found.trustworthiness == pytest.approx(1 - 170 / 354)
    assert found.kept == 0


def test_codes_that_are_not_finite_are_left_out_of_the_figures() -> None:
    codes, broken = draw(50, 3), torch.full((4, 3), torch.nan)

    found = fidelity(torch.cat([codes, broken]), torch.cat([codes[:, :2], torch.zeros(4, 2)]))

    assert found == fidelity(codes, codes[:, :2])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_points_have_no_figures(count: int) -> None:
    assert fidelity(draw(count, 3), draw(count, 2)) is None


def test_a_code_of_the_map_is_placed_on_its_own_point() -> None:
    codes, points = draw(60, 4), draw(60, 2, seed=3)

    assert place(codes[:5], codes, points).numpy() == pytest.approx(points[:5].numpy(), abs=1e-5)


def test_a_code_between_two_is_placed_between_them_by_distance() -> None:
    codes, points = torch.tensor([[0.0], [4.0]]), torch.tensor([[0.0, 0.0], [8.0, 4.0]])

    # Distances 1 and 3: weights 3/4 and 1/4.
    assert place(torch.tensor([[1.0]]), codes, points).tolist() == [[2, 1]]


def test_the_code_at_a_point_is_that_points_and_between_two_it_is_their_mean() -> None:
    codes, points = torch.tensor([[1.0, 2.0], [3.0, 6.0]]), torch.tensor([[0.0, 0.0], [2.0, 0.0]])

    assert code_at(torch.tensor([0.0, 0.0]), codes, points).tolist() == pytest.approx([1, 2])
    assert code_at(torch.tensor([1.0, 5.0]), codes, points).tolist() == pytest.approx([2, 4])
