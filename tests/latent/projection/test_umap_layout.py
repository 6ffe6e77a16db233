"""UMAP's forces against derivatives, its tables against its forces, its maps and places against umap-learn's."""

import numpy as np
import pytest
import torch

from bnvae.latent.neighbours import fidelity
from bnvae.latent.projection.fit_projection import project
from bnvae.latent.projection.umap_layout import EXPONENT, SPREAD, _tables, placed, pull, push, settled
from bnvae.latent.projection.umap_transform import settled_place
from tests.latent.projection.test_fit_projection import clusters, draw, needs_umap, umap_warns


def swarm(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Eight overlapping clouds in six dimensions, and which one each code is of."""
    of = torch.arange(count) % 8
    return draw(count, 6) + 3 * draw(8, 6, seed=5)[of], of


def test_forces_are_the_derivatives_of_the_logarithms_of_being_linked_and_not() -> None:
    apart = torch.tensor([[0.3, 0.4], [1.5, -2.0], [-6.0, 8.0]], dtype=torch.float64, requires_grad=True)
    squared = apart.square().sum(1)
    linked = 1 / (1 + SPREAD * squared**EXPONENT)

    (to_linked,) = torch.autograd.grad(linked.log().sum(), apart, retain_graph=True)
    (to_apart,) = torch.autograd.grad((1 - linked).log().sum(), apart)

    assert (pull(squared)[:, None] * apart).detach().numpy() == pytest.approx(to_linked.numpy(), rel=1e-9)
    # umap-learn adds 0.001 to the squared distance, here 0.25 or more, so that no repulsion is infinite.
    assert (push(squared)[:, None] * apart).detach().numpy() == pytest.approx(to_apart.numpy(), rel=5e-3)


def test_tables_hold_the_forces_in_the_middle_of_their_cells() -> None:
    pulls, pushes = _tables()

    one = 40 << 7  # the cell that begins at a squared distance of 1, 40 powers of two from the first
    middle = torch.tensor(1 + 2.0**-8)
    assert (pulls[one], pushes[one]) == pytest.approx((pull(middle).item(), push(middle).item()), rel=1e-6)
    assert np.abs(np.diff(pulls[one:]) / pulls[one:-1]).max() < 0.015  # from one cell to the next


def test_codes_put_on_a_finished_map_land_in_their_cluster() -> None:
    codes, of = clusters(90)
    fitted = project(codes[:60], "umap").points
    centres = torch.stack([fitted[of[:60] == which].mean(0) for which in range(3)])

    assert (torch.cdist(placed(codes[60:], codes[:60], fitted, count=15, seed=0), centres).argmin(1) == of[60:]).all()
    assert (torch.cdist(settled_place(codes[60:76], codes[:60], fitted), centres).argmin(1) == of[60:76]).all()


def test_settling_moves_codes_towards_their_neighbours_and_leaves_the_start_as_it_was() -> None:
    codes, of = clusters()
    start = 5 * draw(60, 2, seed=3)
    before = start.clone()

    found = settled(codes, start, count=15, epochs=30, rate=0.25, seed=0)

    def spread(points: torch.Tensor) -> float:
        return float(sum(points[of == which].std() for which in range(3)))

    assert spread(found) < 0.7 * spread(start)
    assert torch.equal(start, before)


def test_the_place_of_an_example_is_its_own_point_and_does_not_depend_on_who_else_is_asked() -> None:
    codes, _ = swarm(200)
    points = project(codes, "umap").points
    queries = torch.cat([codes[3:4], draw(4, 6, seed=8)])

    together = settled_place(queries, codes, points)

    assert torch.equal(together[0], points[3])
    alone = torch.cat([settled_place(query[None], codes, points) for query in queries])
    assert together.numpy() == pytest.approx(alone.numpy(), abs=1e-4)


def test_points_that_are_not_finite_pull_nothing() -> None:
    codes, _ = swarm(100)
    points = project(codes, "umap").points
    more = torch.cat([codes, codes[:5], torch.full((1, 6), torch.nan)])
    unplaced = torch.cat([points, torch.full((5, 2), torch.nan), torch.zeros(1, 2)])

    query = draw(2, 6, seed=4)
    assert torch.equal(settled_place(query, more, unplaced), settled_place(query, codes, points))


def test_codes_without_a_place_are_refused_in_words() -> None:
    codes, points = draw(20, 3), draw(20, 2)

    with pytest.raises(ValueError, match="queries has 17 codes: place at most 16 at once"):
        settled_place(draw(17, 3), codes, points)
    with pytest.raises(ValueError, match="not finite"):
        settled_place(torch.full((1, 3), torch.inf), codes, points)
    with pytest.raises(ValueError, match="no place that is finite"):
        settled_place(draw(1, 3), codes, torch.full((20, 2), torch.nan))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_map_of_hardly_any_points_has_a_place_for_every_code(count: int) -> None:
    found = settled_place(draw(2, 3, seed=1), draw(count, 3), draw(count, 2))

    assert torch.isfinite(found).all()


@needs_umap
@umap_warns
def test_a_map_is_as_trustworthy_as_umap_learns() -> None:
    from umap import UMAP

    codes, _ = swarm(1500)
    theirs = [fidelity(codes, torch.from_numpy(UMAP().fit_transform(codes.numpy()))) for _ in range(3)]
    ours = [project(codes, "umap", seed=seed).fidelity for seed in range(3)]

    # Maps of one method differ by some 0.002 from seed to seed here.
    assert sum(found.trustworthiness for found in ours if found) / 3 == pytest.approx(
        sum(found.trustworthiness for found in theirs if found) / 3, abs=0.004
    )


@needs_umap
@umap_warns
def test_places_are_where_umap_learns_transform_puts_them() -> None:
    from umap import UMAP

    codes, _ = swarm(1500)
    model = UMAP(random_state=0, n_jobs=1).fit(codes[:1484].numpy())
    theirs = torch.from_numpy(model.transform(codes[1484:].numpy()))
    points = torch.from_numpy(model.embedding_)

    ours = settled_place(codes[1484:], codes[:1484], points)

    apart = (ours - theirs).norm(dim=1).median() / points.std(0).norm()
    assert apart < 0.05
