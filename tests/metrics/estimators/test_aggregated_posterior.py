"""Densities against torch.distributions, and holes where the prior is alone."""

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from bnvae.metrics.estimators.aggregated_posterior import in_holes, log_aggregated_posterior, log_prior
from bnvae.nn.posterior import Posterior


def draw(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))


def test_the_aggregated_posterior_is_the_mixture_of_torch() -> None:
    mean, std, codes = draw(40), draw(40, 1).exp(), draw(7, 2)
    mixture = MixtureSameFamily(Categorical(torch.ones(40)), Independent(Normal(mean, std), 1))

    theirs = mixture.log_prob(codes)  # type: ignore[no-untyped-call]
    # 1e-4: torch's is in fp32.
    assert log_aggregated_posterior(codes, Posterior(mean, std)).numpy() == pytest.approx(theirs.numpy(), abs=1e-4)


def test_the_prior_is_the_normal_of_torch() -> None:
    theirs = Normal(0, 1).log_prob(draw(5)).sum(1)  # type: ignore[no-untyped-call]
    assert log_prior(draw(5)).numpy() == pytest.approx(theirs.numpy(), abs=1e-5)


def test_posteriors_that_are_the_prior_leave_no_hole_and_one_narrow_one_leaves_a_hole_everywhere_else() -> None:
    collapsed = Posterior(torch.zeros(9, 3), torch.ones(9, 3))
    narrow = Posterior(torch.zeros(1, 3), torch.full((1, 3), 0.1))

    assert not in_holes(draw(50), collapsed).any()
    assert in_holes(torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), narrow).tolist() == [False, True]
