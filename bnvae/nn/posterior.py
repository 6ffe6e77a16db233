"""Posterior heads: from an encoder's features to q(z|x), with and without a floor under its KL divergence.

A head is a plain `torch.nn.Module` and needs nothing else of this package.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from bnvae.nn.normalization import ADDED_SQUARE, BatchStandardiser, RootMeanSquareNormaliser
from bnvae.nn.scaler import AmortisedScaler, BaseScaler, Gammas, Scaler, fixed_floor, mean_fixed_floor

VARIANCE_FLOOR: Final = 1e-8
"""Smallest posterior variance the KL divergence sees; below it ln(std^2) would run away."""


def kl_per_dimension(mean: Float[Tensor, "*B D"], std: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
    """KL divergence of each q(z_d | x) from the prior N(0, 1), in nats, >= 0.

    KL_d = (mean_d^2 + std_d^2 - 1 - ln std_d^2) / 2; Kingma & Welling 2014, appendix B, arXiv:1312.6114.
    """
    variance = _at_least_fp32(std).square().clamp_min(VARIANCE_FLOOR)
    return 0.5 * (_at_least_fp32(mean).square() + variance - 1 - variance.log())


def _at_least_fp32(values: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Half precisions as fp32; fp32 and fp64 as they are."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


LOWEST_RAW_STD: Final = -25.0
"""Below it softplus(raw)^2 leaves fp32: a batch of such values would lose its std, and the floor with it."""


@final
@dataclass(frozen=True)
class Posterior:
    """The diagonal Gaussian q(z|x) = N(mean, std^2), one row an example."""

    mean: Float[Tensor, "B D"]
    std: Float[Tensor, "B D"]

    def rsample(self, generator: torch.Generator | None = None) -> Float[Tensor, "B D"]:
        """mean + std * noise, through which gradients flow (the reparametrisation trick)."""
        noise = torch.randn(self.mean.shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype)
        return self.mean + self.std * noise

    def kl_per_dimension(self) -> Float[Tensor, "B D"]:
        """KL(q(z_d|x) || N(0, 1)) of every example and dimension, in nats, >= 0."""
        return kl_per_dimension(self.mean, self.std)

    def log_prob(self, z: Float[Tensor, "B D"]) -> Float[Tensor, "B"]:
        """ln q(z|x), in nats."""
        standardised = (z - self.mean) / self.std
        return (-0.5 * standardised.square() - self.std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)


class PosteriorHead(nn.Module, ABC):
    """Maps encoder features to a posterior. Subclasses are final."""

    def __init__(self, features: int, latent_dimensions: int) -> None:
        super().__init__()
        if latent_dimensions < 1:
            raise ValueError(f"latent_dimensions is {latent_dimensions}: give at least 1.")
        self.latent_dimensions = latent_dimensions

    def forward(self, features: Float[Tensor, "B F"]) -> Posterior:
        # Batch moments, ln(std^2) and the KL lose too much in bf16, so a head opts out of autocast.
        with torch.autocast(features.device.type, enabled=False):
            return self._posterior(_at_least_fp32(features))

    @abstractmethod
    def _posterior(self, features: Float[Tensor, "B F"]) -> Posterior: ...

    @abstractmethod
    def fixed_floor(self) -> Float[Tensor, "D"]:
        """Floor under E[KL_d] that holds whatever is learned, in nats; 0 where there is none.

        This and what follows is over all examples and, of an amortised head, over all draws of tau.
        """

    @abstractmethod
    def current_floor(self) -> Float[Tensor, "D"]:
        """Floor under E[KL_d] at the present parameters, in nats; never below `fixed_floor`."""

    def gammas(self) -> Gammas | None:
        """The scaler's factors, or None for a head without one."""
        return None

    def _no_floor(self) -> Float[Tensor, "D"]:
        return next(self.parameters()).new_zeros(self.latent_dimensions)


@final
class GaussianHead(PosteriorHead):
    """The plain VAE: mean linear, std = exp(log-variance / 2); Kingma & Welling 2014, arXiv:1312.6114."""

    def __init__(self, features: int, latent_dimensions: int) -> None:
        super().__init__(features, latent_dimensions)
        self.mean = nn.Linear(features, latent_dimensions)
        self.log_variance = nn.Linear(features, latent_dimensions)

    def _posterior(self, features: Float[Tensor, "B F"]) -> Posterior:
        return Posterior(self.mean(features), (0.5 * self.log_variance(features)).exp())

    def fixed_floor(self) -> Float[Tensor, "D"]:
        return self._no_floor()

    def current_floor(self) -> Float[Tensor, "D"]:
        return self._no_floor()


