"""Mutual information, rate and marginal KL against closed forms and a brute-force mixture."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from bnvae import Posterior
from bnvae.config.schema import RunConfig
from bnvae.data import load_dataset
from bnvae.metrics.test_set import evaluate, posterior_figures
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import active_units, distortions, draw_codes, encode, recompute_statistics
from bnvae.training.mutual_information import mutual_information, standard_error


def random_posterior(count: int, dimensions: int, spread: float = 1.0) -> Posterior:
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(count, dimensions, generator=generator) * spread
    return Posterior(mean, torch.rand(count, dimensions, generator=generator) + 0.1)


def test_identical_posteriors_tell_nothing() -> None:
    posterior = Posterior(torch.full((700, 3), 0.4), torch.full((700, 3), 0.8))
    assert mutual_information(posterior, draw_codes(posterior, 0)) == pytest.approx(0, abs=1e-9)


def test_posteriors_far_apart_tell_ln_n_and_no_more() -> None:
    posterior = Posterior(torch.arange(700.0)[:, None] * 100, torch.ones(700, 1))
    assert mutual_information(posterior, draw_codes(posterior, 0)) == pytest.approx(math.log(700), abs=1e-9)


@pytest.mark.parametrize("spread", [0.1, 1.0, 5.0])
def test_mutual_information_is_that_of_a_brute_force_mixture(spread: float) -> None:
    posterior = random_posterior(60, 4, spread)
    codes = draw_codes(posterior, 1)
    each = Independent(Normal(posterior.mean.double(), posterior.std.double()), 1)
    mixture = MixtureSameFamily(Categorical(torch.ones(60)), each)
    wanted = (each.log_prob(codes.double()) - mixture.log_prob(codes.double())).mean().item()  # type: ignore[no-untyped-call]
    assert mutual_information(posterior, codes) == pytest.approx(wanted, abs=1e-6)


def test_chunks_do_not_change_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    posterior = random_posterior(60, 4)
    codes = draw_codes(posterior, 1)
    whole = mutual_information(posterior, codes)
    monkeypatch.setattr("bnvae.training.mutual_information.MIXTURE_ROWS", 7)
    assert mutual_information(posterior, codes) == pytest.approx(whole, abs=1e-12)


def test_a_vanishing_std_keeps_the_estimate_below_its_cap_and_above_nothing() -> None:
    posterior = random_posterior(60, 4)
    posterior.std[::3, 1] = 0.0
    information = mutual_information(posterior, draw_codes(posterior, 1))
    assert 0 < information <= math.log(60)


def test_posteriors_that_equal_the_prior_have_no_rate_information_or_marginal_kl() -> None:
    posterior = Posterior(torch.zeros(100, 3), torch.ones(100, 3))
    rate = posterior.kl_per_dimension().sum(1).mean().item()
    information = mutual_information(posterior, draw_codes(posterior, 0))
    assert (rate, information) == pytest.approx((0, 0), abs=1e-9)


def test_active_units_are_counted_from_a_variance_of_one_hundredth() -> None:
    assert active_units(torch.tensor([0.0, 0.0099, 0.0101, 1.0])) == 2


def test_an_evaluation_adds_up(tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    model = VAE.build("mlp", tiny.model, dataset.shape, seed=0)
    recompute_statistics(model, dataset.training.examples)
    figures = evaluate(model, dataset.training.examples)
    assert figures.elbo == pytest.approx(-(figures.distortion + figures.rate))
    assert figures.rate == pytest.approx(sum(figures.kl_per_dimension))
    assert figures.rate == pytest.approx(figures.mutual_information + figures.marginal_kl, abs=1e-5)
    assert 0 <= figures.mutual_information <= math.log(figures.mutual_information_examples)
    assert figures.second_moment_per_dimension == pytest.approx([1] * 4, abs=1e-3)
    assert (figures.examples, figures.mutual_information_examples) == (128, 128)
    assert evaluate(model, dataset.training.examples) == figures


def test_the_standard_error_is_that_of_a_mean() -> None:
    assert standard_error(torch.tensor([1.0, 2.0, 3.0, 4.0])) == pytest.approx((5 / 3) ** 0.5 / 2)
    assert standard_error(torch.tensor([1.0])) is None


def test_an_elbo_and_its_terms_have_the_standard_errors_of_their_examples(tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    model = VAE.build("mlp", tiny.model, dataset.shape, seed=0)
    recompute_statistics(model, dataset.training.examples)
    examples = dataset.test.examples[:40]
    figures = evaluate(model, examples)

    posterior = encode(model, examples)
    costs = distortions(model, examples, draw_codes(posterior, 0)).double().numpy()
    rates = posterior.kl_per_dimension().double().sum(1).numpy()

    def wanted(values: np.ndarray) -> object:
        return pytest.approx(values.std(ddof=1) / 40**0.5)

    assert figures.distortion_standard_error == wanted(costs)
    assert figures.rate_standard_error == wanted(rates)
    assert figures.elbo_standard_error == wanted(costs + rates)
    # They go together here, so that neither sum nor root of the sum of squares of the two would do.
    assert figures.elbo_standard_error != pytest.approx(np.hypot(costs.std(ddof=1), rates.std(ddof=1)) / 40**0.5)


def test_one_example_has_an_elbo_without_a_standard_error(tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    model = VAE.build("mlp", tiny.model, dataset.shape, seed=0)
    figures = evaluate(model, dataset.test.examples[:1])
    assert math.isfinite(figures.elbo)
    assert figures.elbo_standard_error is figures.distortion_standard_error is figures.rate_standard_error is None


def test_posteriors_alone_have_a_rate_with_its_error() -> None:
    """Two examples one dimension wide, of 0 and of 1/2 nat (a mean of 1): 1/4 with an error of 1/4."""
    posterior = Posterior(torch.tensor([[0.0], [1.0]]), torch.ones(2, 1))
    figures = posterior_figures(posterior, draw_codes(posterior, 0))
    assert (figures["rate"], figures["rate_standard_error"]) == pytest.approx((0.25, 0.25))


def test_marginal_kl_of_a_gaussian_mixture_that_is_nearly_the_prior_is_nearly_nothing() -> None:
    # mean ~ N(0, 1/2) and std^2 = 1/2 mix to N(0, 1); the rate is ln 2 / 2 a dimension, all of it information.
    generator = torch.Generator().manual_seed(0)
    posterior = Posterior(torch.randn(4000, 1, generator=generator) * 0.5**0.5, torch.full((4000, 1), 0.5**0.5))
    information = mutual_information(posterior, draw_codes(posterior, 0))
    assert information == pytest.approx(math.log(2) / 2, abs=0.03)  # two standard errors of 4000 draws


def test_nothing_cannot_be_evaluated(tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    model = VAE.build("mlp", tiny.model, dataset.shape, seed=0)
    with pytest.raises(ValueError, match="empty"):
        evaluate(model, dataset.test.examples[:0])
