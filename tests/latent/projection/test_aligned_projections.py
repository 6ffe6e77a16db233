"""Which moments a film is made of; that the maps themselves are aligned is held in test_projection.py."""

import pytest
import torch
from torch import Tensor

from bnvae.latent.projection import aligned_projections
from bnvae.latent.projection.aligned_projections import film
from bnvae.latent.projection.fit_projection import Projection, check_codes, project
from tests.latent.projection.test_fit_projection import clusters, draw, needs_umap, umap_warns


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    def aligned(models: list[Tensor], *, seed: int) -> list[Projection]:
        assert all(bool(check_codes(codes[torch.isfinite(codes).all(1)]).all()) for codes in models)
        return [project(codes, "pca") for codes in models]

    monkeypatch.setattr(aligned_projections, "aligned", aligned)


@pytest.mark.usefixtures("pretended")
def test_moments_that_cannot_be_mapped_are_left_out_of_the_film() -> None:
    collapsed, diverged = torch.ones(30, 3), torch.full((30, 3), torch.nan)

    assert list(film([collapsed, draw(30, 3), draw(30, 3, seed=1), diverged])) == [1, 2]


@pytest.mark.usefixtures("pretended")
def test_a_few_codes_that_are_not_finite_leave_a_moment_in_the_film() -> None:
    few = draw(30, 3)
    few[:4] = torch.inf

    assert list(film([few, draw(30, 3, seed=1)])) == [0, 1]


@pytest.mark.usefixtures("pretended")
def test_a_moment_with_few_finite_codes_goes_so_that_the_other_examples_stay() -> None:
    mostly_lost = draw(30, 3)
    mostly_lost[6:] = torch.nan

    assert list(film([draw(30, 3, seed=1), mostly_lost, draw(30, 3, seed=2)])) == [0, 2]


@pytest.mark.usefixtures("pretended")
@pytest.mark.parametrize(
    "moments",
    [[], [draw(30, 3)], [draw(30, 3), torch.ones(30, 3)], [draw(3, 3)] * 5, [torch.full((9, 2), torch.nan)] * 3],
    ids=["none", "one", "one that counts", "three examples", "nothing finite"],
)
def test_there_is_no_film_of_less_than_two_moments(moments: list[Tensor]) -> None:
    assert film(moments) == {}


@needs_umap
@umap_warns
def test_an_example_keeps_its_place_from_moment_to_moment() -> None:
    codes, of = clusters()

    found = film([codes + 0.02 * draw(60, 5, seed=seed) for seed in range(5)])

    first = found[0].points
    centres = torch.stack([first[of == which].mean(0) for which in range(3)])
    for one in found.values():
        assert (torch.cdist(one.points, centres).argmin(1) == of).all()