@final
class BatchNormMeanHead(PosteriorHead):
    """BatchNorm on the mean with fixed scale gamma and learned shift; Zhu et al. 2020, arXiv:2004.12585.

    E[mean_d^2] >= gamma^2, hence E[KL_d] >= gamma^2 / 2. The log-variance is left alone, so q(z) is too wide.
    """

    shift: nn.Parameter

    def __init__(self, features: int, latent_dimensions: int, *, gamma: float = 0.5) -> None:
        super().__init__(features, latent_dimensions)
        _check_gamma(gamma)
        self.gamma = gamma
        # No bias: the standardiser would subtract it again.
        self.mean = nn.Linear(features, latent_dimensions, bias=False)
        self.standardise = BatchStandardiser(latent_dimensions)
        self.shift = nn.Parameter(torch.zeros(latent_dimensions))
        self.log_variance = nn.Linear(features, latent_dimensions)

    def _posterior(self, features: Float[Tensor, "B F"]) -> Posterior:
        mean = self.gamma * self.standardise(self.mean(features)) + self.shift
        return Posterior(mean, (0.5 * self.log_variance(features)).exp())

    def fixed_floor(self) -> Float[Tensor, "D"]:
        return torch.full_like(self.shift.detach(), self.gamma**2 / 2)

    def current_floor(self) -> Float[Tensor, "D"]:
        return (self.gamma**2 + self.shift.detach().square()) / 2


@final
class LayerNormMeanHead(PosteriorHead):
    """LayerNorm instead of BatchNorm on the mean: the counter-example of Su 2020, kexue.fm/archives/7381.

    sum_d KL_d >= D gamma^2 / 2 for each example (`total_floor`), but nothing pushes two examples apart, so the code may
    be the same for all. No single dimension has a floor. There is no learned shift: it could take back what LayerNorm
    gives, and with it the floor. Weights of earlier versions have one, and with it the head computes what it did then.
    """

    shift: nn.Parameter | None
    """of a run of an earlier version; None in a new head"""

    def __init__(self, features: int, latent_dimensions: int, *, gamma: float = 0.5) -> None:
        super().__init__(features, latent_dimensions)
        _check_gamma(gamma)
        if latent_dimensions < 2:
            raise ValueError(f"latent_dimensions is {latent_dimensions}: LayerNorm needs at least 2.")
        self.gamma = gamma
        self.mean = nn.Linear(features, latent_dimensions)
        self.register_parameter("shift", None)
        self.log_variance = nn.Linear(features, latent_dimensions)
        self.register_load_state_dict_pre_hook(_shift_if_stored)  # type: ignore[no-untyped-call]

    def with_shift(self) -> None:
        """Become the head of earlier versions, with a learned shift and no floor, so that such a run can go on."""
        self.shift = nn.Parameter(torch.zeros_like(self.mean.bias))

    def _posterior(self, features: Float[Tensor, "B F"]) -> Posterior:
        # A larger eps lets an encoder shrink its outputs, and the floor with them.
        eps = ADDED_SQUARE if self.shift is None else 1e-8
        mean = self.gamma * F.layer_norm(self.mean(features), (self.latent_dimensions,), eps=eps)
        if self.shift is not None:
            mean = mean + self.shift
        return Posterior(mean, (0.5 * self.log_variance(features)).exp())

    def total_floor(self) -> float:
        """Floor under sum_d KL_d of every single example, in nats; 0 with the shift of an earlier version."""
        return 0.0 if self.shift is not None else self.latent_dimensions * self.gamma**2 / 2

    def fixed_floor(self) -> Float[Tensor, "D"]:
        return self._no_floor()

    def current_floor(self) -> Float[Tensor, "D"]:
        return self._no_floor()


