"""Posterior heads: from an encoder's features to q(z|x), with and without a floor under its KL divergence.

A head is a plain `torch.nn.Module` and needs nothing else of this package.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from bnvae.moments import BatchStandardiser, RootMeanSquareNormaliser

VARIANCE_FLOOR: Final = 1e-8
"""Smallest posterior variance the KL divergence sees; below it ln(std^2) would run away."""


def kl_per_dimension(mean: Float[Tensor, "*B D"], std: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
    """KL divergence of each q(z_d | x) from the prior N(0, 1), in nats, >= 0.

    KL_d = (mean_d^2 + std_d^2 - 1 - ln std_d^2) / 2; Kingma & Welling 2014, appendix B, arXiv:1312.6114.
    """
    variance = std.float().square().clamp_min(VARIANCE_FLOOR)
    return 0.5 * (mean.float().square() + variance - 1 - variance.log())


def fixed_floor(tau: float) -> float:
    """Smallest expected KL of one dimension under a `Scaler` with this tau, whatever it learns, in nats.

    -ln(1 - tau) / 2: by Jensen's inequality from E[mean_d^2 + std_d^2] = 1 and E[std_d^2] <= 1 - tau.
    """
    return -0.5 * math.log1p(-tau)


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


@final
@dataclass(frozen=True)
class Gammas:
    """A scaler's two factors: E[mean_d^2] = mean^2, E[std_d^2] = std^2, and their squares sum to 1."""

    mean: Float[Tensor, "D"]
    std: Float[Tensor, "D"]


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
            return self._posterior(features.float())

    @abstractmethod
    def _posterior(self, features: Float[Tensor, "B F"]) -> Posterior: ...

    @abstractmethod
    def fixed_floor(self) -> Float[Tensor, "D"]:
        """Floor under E[KL_d] that holds whatever is learned, in nats; 0 where there is none."""

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

    The sum over dimensions keeps a floor of D gamma^2 / 2 per example, but nothing pushes two examples apart, so the
    code may be the same for all. No single dimension has a floor.
    """

    shift: nn.Parameter

    def __init__(self, features: int, latent_dimensions: int, *, gamma: float = 0.5) -> None:
        super().__init__(features, latent_dimensions)
        _check_gamma(gamma)
        if latent_dimensions < 2:
            raise ValueError(f"latent_dimensions is {latent_dimensions}: LayerNorm needs at least 2.")
        self.gamma = gamma
        self.mean = nn.Linear(features, latent_dimensions)
        self.shift = nn.Parameter(torch.zeros(latent_dimensions))
        self.log_variance = nn.Linear(features, latent_dimensions)

    def _posterior(self, features: Float[Tensor, "B F"]) -> Posterior:
        normalised = F.layer_norm(self.mean(features), (self.latent_dimensions,), eps=1e-8)
        return Posterior(self.gamma * normalised + self.shift, (0.5 * self.log_variance(features)).exp())

    def fixed_floor(self) -> Float[Tensor, "D"]:
        return self._no_floor()

    def current_floor(self) -> Float[Tensor, "D"]:
        return self._no_floor()


@final
class Scaler(nn.Module):
    """Shares one unit of second moment between mean and std: gamma_mean^2 + gamma_std^2 = 1; Su 2020.

    gamma_mean^2 = tau + (1 - tau) sigmoid(theta), gamma_std^2 = (1 - tau) sigmoid(-theta): the mean always keeps the
    share tau, and theta, learned per dimension from 0, decides about the rest.
    """

    theta: nn.Parameter

    def __init__(self, latent_dimensions: int, tau: float) -> None:
        super().__init__()
        if not 0 <= tau < 1:
            raise ValueError(f"tau is {tau}: give 0 <= tau < 1; at 1 every posterior would have no spread left.")
        self.tau = tau
        self.theta = nn.Parameter(torch.zeros(latent_dimensions))

    def forward(self) -> Gammas:
        mean_share = self.tau + (1 - self.tau) * torch.sigmoid(self.theta)
        std_share = (1 - self.tau) * torch.sigmoid(-self.theta)
        return Gammas(mean_share.sqrt(), std_share.sqrt())

    def current_floor(self) -> Float[Tensor, "D"]:
        """-ln(gamma_std^2) / 2 per dimension, in nats, written so that a large theta does not overflow."""
        return fixed_floor(self.tau) - 0.5 * F.logsigmoid(-self.theta.detach())


class ScalerHead(PosteriorHead, ABC):
    """Mean and std of unit second moment over the batch, then one Scaler for both.

    With the batch's own moments E[mean_d^2 + std_d^2] = 1, the prior's second moment.
    """

    scaler: Scaler

    def __init__(self, features: int, latent_dimensions: int, *, tau: float = 0.5) -> None:
        super().__init__(features, latent_dimensions)
        self.scaler = Scaler(latent_dimensions, tau)

    def fixed_floor(self) -> Float[Tensor, "D"]:
        return torch.full_like(self.scaler.theta.detach(), fixed_floor(self.scaler.tau))

    def current_floor(self) -> Float[Tensor, "D"]:
        return self.scaler.current_floor()

    def gammas(self) -> Gammas:
        return self.scaler()  # type: ignore[no-any-return]


@final
class BatchNormScalerHead(ScalerHead):
    """The article to the letter: BatchNorm on mean and std, one Scaler; Su 2020, kexue.fm/archives/7381.

    The standardised std is centred, so it crosses zero, where -ln std^2 is large: this head pays for its floor with a
    higher rate than `RootMeanSquareScalerHead`.
    """

    def __init__(self, features: int, latent_dimensions: int, *, tau: float = 0.5) -> None:
        super().__init__(features, latent_dimensions, tau=tau)
        self.mean = nn.Linear(features, latent_dimensions, bias=False)
        self.std = nn.Linear(features, latent_dimensions, bias=False)
        self.standardise_mean = BatchStandardiser(latent_dimensions)
        self.standardise_std = BatchStandardiser(latent_dimensions)

    def _posterior(self, features: Float[Tensor, "B F"]) -> Posterior:
        gammas = self.scaler()
        mean = gammas.mean * self.standardise_mean(self.mean(features))
        std = gammas.std * self.standardise_std(self.std(features))
        return Posterior(mean, std.abs())


@final
class RootMeanSquareScalerHead(ScalerHead):
    """The Scaler on a standardised mean and a positive std of unit second moment; this project's variant.

    std_hat = softplus(h) / sqrt(batch mean of softplus(h)^2): never zero, second moment exactly 1, not centred.
    """

    def __init__(self, features: int, latent_dimensions: int, *, tau: float = 0.5) -> None:
        super().__init__(features, latent_dimensions, tau=tau)
        self.mean = nn.Linear(features, latent_dimensions, bias=False)
        self.std = nn.Linear(features, latent_dimensions)
        self.standardise_mean = BatchStandardiser(latent_dimensions)
        self.normalise_std = RootMeanSquareNormaliser(latent_dimensions)

    def _posterior(self, features: Float[Tensor, "B F"]) -> Posterior:
        gammas = self.scaler()
        mean = gammas.mean * self.standardise_mean(self.mean(features))
        raw = self.std(features).clamp_min(LOWEST_RAW_STD)
        return Posterior(mean, gammas.std * self.normalise_std(F.softplus(raw)))


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


def fixed_floors(head: str, latent_dimensions: int, *, tau: float, gamma: float) -> list[float]:
    """The fixed floor of each dimension that a head of this description has, in nats, without building it."""
    floor = {"bn-mean": gamma**2 / 2, "bn-scaler": fixed_floor(tau), "rms-scaler": fixed_floor(tau)}.get(head, 0.0)
    return [floor] * latent_dimensions
