"""The Scaler: one unit of second moment shared between a posterior's mean and std, for one tau or for every tau."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from bnvae.nn.tau_features import TAU_FEATURES, tau_features

THETA_UNITS: Final = 32
"""hidden units of the network from tau to theta"""
AVERAGED_TAUS: Final = 64
"""values of tau over which an amortised scaler's factors and floors are averaged for a record"""


def fixed_floor(tau: float) -> float:
    """Smallest expected KL of one dimension under a `Scaler` with this tau, whatever it learns, in nats.

    -ln(1 - tau) / 2: by Jensen's inequality from E[mean_d^2 + std_d^2] = 1 and E[std_d^2] <= 1 - tau.
    """
    return -0.5 * math.log1p(-tau)


def mean_fixed_floor(tau_max: float) -> float:
    """Mean of `fixed_floor` over the draws of an amortised scaler, in nats: they are uniform in it."""
    return fixed_floor(tau_max) / 2


@final
@dataclass(frozen=True)
class Gammas:
    """A scaler's two factors: E[mean_d^2] = mean^2, E[std_d^2] = std^2, and their squares sum to 1."""

    mean: Float[Tensor, "*K D"]
    std: Float[Tensor, "*K D"]


def gammas_of(tau: float | Float[Tensor, "K 1"], theta: Float[Tensor, "*K D"]) -> Gammas:
    """gamma_mean^2 = tau + (1 - tau) sigmoid(theta), gamma_std^2 = (1 - tau) sigmoid(-theta); Su 2020."""
    mean_share = tau + (1 - tau) * torch.sigmoid(theta)
    std_share = (1 - tau) * torch.sigmoid(-theta)
    return Gammas(mean_share.sqrt(), std_share.sqrt())


class BaseScaler(nn.Module, ABC):
    """Shares one unit of second moment between mean and std: gamma_mean^2 + gamma_std^2 = 1; Su 2020.

    The mean always keeps the share tau, and theta, learned per dimension from 0, decides about the rest.
    """

    def __init__(self, tau: float) -> None:
        super().__init__()
        if not 0 <= tau < 1:
            raise ValueError(f"tau is {tau}: give 0 <= tau < 1; at 1 every posterior would have no spread left.")
        self.tau = tau

    @abstractmethod
    def theta_at(self, tau: Float[Tensor, "K"]) -> Float[Tensor, "K D"]:
        """theta of each dimension at each tau."""

    def at(self, tau: Float[Tensor, "K"]) -> Gammas:
        """The factors at each tau, each (K, D)."""
        return gammas_of(tau[:, None], self.theta_at(tau))

    @abstractmethod
    def in_training(self) -> Gammas:
        """The factors, each (D,), whose squares are the second moments over all that is trained on."""

    @abstractmethod
    def fixed_floor(self) -> float:
        """Floor under E[KL_d] in training, whatever is learned, in nats."""

    @abstractmethod
    def current_floor(self) -> Float[Tensor, "D"]:
        """Floor under E[KL_d] in training at the present theta, in nats: the mean of -ln(gamma_std^2) / 2."""


@final
class Scaler(BaseScaler):
    """One tau; theta is a parameter. At another tau the posteriors are rescaled: theta stays what it is."""

    theta: nn.Parameter

    def __init__(self, latent_dimensions: int, tau: float) -> None:
        super().__init__(tau)
        self.theta = nn.Parameter(torch.zeros(latent_dimensions))

    def forward(self) -> Gammas:
        return gammas_of(self.tau, self.theta)

    def theta_at(self, tau: Float[Tensor, "K"]) -> Float[Tensor, "K D"]:
        return self.theta.expand(len(tau), -1)

    def in_training(self) -> Gammas:
        return self.forward()

    def fixed_floor(self) -> float:
        return fixed_floor(self.tau)

    def current_floor(self) -> Float[Tensor, "D"]:
        # Written so that a large theta does not overflow.
        return fixed_floor(self.tau) - 0.5 * F.logsigmoid(-self.theta.detach())


@final
class AmortisedScaler(BaseScaler):
    """Every tau from 0 to `tau_max` at once: one drawn for each example, and theta a function of it.

    One network trained for a range of objectives: Dosovitskiy & Djolonga, ICLR 2020. `tau` is where figures are taken.
    Drawn uniformly, large tau would come too seldom to be learned, and those ask the most of a decoder; so the floor
    -ln(1 - tau) / 2 is what is uniform: every nat of rate is trained alike.
    """

    def __init__(self, latent_dimensions: int, tau: float, tau_max: float) -> None:
        super().__init__(tau)
        if not tau <= tau_max < 1 or tau_max == 0:
            raise ValueError(f"tau_max is {tau_max}: give a number above 0 and below 1, and not below tau, {tau}.")
        self.tau_max = tau_max
        self.hidden = nn.Linear(TAU_FEATURES, THETA_UNITS)
        self.theta = nn.Linear(THETA_UNITS, latent_dimensions)
        nn.init.zeros_(self.theta.weight)  # theta starts at 0 for every tau
        nn.init.zeros_(self.theta.bias)

    def forward(self) -> Gammas:
        gammas = self.at(self.hidden.weight.new_tensor([self.tau]))
        return Gammas(gammas.mean[0], gammas.std[0])

    def draw(self, count: int, generator: torch.Generator | None) -> Float[Tensor, "K"]:
        """One tau for each of `count` examples, from 0 to `tau_max`, its floor uniform.

        Stratified: the i-th from the i-th of `count` equal parts, so that every batch covers the range. The examples
        of a batch come in random order, so which one meets which tau is random as well.
        """
        device = self.hidden.weight.device
        drawn = torch.rand(count, generator=generator, device=device)
        return self._tau_at((torch.arange(count, device=device) + drawn) / count)

    def theta_at(self, tau: Float[Tensor, "K"]) -> Float[Tensor, "K D"]:
        theta: Tensor = self.theta(F.silu(self.hidden(tau_features(tau))))
        return theta

    def in_training(self) -> Gammas:
        gammas = self.at(self._all_taus())
        return Gammas(gammas.mean.square().mean(0).sqrt(), gammas.std.square().mean(0).sqrt())

    def fixed_floor(self) -> float:
        return mean_fixed_floor(self.tau_max)

    @torch.no_grad()
    def current_floor(self) -> Float[Tensor, "D"]:
        spare = -0.5 * F.logsigmoid(-self.theta_at(self._all_taus()))  # above the fixed floor of each tau
        return self.fixed_floor() + spare.mean(0)

    def _all_taus(self) -> Float[Tensor, "K"]:
        middles = (torch.arange(AVERAGED_TAUS) + 0.5) / AVERAGED_TAUS
        return self._tau_at(middles.to(self.hidden.weight.device))

    def _tau_at(self, share: Float[Tensor, "K"]) -> Float[Tensor, "K"]:
        """The tau whose floor is this share of the largest one's."""
        return -torch.expm1(share * math.log1p(-self.tau_max))
