"""Standard errors against the spread over data sets drawn anew, and against leaving out each example in turn."""

import math
from collections.abc import Callable

import pytest
import torch

from bnvae.data.random_subset import random_subset
from bnvae.metrics.estimators.aggregated_posterior import holes
from bnvae.metrics.factors.factor_information import MOST_EXAMPLES
from bnvae.metrics.factors.factor_scores import factor_gaps
from bnvae.metrics.test_set import posterior_figures
from bnvae.nn.posterior import Posterior
from bnvae.training.evaluation import draw_codes
from bnvae.training.mutual_information import mutual_information

DATA_SETS = 200
"""a deviation of so many values is known to 5 %"""


def population(count: int, seed: int) -> Posterior:
    """Posteriors of examples drawn anew: two clusters, means and widths that vary."""
    generator = torch.Generator().manual_seed(seed)
    side = torch.where(torch.rand(count, 1, generator=generator) < 0.3, -1.5, 0.7)
    mean = side + 0.6 * torch.randn(count, 2, generator=generator)
    return Posterior(mean, 0.3 + 0.4 * torch.rand(count, 2, generator=generator))


def ratio(estimate: Callable[[int], tuple[float, float | None]]) -> float:
    """Mean of the standard errors that an estimate reports over the deviation of its values, over data sets."""
    found = [estimate(seed) for seed in range(DATA_SETS)]
    values = torch.tensor([value for value, _ in found], dtype=torch.float64)
    errors = torch.tensor([error or math.nan for _, error in found], dtype=torch.float64)
    return (errors.mean() / values.std(correction=1)).item()


@pytest.mark.parametrize("name", ["mutual_information", "marginal_kl"])
def test_the_error_of_an_information_is_its_spread_over_data_sets(name: str) -> None:
    def estimate(seed: int) -> tuple[float, float | None]:
        posterior = population(300, seed)
        figures = posterior_figures(posterior, draw_codes(posterior, seed))
        return figures[name], figures[f"{name}_standard_error"]

    assert ratio(estimate) == pytest.approx(1, abs=0.15)  # three times what 200 data sets tell


def test_the_error_of_an_information_is_the_jackknifes() -> None:
    count = 120
    posterior = population(count, 0)
    codes = draw_codes(posterior, 0)
    left_out = []
    for row in range(count):
        kept = torch.arange(count) != row
        left_out.append(mutual_information(Posterior(posterior.mean[kept], posterior.std[kept]), codes[kept]))
    found = torch.tensor(left_out, dtype=torch.float64)
    jackknife = math.sqrt((count - 1) / count * (found - found.mean()).square().sum().item())
    error = posterior_figures(posterior, codes)["mutual_information_standard_error"]
    assert error == pytest.approx(jackknife, rel=0.05)  # the two differ by 1/N of themselves


def test_the_error_of_the_share_of_holes_is_its_spread_over_data_sets_and_draws() -> None:
    def estimate(seed: int) -> tuple[float, float | None]:
        wide = population(200, seed)
        posterior = Posterior(wide.mean, 0.3 * wide.std)  # a fifth of the prior is in holes
        found = holes(posterior, torch.randn(500, 2, generator=torch.Generator().manual_seed(10_000 + seed)))
        return found.share, found.standard_error

    assert ratio(estimate) == pytest.approx(1, abs=0.2)  # that of twenty groups is itself off by a sixth


def test_the_error_of_the_gap_is_its_spread_over_data_sets() -> None:
    def estimate(seed: int) -> tuple[float, float | None]:
        posterior = population(600, seed)
        # Both factors are told best by the first dimension, by a clear margin.
        generator = torch.Generator().manual_seed(20_000 + seed)
        mood = (posterior.mean[:, 0] + 0.5 * torch.randn(600, generator=generator) > 0).long()
        who = (posterior.mean[:, 0] - 0.5 * torch.randn(600, generator=generator)).float()
        gaps = factor_gaps(posterior, {"mood": mood, "who": who})
        return gaps.mutual_information_gap or 0.0, gaps.mutual_information_gap_standard_error

    assert ratio(estimate) == pytest.approx(1, abs=0.15)


def test_the_error_of_a_gap_is_of_the_examples_behind_the_gap() -> None:
    # Sorted by the factor: the first rows have one value alone, and an error of 0.
    posterior = population(MOST_EXAMPLES + 1_000, 0)
    order = torch.argsort(posterior.mean[:, 0])
    posterior = Posterior(posterior.mean[order], posterior.std[order])
    factor = (torch.arange(len(order)) >= MOST_EXAMPLES).long()
    chosen = random_subset(len(order), MOST_EXAMPLES)
    part = Posterior(posterior.mean[chosen], posterior.std[chosen])
    found = factor_gaps(posterior, {"side": factor}).each["side"]
    same = factor_gaps(part, {"side": factor[chosen]}).each["side"]
    assert found.gap == pytest.approx(same.gap)
    assert found.gap_standard_error == pytest.approx(same.gap_standard_error)
    assert (found.gap_standard_error or 0) > 0.001


def test_one_example_has_no_standard_error() -> None:
    posterior = population(1, 0)
    figures = posterior_figures(posterior, draw_codes(posterior, 0))
    assert figures["mutual_information_standard_error"] is None
    assert holes(posterior, torch.randn(50, 2)).standard_error is None
    assert factor_gaps(posterior, {"mood": torch.zeros(1)}).mutual_information_gap is None