class ScalerHead(PosteriorHead, ABC):
    """Mean and std of unit second moment over the batch, then one Scaler for both.

    With the batch's own moments E[mean_d^2 + std_d^2] = 1, the prior's second moment. With `tau_max` one head serves
    every tau from 0 to there, and `tau` is where figures are taken; see `AmortisedScaler`.
    """

    scaler: BaseScaler

    def __init__(
        self, features: int, latent_dimensions: int, *, tau: float = 0.5, tau_max: float | None = None
    ) -> None:
        super().__init__(features, latent_dimensions)
        if tau_max is None:
            self.scaler = Scaler(latent_dimensions, tau)
        else:
            self.scaler = AmortisedScaler(latent_dimensions, tau, tau_max)

    def forward(self, features: Float[Tensor, "B F"], tau: Float[Tensor, "B"] | None = None) -> Posterior:
        """q(z|x) of each example at its tau; None: at the head's own."""
        with torch.autocast(features.device.type, enabled=False):
            return self._posterior(_at_least_fp32(features), tau)

    def _posterior(self, features: Float[Tensor, "B F"], tau: Float[Tensor, "B"] | None = None) -> Posterior:
        gammas = self.scaler() if tau is None else self.scaler.at(tau)
        mean, std = self._standardised(features)
        return Posterior(gammas.mean * mean, gammas.std * std)

    def standardised(self, features: Float[Tensor, "B F"]) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B D"]]:
        """Mean and std before the Scaler, whatever tau: mean 0 and second moment 1, and std >= 0 of second moment 1.

        The posterior at any tau is N(gamma_mean(tau) * mean, (gamma_std(tau) * std)^2).
        """
        with torch.autocast(features.device.type, enabled=False):
            return self._standardised(_at_least_fp32(features))

    @abstractmethod
    def _standardised(self, features: Float[Tensor, "B F"]) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B D"]]: ...

    def theta(self, tau: Float[Tensor, "K"]) -> Float[Tensor, "K D"]:
        """theta of each dimension at each tau; the same at every tau unless the head is amortised."""
        return self.scaler.theta_at(tau)

    def gammas_at(self, tau: Float[Tensor, "K"]) -> Gammas:
        """The scaler's factors at each tau, each (K, D)."""
        return self.scaler.at(tau)

    def fixed_floor(self) -> Float[Tensor, "D"]:
        return next(self.parameters()).new_full((self.latent_dimensions,), self.scaler.fixed_floor())

    def current_floor(self) -> Float[Tensor, "D"]:
        return self.scaler.current_floor()

    def gammas(self) -> Gammas:
        return self.scaler.in_training()


@final
class BatchNormScalerHead(ScalerHead):
    """The article to the letter: BatchNorm on mean and std, one Scaler; Su 2020, kexue.fm/archives/7381.

    The standardised std is centred, so it crosses zero, where -ln std^2 is large: its rate can rise well above the
    floor.
    """

    def __init__(
        self, features: int, latent_dimensions: int, *, tau: float = 0.5, tau_max: float | None = None
    ) -> None:
        super().__init__(features, latent_dimensions, tau=tau, tau_max=tau_max)
        self.mean = nn.Linear(features, latent_dimensions, bias=False)
        self.std = nn.Linear(features, latent_dimensions, bias=False)
        self.standardise_mean = BatchStandardiser(latent_dimensions)
        self.standardise_std = BatchStandardiser(latent_dimensions)

    def _standardised(self, features: Float[Tensor, "B F"]) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B D"]]:
        return self.standardise_mean(self.mean(features)), self.standardise_std(self.std(features)).abs()


@final
class RootMeanSquareScalerHead(ScalerHead):
    """The Scaler on a standardised mean and a positive std of unit second moment; this project's variant.

    std_hat = softplus(h) / sqrt(batch mean of softplus(h)^2): never zero, second moment exactly 1, not centred.
    """

    def __init__(
        self, features: int, latent_dimensions: int, *, tau: float = 0.5, tau_max: float | None = None
    ) -> None:
        super().__init__(features, latent_dimensions, tau=tau, tau_max=tau_max)
        self.mean = nn.Linear(features, latent_dimensions, bias=False)
        self.std = nn.Linear(features, latent_dimensions)
        self.standardise_mean = BatchStandardiser(latent_dimensions)
        self.normalise_std = RootMeanSquareNormaliser(latent_dimensions)

    def _standardised(self, features: Float[Tensor, "B F"]) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B D"]]:
        raw = self.std(features).clamp_min(LOWEST_RAW_STD)
        return self.standardise_mean(self.mean(features)), self.normalise_std(F.softplus(raw))


def _shift_if_stored(head: nn.Module, stored: Mapping[str, Tensor], prefix: str, *_: object) -> None:
    assert isinstance(head, LayerNormMeanHead)
    if f"{prefix}shift" in stored and head.shift is None:
        head.with_shift()


def _check_gamma(gamma: float) -> None:
    if not gamma > 0:
        raise ValueError(f"gamma is {gamma}: give a positive standard deviation for the posterior mean.")


HEADS: Final[dict[str, type[PosteriorHead]]] = {
    "gaussian": GaussianHead,
    "bn-mean": BatchNormMeanHead,
    "bn-scaler": BatchNormScalerHead,
    "rms-scaler": RootMeanSquareScalerHead,
    "ln-mean": LayerNormMeanHead,
}
"""Every head by its configuration name."""


def fixed_floors(
    head: str, latent_dimensions: int, *, tau: float, gamma: float, tau_max: float | None = None
) -> list[float]:
    """The fixed floor of each dimension that a head of this description has, in nats, without building it.

    With `tau_max` that of an amortised head: the mean over the draws of tau.
    """
    of_scaler = fixed_floor(tau) if tau_max is None else mean_fixed_floor(tau_max)
    floor = {"bn-mean": gamma**2 / 2, "bn-scaler": of_scaler, "rms-scaler": of_scaler}.get(head, 0.0)
    return [floor] * latent_dimensions
