"""The closed form over tau against heads that are run at that tau."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bnvae.metrics.scaler_curves import (
    Unbound,
    Unscaled,
    UnscaledMoments,
    budget,
    current_floor,
    finite_rows,
    kl_per_dimension,
    rate_curve,
    shares,
    unbound,
)
from bnvae.nn.posterior import HEADS, VARIANCE_FLOOR, ScalerHead
from bnvae.nn.scaler import fixed_floor

FEATURES, DIMENSIONS = 6, 5


def head_at(name: str, tau: float, seed: int) -> tuple[ScalerHead, torch.Tensor]:
    """A head with moments of its own, and features that it has seen."""
    torch.manual_seed(seed)
    head = HEADS[name](FEATURES, DIMENSIONS, tau=tau)  # type: ignore[call-arg]
    assert isinstance(head, ScalerHead)
    with torch.no_grad():
        next(p for n, p in head.named_parameters() if n == "scaler.theta").uniform_(-2, 2)
    features = torch.randn(256, FEATURES)
    head(features)  # training mode: the batch's own moments
    return head, features


@example(name="bn-scaler", trained=0.0, tau=0.96875, seed=0)
@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(["rms-scaler", "bn-scaler"]),
    trained=st.floats(0, 0.95),
    tau=st.floats(0, 0.99),
    seed=st.integers(0, 1000),
)
def test_posteriors_of_one_tau_give_the_kl_of_every_other(name: str, trained: float, tau: float, seed: int) -> None:
    head, features = head_at(name, trained, seed)
    theta = head.theta(torch.tensor([trained]))[0].detach().numpy()
    with torch.no_grad():
        own = head(features)
        wanted = head(features, torch.full((256,), tau))
    # The library limits each variance after tau; three averages can't, and differ where a centred std is nearly 0.
    kept = ((own.std.square() > VARIANCE_FLOOR) & (wanted.std.square() > VARIANCE_FLOOR)).all(1)
    assert kept.sum() > 250
    unscaled = Unscaled.of(own.mean.numpy(), own.std.numpy(), shares(theta, trained))
    at = shares(theta, tau)
    moments = UnscaledMoments.of(Unscaled(mean=unscaled.mean[kept], std=unscaled.std[kept]))
    # fp32 in the head; a centred std that nearly is 0 has a logarithm of few digits.
    np.testing.assert_allclose(
        kl_per_dimension(moments, at), wanted.kl_per_dimension()[kept].mean(0), rtol=2e-4, atol=2e-4
    )
    spent = budget(UnscaledMoments.of(unscaled), at)
    np.testing.assert_allclose(spent.mean, wanted.mean.square().mean(0), rtol=1e-4)
    np.testing.assert_allclose(spent.mean + spent.std, 1, atol=1e-3)


@pytest.mark.parametrize(("tau", "nats"), [(0.1, 0.0527), (0.5, 0.3466), (0.9, 1.1513)])
def test_no_theta_puts_the_current_floor_below_the_fixed_one(tau: float, nats: float) -> None:
    floors = current_floor(shares(np.array([-40.0, -1.0, 0.0, 3.0]), tau))
    assert floors[0] == pytest.approx(nats, abs=1e-4)  # -ln(1 - tau) / 2, by hand
    assert (floors >= fixed_floor(tau) - 1e-12).all()
    assert (np.diff(floors) > 0).all()


def test_the_rate_rises_with_tau() -> None:
    rng = np.random.default_rng(0)
    moments = UnscaledMoments.of(Unscaled(mean=rng.normal(size=(500, 3)), std=np.ones((500, 3))))
    taus = np.linspace(0, 0.99, 40)
    rates = rate_curve(moments, np.zeros((40, 3)), taus)
    assert (np.diff(rates) > 0).all()
    # With std_hat 1 and E[mean_hat^2] = m the KL is closed: (g_m^2 m + g_s^2 - ln g_s^2 - 1) / 2.
    second = moments.mean_square.sum()
    assert rates[0] == pytest.approx(0.5 * (0.5 * second + 3 * (0.5 - np.log(0.5) - 1)))


def test_one_posterior_of_no_width_does_not_make_a_kl_infinite() -> None:
    moments = UnscaledMoments.of(Unscaled(mean=np.zeros((2, 1)), std=np.array([[0.0], [1.0]])))
    assert moments.log_std_square[0] == pytest.approx(np.log(1e-8) / 2)


def test_examples_that_are_not_numbers_are_found() -> None:
    mean, std = np.zeros((4, 2)), np.ones((4, 2))
    mean[1, 0], std[3, 1] = np.nan, np.inf
    assert finite_rows(mean, std).tolist() == [True, False, True, False]


@pytest.mark.parametrize("tau", [-0.1, 1.0, float("nan")])
def test_a_tau_that_leaves_no_spread_is_refused(tau: float) -> None:
    with pytest.raises(ValueError, match="give 0 <= tau < 1"):
        shares(np.zeros(2), tau)


def test_a_rate_far_above_its_floor_is_what_was_learned_until_the_floor_reaches_it() -> None:
    taus = np.array([0.0, 0.5, 0.9, 0.99])  # floors of ten dimensions: 0, 3.47, 11.51, 23.03 nats
    found = unbound(np.array([9.0, 10.0, 12.0, 23.5]), taus, 10)
    assert found == Unbound(until=0.9, bound=True, lowest=9.0, highest=10.0)
    assert unbound(np.array([30.0, 31.0, 29.0, 32.0]), taus, 10) == Unbound(
        until=0.99, bound=False, lowest=29.0, highest=32.0
    )


def test_a_rate_at_its_floor_from_the_start_has_no_range_of_its_own() -> None:
    taus = np.array([0.0, 0.5, 0.9])
    assert unbound(np.array([0.0, 3.5, 11.6]), taus, 10) is None
    assert unbound(np.array([0.1, 3.5, 11.6]), taus, 10) is None  # one value of tau is no range
