"""What tells a selection apart, by hand."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from bnvae.latent.selection import difference, separation


def test_the_direction_is_the_difference_of_means_and_the_effect_is_in_pooled_deviations() -> None:
    codes = torch.tensor([[1.0, 5.0], [3.0, 5.0], [-1.0, 5.0], [-3.0, 5.0], [torch.nan, 0.0]])

    found = difference(codes, torch.tensor([0, 1]))

    assert found.mean.tolist() == [2, 5]
    assert found.direction.tolist() == [4, 0]
    # Squares within: 1 + 1 + 1 + 1 over 4 - 2, so s = sqrt 2.
    assert found.effect.tolist() == pytest.approx([4 / 2**0.5, 0])
    assert found.order == [0, 1]
    assert (found.chosen, found.rest) == (2, 2)


def test_all_examples_differ_from_no_others_in_nothing() -> None:
    found = difference(torch.tensor([[1.0], [3.0]]), torch.tensor([0, 1]))

    assert (found.mean.tolist(), found.direction.tolist(), found.effect.tolist()) == ([2], [0], [0])


def test_a_selection_without_a_finite_code_is_refused() -> None:
    with pytest.raises(ValueError, match="no example with a finite code"):
        difference(torch.tensor([[torch.nan], [1.0]]), torch.tensor([0]))
    with pytest.raises(ValueError, match="no example with a finite code"):
        difference(torch.ones(3, 2), torch.tensor([], dtype=torch.long))


def test_the_separation_is_the_divergence_of_two_posteriors_at_the_two_middles() -> None:
    random = torch.Generator().manual_seed(0)
    codes, std = torch.randn(40, 3, generator=random), 0.5 + torch.rand(1, 3, generator=random)

    found = difference(codes, torch.arange(10))

    chosen, rest = (Normal(part.mean(0), std[0]) for part in (codes[:10], codes[10:]))
    expected = kl_divergence(chosen, rest).sum().item()
    assert separation(found, std.expand(40, 3)) == pytest.approx(expected, rel=1e-4)


def test_means_that_are_told_apart_without_fail_are_one_to_wide_posteriors() -> None:
    codes = torch.cat([torch.full((50, 4), 0.01), torch.full((50, 4), -0.01)])
    codes += 1e-4 * torch.randn(100, 4, generator=torch.Generator().manual_seed(0))

    found = difference(codes, torch.arange(50))

    assert found.effect.abs().min() > 100
    # 4 dimensions of 0.02^2 / 2 at std 1; at std 0.007 they are 20,000 times that.
    assert separation(found, torch.ones(100, 4)) == pytest.approx(0.0008, rel=0.05)
    assert separation(found, torch.full((100, 4), 0.007)) > 10
