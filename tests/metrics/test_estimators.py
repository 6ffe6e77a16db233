"""Estimates against values known in closed form, by numerical integration, or by construction."""

import math

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

from bnvae.config.schema import RunConfig
from bnvae.data import load_dataset
from bnvae.metrics.estimators.aggregated_posterior import holes
from bnvae.metrics.estimators.bn_modes import in_eval_mode, in_training_mode
from bnvae.metrics.estimators.importance_sampling import importance_sampled_nll
from bnvae.metrics.estimators.permutation import distinct_count, distinct_share, permuted_rise
from bnvae.metrics.factors.factor_scores import factor_gaps
from bnvae.metrics.test_set import evaluate
from bnvae.nn.posterior import Posterior
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import draw_codes, recompute_statistics
from bnvae.training.mutual_information import mutual_information


def integrated_marginal_kl(mean: torch.Tensor, std: torch.Tensor) -> float:
    """KL(q(z) || N(0, 1)) of a mixture in one dimension, in nats, by the trapezoid rule."""
    z = torch.linspace(-14, 14, 200_001, dtype=torch.float64)
    mixture = MixtureSameFamily(Categorical(torch.ones(len(mean))), Normal(mean.double(), std.double()))
    log_q, log_p = mixture.log_prob(z), Normal(0.0, 1.0).log_prob(z)  # type: ignore[no-untyped-call]
    return torch.trapezoid(log_q.exp() * (log_q - log_p), z).item()


