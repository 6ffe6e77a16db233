"""Maps against scikit-learn and closed forms. umap-learn compiles for a minute: it runs where it is asked for."""

import os
import subprocess
import sys

import pytest
import torch
from sklearn.decomposition import PCA

from bnvae.latent.projection import fit_projection
from bnvae.latent.projection.fit_projection import aligned, check_codes, principal_axes, project, turned_onto

needs_umap = pytest.mark.skipif(
    os.environ.get("BNVAE_TEST_UMAP") != "1", reason="umap-learn compiles for a minute: set BNVAE_TEST_UMAP=1"
)
umap_warns = pytest.mark.filterwarnings("ignore")
"""of umap-learn itself, which misses tensorflow, and for a seed has one thread"""


def draw(count: int, dimensions: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))


def clusters(count: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    """Three far clusters in five dimensions, and which one each code is of."""
    of = torch.arange(count) % 3
    return draw(count, 5) * 0.1 + 10 * torch.eye(5)[of], of


@pytest.mark.parametrize("dimensions", [2, 3])
def test_principal_axes_are_scikit_learns(dimensions: int) -> None:
    codes = draw(500, 6) * torch.tensor([1, 5, 2, 0.5, 3, 0.1]) + 7

    axes = principal_axes(codes, dimensions)

    theirs = PCA(dimensions).fit(codes.double().numpy())
    # A direction has no sign of its own; 1e-4 for points of size 10 in fp32.
    assert axes.points(codes).abs().numpy() == pytest.approx(abs(theirs.transform(codes.double().numpy())), abs=1e-4)
    assert axes.explained.numpy() == pytest.approx(theirs.explained_variance_ratio_, abs=1e-6)
    assert (axes.directions.gather(1, axes.directions.abs().argmax(1, keepdim=True)) > 0).all()


def test_a_point_in_the_plane_of_the_axes_comes_back_as_it_was() -> None:
    axes, points = principal_axes(draw(50, 4)), draw(7, 2)

    assert axes.points(axes.codes(points)).numpy() == pytest.approx(points.numpy(), abs=1e-5)


def test_codes_of_one_dimension_lie_on_a_line() -> None:
    points = project(draw(20, 1), "pca").points

    assert points.shape == (20, 2)
    assert (points[:, 1] == 0).all()


def test_equal_codes_lie_in_one_place_and_a_single_one_at_the_centre() -> None:
    for codes in (torch.full((9, 3), 2.5), draw(1, 3)):
        points = project(codes, "pca").points
        assert points.numpy() == pytest.approx(0, abs=1e-6)


def test_a_code_that_is_not_finite_gets_no_point_and_moves_no_other() -> None:
    codes = draw(30, 3)
    broken = torch.cat([codes, torch.tensor([[torch.nan, 0, 0], [torch.inf, 0, 0]])])

    found = project(broken, "pca")

    assert torch.equal(found.points[:30], project(codes, "pca").points)
    assert not torch.isfinite(found.points[30:]).all(1).any()
    assert found.fitted == 30


def test_no_codes_at_all_make_an_empty_map() -> None:
    found = project(torch.empty(0, 4), "pca")

    assert found.points.shape == (0, 2)
    assert found.fidelity is None


@pytest.mark.parametrize("method", ["umap", "tsne"])
def test_codes_without_a_map_are_refused_in_words(method: str) -> None:
    with pytest.raises(ValueError, match="3 finite rows: this map needs at least 4"):
        project(torch.cat([draw(3, 2), torch.full((9, 2), torch.nan)]), method)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="all are equal"):
        project(torch.ones(40, 2), method)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "dimensions"),
    [("umap", 2), ("umap", 3), ("tsne", 2)],
)
def test_far_clusters_stay_clusters_and_the_seed_repeats_the_map(method: str, dimensions: int) -> None:
    codes, of = clusters()

    found = project(codes, method, dimensions=dimensions, seed=4)  # type: ignore[arg-type]

    near = torch.cdist(found.points, found.points).topk(6, largest=False).indices
    assert (of[near] == of[:, None]).all()
    assert found.fidelity is not None
    assert found.fidelity.trustworthiness > 0.9
    assert found.parameters["seed"] == 4
    assert torch.equal(project(codes, method, dimensions=dimensions, seed=4).points, found.points)  # type: ignore[arg-type]


def test_fewer_points_than_neighbours_are_mapped_with_those_there_are() -> None:
    found = project(draw(6, 3), "umap")

    assert found.parameters["neighbours"] == 5
    assert torch.isfinite(found.points).all()


def test_a_large_set_is_fitted_on_a_sample_and_the_rest_lands_in_its_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fit_projection.FITTED, "umap", 45)
    codes, of = clusters()

    found = project(codes, "umap")

    assert found.fitted == 45
    centres = torch.stack([found.points[of == which].median(0).values for which in range(3)])
    assert (torch.cdist(found.points, centres).argmin(1) == of).all()


@needs_umap
@pytest.mark.parametrize("most", [60, 45])
def test_aligned_maps_keep_each_example_in_its_place_though_the_codes_are_turned(most: int) -> None:
    codes, of = clusters()
    turned = torch.linalg.qr(draw(5, 5, seed=2)).Q

    first, second = aligned([codes, codes @ turned + 3], most=most)

    centres = torch.stack([first.points[of == which].mean(0) for which in range(3)])
    assert (torch.cdist(second.points, centres).argmin(1) == of).all()


@pytest.mark.parametrize(
    "codes",
    [
        draw(40, 1),
        torch.cat([torch.ones(30, 3), torch.zeros(10, 3)]),
        draw(4, 2),
        draw(50, 3) * 1e-8,
        draw(50, 3) * 1e8,
    ],
    ids=["one dimension", "two places", "four codes", "tiny", "huge"],
)
def test_odd_codes_get_a_finite_umap(codes: torch.Tensor) -> None:
    for dimensions in (2, 3):
        points = project(codes, "umap", dimensions=dimensions).points

        assert torch.isfinite(points).all()
        assert (points.std(0) > 0).all()


def test_aligned_maps_of_other_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="models have 5, 6 examples: give two or more with the same examples"):
        aligned([draw(5, 2), draw(6, 2)])
    with pytest.raises(ValueError, match="models have 5 examples"):
        aligned([draw(5, 2)])


def test_a_map_turned_onto_another_lies_on_it_if_they_differ_by_a_turn_alone() -> None:
    points = draw(40, 2)
    mirror = torch.tensor([[0.0, 1.0], [1.0, 0.0]])

    assert turned_onto(points @ mirror * 3 + 5, points).numpy() == pytest.approx(points.numpy(), abs=1e-5)
    assert torch.equal(turned_onto(torch.zeros(4, 2), torch.zeros(4, 2)), torch.zeros(4, 2))


def test_a_map_turned_onto_an_unrelated_one_is_as_wide_as_that() -> None:
    turned, frame = turned_onto(draw(400, 2) * 7, draw(400, 2, seed=9)), draw(400, 2, seed=9)

    assert turned.std().item() == pytest.approx(frame.std().item(), rel=1e-3)


def test_finite_rows_are_told_from_others() -> None:
    codes = draw(6, 2)
    codes[2, 1] = torch.inf

    assert check_codes(codes).tolist() == [True, True, False, True, True, True]


def test_importing_the_maps_imports_neither_umap_nor_its_compiler() -> None:
    program = (
        "import sys, bnvae.latent.projection.fit_projection\n"
        "print([name for name in ('umap', 'numba', 'sklearn', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
