"""The scaler of every tau, and that of one tau seen from another."""

import math

import pytest
import torch
from torch import Tensor, nn

from bnvae import AmortisedScaler, Scaler, fixed_floor
from bnvae.nn.scaler import mean_fixed_floor

TAUS = torch.tensor([0.0, 0.1, 0.5, 0.9])


def learned(tau_max: float = 0.95) -> AmortisedScaler:
    """One whose theta is no longer 0."""
    torch.manual_seed(0)
    scaler = AmortisedScaler(3, tau=0.5, tau_max=tau_max)
    nn.init.normal_(scaler.theta.weight, std=2.0)
    return scaler


def test_theta_starts_at_zero_for_every_tau() -> None:
    assert not AmortisedScaler(3, tau=0.5, tau_max=0.95).theta_at(TAUS).any()


def test_theta_is_a_function_of_tau_that_is_learned() -> None:
    scaler = learned()
    theta = scaler.theta_at(TAUS)
    assert (theta[0] - theta[-1]).abs().min() > 0.01
    scaler.at(TAUS).mean.sum().backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in scaler.parameters())


def test_squares_of_the_gammas_sum_to_one_at_every_tau_and_the_mean_keeps_its_share() -> None:
    gammas = learned().at(TAUS)
    torch.testing.assert_close(gammas.mean.square() + gammas.std.square(), torch.ones(4, 3))
    assert (gammas.mean.square() >= TAUS[:, None] - 1e-6).all()


def test_at_one_theta_both_scalers_give_the_same() -> None:
    one, every = Scaler(3, 0.3), AmortisedScaler(3, tau=0.3, tau_max=0.95)
    nn.init.constant_(one.theta, 0.7)
    nn.init.constant_(every.theta.bias, 0.7)
    for mine, others in ((one(), every()), (one.at(TAUS), every.at(TAUS))):
        torch.testing.assert_close(mine.mean, others.mean)
        torch.testing.assert_close(mine.std, others.std)


def test_a_scaler_of_one_tau_is_rescaled_to_another_with_the_theta_it_has() -> None:
    scaler, other = Scaler(3, 0.3), Scaler(3, 0.9)
    nn.init.constant_(scaler.theta, 0.7)
    nn.init.constant_(other.theta, 0.7)
    torch.testing.assert_close(scaler.at(torch.tensor([0.9])).std[0], other().std)


def drawn(scaler: AmortisedScaler, count: int, seed: int) -> Tensor:
    return scaler.draw(count, torch.Generator().manual_seed(seed))


def test_draws_cover_the_range_evenly_and_depend_on_the_generator_alone() -> None:
    scaler = learned(tau_max=0.8)
    torch.manual_seed(1)
    taus = drawn(scaler, 64, seed=5)
    torch.manual_seed(2)
    assert torch.equal(drawn(scaler, 64, seed=5), taus)
    assert not torch.equal(drawn(scaler, 64, seed=6), taus)
    parts = (torch.log1p(-taus) / math.log(0.2) * 64).floor()
    assert parts.tolist() == list(range(64))  # one in each equal part of the floor


def test_the_floor_of_the_draws_is_uniform() -> None:
    floors = -0.5 * torch.log1p(-torch.cat([drawn(learned(tau_max=0.8), 8, seed) for seed in range(500)]))
    top = fixed_floor(0.8)
    # U(0, top): mean top / 2, variance top^2 / 12; stratified, the mean of 4,000 is far closer than 2e-3
    assert floors.mean().item() == pytest.approx(top / 2, abs=2e-3)
    assert floors.var().item() == pytest.approx(top**2 / 12, abs=2e-3)


def test_the_mean_fixed_floor_is_the_average_over_the_draws() -> None:
    taus = torch.cat([drawn(learned(), 64, seed) for seed in range(50)])
    average = sum(fixed_floor(tau) for tau in taus.tolist()) / len(taus)
    assert learned().fixed_floor() == mean_fixed_floor(0.95) == pytest.approx(average, abs=1e-3)


def test_what_a_record_shows_is_the_average_over_the_draws() -> None:
    scaler = learned(tau_max=0.8)
    taus = torch.cat([drawn(scaler, 64, seed) for seed in range(50)])
    gammas, shown = scaler.at(taus), scaler.in_training()
    torch.testing.assert_close(shown.mean.square(), gammas.mean.square().mean(0), atol=1e-3, rtol=0)
    torch.testing.assert_close(shown.std.square(), gammas.std.square().mean(0), atol=1e-3, rtol=0)
    torch.testing.assert_close(scaler.current_floor(), -gammas.std.log().mean(0), atol=2e-3, rtol=0)
    assert (scaler.current_floor() >= scaler.fixed_floor()).all()


def test_floors_of_one_tau_are_those_of_the_formula() -> None:
    scaler = Scaler(3, 0.5)
    assert scaler.fixed_floor() == fixed_floor(0.5) == pytest.approx(math.log(2) / 2)
    # theta 0 halves what is left: gamma_std^2 = 1/4
    assert scaler.current_floor().tolist() == pytest.approx([math.log(2)] * 3)


@pytest.mark.parametrize(("tau", "tau_max"), [(0.5, 0.4), (0.5, 1.0), (0.0, 0.0)])
def test_a_range_that_cannot_be_drawn_from_is_refused(tau: float, tau_max: float) -> None:
    with pytest.raises(ValueError, match=rf"tau_max is {tau_max}: give a number above 0 and below 1"):
        AmortisedScaler(3, tau=tau, tau_max=tau_max)