@pytest.mark.parametrize(
    ("centres", "width"),
    [([-2.0, 0.0, 2.0], 0.5), ([-1.0, 1.0], 1.0), ([0.0, 0.0], 0.3), ([-3.0, -1.0, 1.0, 3.0], 0.2)],
)
def test_information_and_marginal_kl_are_those_of_a_mixture_integrated_numerically(
    centres: list[float], width: float
) -> None:
    count = 6000
    mean = torch.tensor(centres).repeat(count // len(centres))[:, None]
    posterior = Posterior(mean, torch.full_like(mean, width))
    information = mutual_information(posterior, draw_codes(posterior, 0))
    rate = posterior.kl_per_dimension().double().sum(1).mean().item()
    marginal_kl = integrated_marginal_kl(torch.tensor(centres), torch.full((len(centres),), width))
    # 6000 draws of a quantity that varies by about 1 nat: two standard errors are 0.026.
    assert rate - information == pytest.approx(marginal_kl, abs=0.03)
    assert information == pytest.approx(rate - marginal_kl, abs=0.03)


def test_an_evaluation_of_two_clusters_reports_their_information() -> None:
    # Far apart, each half of the examples: z tells which half, and nothing more.
    mean = torch.tensor([-6.0, 6.0]).repeat(1000)[:, None]
    posterior = Posterior(mean, torch.ones_like(mean))
    assert mutual_information(posterior, draw_codes(posterior, 0)) == pytest.approx(math.log(2), abs=0.01)


def test_the_share_of_holes_is_that_of_the_prior_outside_the_mixture() -> None:
    # One narrow posterior around 0: holes are where its density is below 1/100 of the prior's.
    width = 0.25
    posterior = Posterior(torch.zeros(50, 1), torch.full((50, 1), width))
    edge = math.sqrt(2 * (math.log(100) - math.log(width)) / (1 / width**2 - 1))
    wanted = 2 * (1 - Normal(0.0, 1.0).cdf(torch.tensor(edge)).item())  # type: ignore[no-untyped-call]
    prior = torch.randn(20_000, 1, generator=torch.Generator().manual_seed(0))
    assert holes(posterior, prior).share == pytest.approx(wanted, abs=0.01)
    assert holes(Posterior(torch.zeros(50, 1), torch.ones(50, 1)), prior).share == 0


def test_a_factor_in_one_dimension_has_the_whole_gap_and_one_in_two_has_none() -> None:
    generator = torch.Generator().manual_seed(0)
    first = torch.randint(0, 4, (4000,), generator=generator)
    second = torch.rand(4000, generator=generator)
    noise = torch.randn(4000, generator=generator)
    # One mean in the middle of each quarter of the prior's mass, and widths far below an interval's.
    spread = torch.erfinv(2 * second * 0.999 - 0.999) * math.sqrt(2)
    mean = torch.stack([torch.tensor([-1.15, -0.32, 0.32, 1.15])[first], spread, spread, noise], 1)
    posterior = Posterior(mean, torch.full_like(mean, 1e-3))
    gaps = factor_gaps(posterior, {"first": first, "second": second, "constant": torch.zeros(4000)})
    found = gaps.each
    assert set(found) == {"first", "second"}
    assert found["first"].gap == pytest.approx(1, abs=0.01)
    assert found["first"].best_dimension == 0
    assert found["first"].entropy == pytest.approx(math.log(4), abs=0.01)
    # Ten equal parts of the values, 32 of the code: an interval that two parts share tells less than all of ln 10.
    assert found["second"].information == pytest.approx(math.log(10), abs=0.25)
    assert found["second"].gap == pytest.approx(0, abs=1e-6)
    assert gaps.mutual_information_gap == pytest.approx((found["first"].gap + found["second"].gap) / 2)
    none = factor_gaps(posterior, {})
    assert (none.mutual_information_gap, none.mutual_information_gap_standard_error) == (None, None)


def test_a_collapsed_run_tells_of_a_factor_with_many_values_no_more_than_its_noise() -> None:
    generator = torch.Generator().manual_seed(0)
    who = torch.randint(0, 40, (2000,), generator=generator)
    posterior = Posterior(0.01 * torch.randn(2000, 16, generator=generator), torch.ones(2000, 16))
    (gap,) = factor_gaps(posterior, {"who": who}).each.values()
    # Uncorrected, 20 bins of draws and 40 values give (20 - 1)(40 - 1) / 4000 = 0.19 nats.
    assert gap.information < 0.001
    assert gap.gap < 0.001


@pytest.fixture
def model(tiny: RunConfig) -> tuple[VAE, torch.Tensor, torch.Tensor]:
    dataset = load_dataset(tiny.data)
    made = VAE.build("mlp", tiny.model, dataset.shape, seed=0)
    recompute_statistics(made, dataset.training.examples)
    return made, dataset.training.examples, dataset.test.examples


def test_permuting_what_nobody_reads_costs_nothing(model: tuple[VAE, torch.Tensor, torch.Tensor]) -> None:
    vae, _, test = model
    read = permuted_rise(vae, test)
    with torch.no_grad():
        next(vae.decoder.parameters()).zero_()  # the layer that reads z
    ignored = permuted_rise(vae, test)
    assert (ignored.permuted_rise, ignored.permuted_rise_standard_error) == (0, 0)
    assert read.permuted_rise != 0


def test_one_example_has_nobody_to_exchange_codes_with(model: tuple[VAE, torch.Tensor, torch.Tensor]) -> None:
    vae, _, test = model
    assert permuted_rise(vae, test[:1]).permuted_rise is None
    assert permuted_rise(vae, test[:2]).permuted_rise is not None


def test_outputs_are_counted_once_if_no_pixel_differs_by_more_than_is_seen() -> None:
    rows = torch.tensor([[0, 0], [20, 0], [40, 0], [0, 255], [0, 250]], dtype=torch.uint8)
    assert distinct_count(rows, 25) == 3
    assert distinct_count(rows, 0) == 5


def test_a_decoder_that_ignores_z_makes_one_output_of_ten(tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    vae = VAE.build("mlp", tiny.model, dataset.shape, seed=0)
    with torch.no_grad():
        next(vae.decoder.parameters()).zero_()
    assert distinct_share(vae, dataset.shape).distinct_share == pytest.approx(0.1)


def test_training_mode_has_the_batches_own_moments_and_leaves_the_model_as_it_was(
    model: tuple[VAE, torch.Tensor, torch.Tensor],
) -> None:
    vae, training, _ = model
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    found = in_training_mode(vae, training, 16)
    assert found.second_moment == pytest.approx(1, abs=1e-5)
    assert in_eval_mode(vae, training).second_moment == pytest.approx(1, abs=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in vae.state_dict().items())
    assert in_training_mode(vae, training, 16) == found


def test_the_bound_is_never_above_the_elbo_of_the_same_model(model: tuple[VAE, torch.Tensor, torch.Tensor]) -> None:
    vae, _, test = model
    figures = evaluate(vae, test)
    assert importance_sampled_nll(vae, test, 50).nll < -figures.elbo
