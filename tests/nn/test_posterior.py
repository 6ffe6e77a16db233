"""Every head: its KL, its floors, its scaler."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from bnvae import HEADS, GaussianHead, LayerNormMeanHead, Posterior, Scaler, fixed_floor, kl_per_dimension
from bnvae.nn.posterior import (
    BatchNormMeanHead,
    BatchNormScalerHead,
    PosteriorHead,
    RootMeanSquareScalerHead,
    ScalerHead,
    fixed_floors,
)

FEATURES = 12
SCALER_HEADS: list[type[ScalerHead]] = [BatchNormScalerHead, RootMeanSquareScalerHead]

every_head = pytest.mark.parametrize("name", list(HEADS))
scaler_heads = pytest.mark.parametrize("head", SCALER_HEADS, ids=["bn-scaler", "rms-scaler"])


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def posterior_of(head: PosteriorHead, features: Tensor) -> Posterior:
    posterior = head(features)
    assert isinstance(posterior, Posterior)
    return posterior


def theta_of(head: ScalerHead) -> nn.Parameter:
    assert isinstance(head.scaler, Scaler)
    return head.scaler.theta


def built(name: str, latent_dimensions: int = 5) -> PosteriorHead:
    torch.manual_seed(1)
    return HEADS[name](FEATURES, latent_dimensions)


@every_head
def test_kl_is_that_of_torch_distributions(name: str) -> None:
    posterior = posterior_of(built(name), random(64, FEATURES))
    exact = kl_divergence(
        Normal(posterior.mean.double(), posterior.std.double().clamp_min(1e-4)), Normal(torch.tensor(0.0), 1.0)
    )
    torch.testing.assert_close(posterior.kl_per_dimension().double(), exact, atol=1e-5, rtol=1e-5)


def test_log_prob_is_that_of_torch_distributions() -> None:
    posterior, z = posterior_of(built("gaussian"), random(7, FEATURES)), random(7, 5, seed=2)
    torch.testing.assert_close(posterior.log_prob(z), Normal(posterior.mean, posterior.std).log_prob(z).sum(-1))  # type: ignore[no-untyped-call]


def test_kl_of_a_zero_std_is_that_of_the_variance_floor() -> None:
    # (1e-8 - 1 - ln 1e-8) / 2 = (-1 + 8 ln 10) / 2
    kl = kl_per_dimension(torch.zeros(1, 1), torch.zeros(1, 1))
    assert kl.item() == pytest.approx((-1 + 8 * math.log(10)) / 2, rel=1e-6)


@given(mean=st.floats(-50, 50), std=st.floats(0, 50))
@settings(max_examples=100, deadline=None)
def test_kl_is_never_negative(mean: float, std: float) -> None:
    kl = kl_per_dimension(torch.tensor([[mean]]), torch.tensor([[std]]))
    assert kl.item() >= -1e-6  # fp32 rounding of terms of size 1


def test_kl_of_bf16_values_is_taken_in_fp32() -> None:
    mean, std = random(8, 3).bfloat16(), random(8, 3, seed=2).abs().bfloat16()
    kl = kl_per_dimension(mean, std)
    assert kl.dtype == torch.float32
    torch.testing.assert_close(kl, kl_per_dimension(mean.float(), std.float()))


def test_rsample_has_the_mean_and_std_of_the_posterior() -> None:
    posterior = Posterior(torch.full((40_000, 1), 3.0), torch.full((40_000, 1), 0.5))
    z = posterior.rsample(torch.Generator().manual_seed(0))
    assert z.mean().item() == pytest.approx(3, abs=4 * 0.5 / 200)  # four standard errors
    assert z.std().item() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(80_000))


def test_rsample_passes_gradient_to_mean_and_std() -> None:
    mean, std = torch.zeros(4, 2, requires_grad=True), torch.ones(4, 2, requires_grad=True)
    noise = torch.randn(4, 2, generator=torch.Generator().manual_seed(3))
    Posterior(mean, std).rsample(torch.Generator().manual_seed(3)).sum().backward()  # type: ignore[no-untyped-call]
    assert mean.grad is not None
    assert std.grad is not None
    torch.testing.assert_close(mean.grad, torch.ones(4, 2))
    torch.testing.assert_close(std.grad, noise)


# -- floors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tau", "floor"), [(0.1, 0.053), (0.2, 0.112), (0.3, 0.178), (0.5, 0.347), (0.7, 0.602), (0.9, 1.151)]
)
def test_fixed_floors_are_those_of_the_published_table(tau: float, floor: float) -> None:
    assert fixed_floor(tau) == pytest.approx(floor, abs=5e-4)


@given(st.floats(0, 0.999))
def test_half_tau_is_a_weaker_bound(tau: float) -> None:
    assert fixed_floor(tau) >= tau / 2


@pytest.mark.parametrize("raw_std", [-20.0, -27.0, -60.0, -5000.0])
def test_the_second_moment_stays_where_every_raw_std_is_far_below_zero(raw_std: float) -> None:
    # softplus(-60)^2 is no fp32 number any more: the std vanished, and half of the second moment with it.
    layer = RootMeanSquareScalerHead(FEATURES, 4, tau=0.0)
    nn.init.zeros_(layer.std.weight)
    nn.init.constant_(layer.std.bias, raw_std)
    posterior = posterior_of(layer, random(8, FEATURES, seed=0))
    second_moment = (posterior.mean.double().square() + posterior.std.double().square()).mean(0)
    torch.testing.assert_close(second_moment, torch.ones_like(second_moment), atol=1e-5, rtol=0)


@scaler_heads
@given(
    tau=st.floats(0, 0.99),
    dimensions=st.integers(1, 40),
    examples=st.integers(8, 64),
    exponent=st.integers(-3, 4),
    theta=st.floats(-20, 20),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_scaler_heads_keep_their_second_moment_and_their_floors_for_any_features(
    head: type[ScalerHead], tau: float, dimensions: int, examples: int, exponent: int, theta: float, seed: int
) -> None:
    torch.manual_seed(seed)
    layer = head(FEATURES, dimensions, tau=tau)
    nn.init.constant_(theta_of(layer), theta)
    posterior = posterior_of(layer, random(examples, FEATURES, seed=seed) * 10.0**exponent)
    second_moment = (posterior.mean.double().square() + posterior.std.double().square()).mean(0)
    torch.testing.assert_close(second_moment, torch.ones_like(second_moment), atol=1e-5, rtol=0)
    kl = posterior.kl_per_dimension().double().mean(0)
    assert (kl >= layer.fixed_floor() - 1e-5).all()
    # The KL stops growing at the variance floor of 1e-8, 8.7 nats, which the smallest gamma can reach.
    assert (kl >= layer.current_floor().clamp_max(8.7) - 1e-4).all()


@scaler_heads
@given(tau=st.floats(0, 0.999), theta=st.floats(-50, 50))
@settings(max_examples=50, deadline=None)
def test_the_current_floor_is_never_below_the_fixed_one(head: type[ScalerHead], tau: float, theta: float) -> None:
    layer = head(FEATURES, 1, tau=tau)
    nn.init.constant_(theta_of(layer), theta)
    assert layer.current_floor().item() >= layer.fixed_floor().item()
    assert math.isfinite(layer.current_floor().item())


def test_the_current_floor_is_reached_where_std_does_not_vary() -> None:
    head = RootMeanSquareScalerHead(FEATURES, 4, tau=0.3)
    nn.init.zeros_(head.std.weight)
    kl = posterior_of(head, random(32, FEATURES)).kl_per_dimension().mean(0)
    torch.testing.assert_close(kl, head.current_floor(), atol=1e-5, rtol=0)


@given(gamma=st.floats(0.05, 3), shift=st.floats(-3, 3), exponent=st.integers(-3, 1))
@settings(max_examples=40, deadline=None)
def test_bn_mean_keeps_its_floor(gamma: float, shift: float, exponent: int) -> None:
    torch.manual_seed(0)
    head = BatchNormMeanHead(FEATURES, 6, gamma=gamma)
    nn.init.constant_(head.shift, shift)
    posterior = posterior_of(head, random(32, FEATURES) * 10.0**exponent)
    kl = posterior.kl_per_dimension().mean(0)
    torch.testing.assert_close(
        posterior.mean.square().mean(0), torch.full((6,), gamma**2 + shift**2), atol=1e-4, rtol=1e-4
    )
    assert (kl >= gamma**2 / 2 - 1e-5).all()
    assert (kl >= head.current_floor() - 1e-4).all()


@pytest.mark.parametrize("scale", [1e-4, 1.0, 100.0])
def test_ln_mean_keeps_its_floor_under_the_sum_of_every_example_whatever_is_learned(scale: float) -> None:
    features = random(32, FEATURES)
    for seed in range(200):
        torch.manual_seed(seed)
        head = LayerNormMeanHead(FEATURES, 6, gamma=0.7)
        for layer, std in ((head.mean, scale), (head.log_variance, 0.3)):
            nn.init.normal_(layer.weight, std=std)
            nn.init.normal_(layer.bias, std=std)
        total = posterior_of(head, features).kl_per_dimension().sum(1)
        # fp32, and LayerNorm's eps of 1e-14 beside squares of some 1e-8.
        assert (total >= head.total_floor() * (1 - 1e-4)).all()
    assert head.total_floor() == pytest.approx(6 * 0.7**2 / 2)


def test_the_encoder_that_least_pays_reaches_the_floor_of_ln_mean_and_no_less() -> None:
    torch.manual_seed(0)
    head = LayerNormMeanHead(FEATURES, 6, gamma=0.7)
    features = random(32, FEATURES)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(300):
        total = posterior_of(head, features).kl_per_dimension().sum(1).mean()
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert total.item() == pytest.approx(6 * 0.7**2 / 2, abs=0.01)


def test_the_shift_of_earlier_versions_takes_the_floor_of_ln_mean_away() -> None:
    torch.manual_seed(0)
    head = LayerNormMeanHead(FEATURES, 32)
    assert head.total_floor() == 4.0
    head.with_shift()
    assert head.shift is not None
    with torch.no_grad():
        for parameter in (head.mean.weight, head.log_variance.weight, head.log_variance.bias):
            parameter.zero_()
        bias = head.mean.bias
        head.shift.copy_(-head.gamma * (bias - bias.mean()) / (bias.var(correction=0) + 1e-8).sqrt())
    assert posterior_of(head, random(8, FEATURES)).kl_per_dimension().sum(1).max() < 1e-6
    assert head.total_floor() == 0


def test_ln_mean_of_earlier_weights_computes_what_it_did() -> None:
    torch.manual_seed(0)
    older, newer = LayerNormMeanHead(FEATURES, 6), LayerNormMeanHead(FEATURES, 6)
    stored = {name: value.clone() for name, value in older.state_dict().items()} | {"shift": random(6, seed=3)}
    newer.load_state_dict(stored)
    features = random(9, FEATURES)
    raw = features @ stored["mean.weight"].T + stored["mean.bias"]
    spread = (raw.var(1, correction=0, keepdim=True) + 1e-8).sqrt()
    expected = 0.5 * (raw - raw.mean(1, keepdim=True)) / spread + stored["shift"]
    torch.testing.assert_close(posterior_of(newer, features).mean, expected)
    assert list(newer.state_dict()) == ["shift", *older.state_dict()]  # as an optimiser counted them


@every_head
@pytest.mark.parametrize("is_training", [True, False])
def test_gradients_of_every_head_in_fp64_are_those_of_finite_differences(name: str, is_training: bool) -> None:
    head = built(name, 3).double().train(is_training)
    features = random(9, FEATURES).double().requires_grad_()

    def kl(features: Tensor) -> Tensor:
        posterior = posterior_of(head, features)
        assert posterior.mean.dtype == posterior.std.dtype == torch.float64
        return posterior.kl_per_dimension()

    with torch.no_grad():
        head(features)  # moments of some size
    assert torch.autograd.gradcheck(kl, (features,))


def test_the_gradient_of_the_kl_in_fp64_is_that_of_finite_differences() -> None:
    mean, std = random(4, 3).double().requires_grad_(), (random(4, 3, seed=1).double().abs() + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(kl_per_dimension, (mean, std))


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precisions_are_raised_to_fp32(half: torch.dtype) -> None:
    assert kl_per_dimension(random(4, 3).to(half), random(4, 3).abs().to(half)).dtype == torch.float32
    assert posterior_of(built("rms-scaler"), random(9, FEATURES).to(half)).mean.dtype == torch.float32


def test_ln_mean_lets_all_examples_share_one_code_which_bn_mean_cannot() -> None:
    # A constant answer is what collapse looks like: here the weights are all but zero, and the bias answers.
    ln, bn = LayerNormMeanHead(FEATURES, 6), BatchNormMeanHead(FEATURES, 6)
    nn.init.normal_(ln.mean.weight, std=1e-6)
    nn.init.normal_(bn.mean.weight, std=1e-6)
    features = random(32, FEATURES)
    assert posterior_of(ln, features).mean.var(0).max() < 1e-6
    assert posterior_of(bn, features).mean.var(0).min() > 0.2


@pytest.mark.parametrize("name", ["gaussian", "ln-mean"])
def test_heads_without_a_floor_per_dimension_claim_none(name: str) -> None:
    head = built(name)
    assert head.fixed_floor().tolist() == head.current_floor().tolist() == [0] * 5
    assert head.gammas() is None


@every_head
def test_fixed_floors_without_a_head_are_those_of_the_head(name: str) -> None:
    assert fixed_floors(name, 5, tau=0.5, gamma=0.5) == pytest.approx(built(name).fixed_floor().tolist())


@scaler_heads
def test_an_amortised_heads_fixed_floors_are_those_of_its_description(head: type[ScalerHead]) -> None:
    (name,) = (known for known, kind in HEADS.items() if kind is head)
    found = head(FEATURES, 5, tau=0.5, tau_max=0.9).fixed_floor().tolist()
    assert fixed_floors(name, 5, tau=0.5, gamma=0.5, tau_max=0.9) == pytest.approx(found)


# -- the scaler -------------------------------------------------------------------------------------------------------


@given(tau=st.floats(0, 0.999), theta=st.floats(-50, 50))
@settings(max_examples=100, deadline=None)
def test_squares_of_the_gammas_sum_to_one(tau: float, theta: float) -> None:
    scaler = Scaler(1, tau)
    nn.init.constant_(scaler.theta, theta)
    gammas = scaler()
    assert (gammas.mean.square() + gammas.std.square()).item() == pytest.approx(1, abs=1e-6)
    assert gammas.mean.item() ** 2 >= tau - 1e-6


@pytest.mark.parametrize("theta", [-50.0, -20.0, 0.0, 20.0, 50.0])
@pytest.mark.parametrize("tau", [0.0, 0.5])
def test_gradient_of_theta_is_finite_at_its_extremes(theta: float, tau: float) -> None:
    scaler = Scaler(3, tau)
    nn.init.constant_(scaler.theta, theta)
    gammas = scaler()
    (gammas.mean.sum() + gammas.std.sum()).backward()
    assert scaler.theta.grad is not None
    assert torch.isfinite(scaler.theta.grad).all()


@scaler_heads
def test_one_theta_serves_mean_and_std_and_is_learned(head: type[ScalerHead]) -> None:
    layer = head(FEATURES, 5)
    scalers = [module for module in layer.modules() if isinstance(module, Scaler)]
    assert [name for name, _ in layer.named_parameters() if "theta" in name] == ["scaler.theta"]
    assert len(scalers) == 1
    posterior_of(layer, random(16, FEATURES)).kl_per_dimension().mean().backward()  # type: ignore[no-untyped-call]
    gradient = theta_of(layer).grad
    assert gradient is not None
    assert (gradient != 0).all()


@scaler_heads
def test_the_scaler_scales_the_std_and_not_its_logarithm(head: type[ScalerHead]) -> None:
    layer = head(FEATURES, 5, tau=0.5)
    before = posterior_of(layer, random(16, FEATURES)).std
    nn.init.constant_(theta_of(layer), 2.0)
    after = posterior_of(layer, random(16, FEATURES)).std
    # sigmoid(-2) / sigmoid(0) under the root, the same factor for every example
    factor = math.sqrt(1 / (1 + math.exp(2)) / 0.5)
    torch.testing.assert_close(after, before * factor)


@scaler_heads
def test_rate_alone_pushes_theta_down(head: type[ScalerHead]) -> None:
    layer = head(FEATURES, 5)
    posterior_of(layer, random(64, FEATURES)).kl_per_dimension().sum().backward()  # type: ignore[no-untyped-call]
    gradient = theta_of(layer).grad
    assert gradient is not None
    assert (gradient > 0).all()


def test_tau_outside_its_range_is_refused_with_the_reason() -> None:
    for tau in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match="0 <= tau < 1"):
            Scaler(2, tau)


# -- heads in general -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "layers"), [("bn-mean", ["mean"]), ("bn-scaler", ["mean", "std"]), ("rms-scaler", ["mean"])]
)
def test_no_bias_stands_before_a_batch_norm(name: str, layers: list[str]) -> None:
    head = built(name)
    assert all(getattr(head, layer).bias is None for layer in layers)


@every_head
def test_autocast_does_not_reach_into_a_head(name: str) -> None:
    head, features = built(name), random(16, FEATURES)
    plain = posterior_of(head, features)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = posterior_of(head, features)
        kl = cast.kl_per_dimension()
    assert (cast.mean.dtype, cast.std.dtype, kl.dtype) == (torch.float32,) * 3
    torch.testing.assert_close(kl, plain.kl_per_dimension(), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["bn-mean", "bn-scaler", "rms-scaler"])
def test_one_example_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(ValueError, match=r"1 example.*moments.*8 examples or more"):
        built(name)(random(1, FEATURES))


@pytest.mark.parametrize("name", ["bn-mean", "bn-scaler", "rms-scaler"])
def test_two_examples_have_means_of_plus_and_minus_gamma(name: str) -> None:
    mean = posterior_of(built(name), random(2, FEATURES)).mean
    gamma = 0.5 if name == "bn-mean" else math.sqrt(0.5 + 0.5 * 0.5)
    torch.testing.assert_close(mean.abs(), torch.full((2, 5), gamma))
    torch.testing.assert_close(mean[0], -mean[1])


@every_head
def test_one_example_is_encoded_in_eval_mode(name: str) -> None:
    head = built(name).eval()
    features = random(16, FEATURES)
    together = posterior_of(head, features)
    torch.testing.assert_close(posterior_of(head, features[:1]).mean, together.mean[:1])


@every_head
def test_std_is_positive_for_ordinary_features(name: str) -> None:
    assert (posterior_of(built(name), random(256, FEATURES)).std > 0).all()


@pytest.mark.parametrize("name", ["bn-mean", "ln-mean"])
def test_gamma_that_is_not_positive_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="gamma is 0"):
        HEADS[name](FEATURES, 4, gamma=0)  # type: ignore[call-arg]


@every_head
def test_no_dimensions_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="latent_dimensions is 0"):
        HEADS[name](FEATURES, 0)


def test_a_head_works_in_any_model_and_its_floor_holds_after_training() -> None:
    """As the README shows it: an autoencoder of four numbers, trained until the plain VAE would have collapsed."""
    torch.manual_seed(0)
    encoder, head, decoder = nn.Linear(4, 16), RootMeanSquareScalerHead(16, 2, tau=0.5), nn.Linear(2, 4)
    optimiser = torch.optim.Adam([*encoder.parameters(), *head.parameters(), *decoder.parameters()], lr=1e-2)
    for step in range(200):
        x = random(64, 4, seed=step)
        posterior = posterior_of(head, encoder(x))
        rate = posterior.kl_per_dimension().sum(1)
        # Noise of std 10: nothing is worth encoding, and the rate alone decides.
        distortion = ((x - decoder(posterior.rsample())) / 10).square().sum(1) / 2
        optimiser.zero_grad()
        (distortion + rate).mean().backward()
        optimiser.step()
    kl = posterior_of(head, encoder(random(512, 4, seed=1))).kl_per_dimension().mean(0)
    assert (kl >= fixed_floor(0.5)).all()
    assert (kl < fixed_floor(0.5) + 0.15).all()  # it went down to its floor, so the floor is what holds it


def test_a_plain_head_without_anything_to_encode_collapses() -> None:
    torch.manual_seed(0)
    head = GaussianHead(4, 2)
    optimiser = torch.optim.Adam(head.parameters(), lr=3e-2)
    for step in range(200):
        optimiser.zero_grad()
        posterior_of(head, random(64, 4, seed=step)).kl_per_dimension().mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert posterior_of(head, random(64, 4)).kl_per_dimension().mean() < 1e-3
