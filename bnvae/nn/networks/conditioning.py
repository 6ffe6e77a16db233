"""How a decoder sees tau: not at all, as a scale and shift of its hidden values, or beside the latent code."""

from abc import ABC, abstractmethod
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bnvae.config.schema import ModelConfig
from bnvae.nn.tau_features import TAU_FEATURES, tau_features


def _given(tau: Float[Tensor, "B"] | None) -> Float[Tensor, "B"]:
    if tau is None:
        raise ValueError("tau is None: this decoder was made for every tau; give one for each latent code.")
    return tau


class Condition(nn.Module, ABC):
    """What tau does to the hidden values of one layer."""

    @abstractmethod
    def forward(self, values: Float[Tensor, "B C *S"], tau: Float[Tensor, "B"] | None) -> Float[Tensor, "B C *S"]: ...


@final
class Unconditioned(Condition):
    def forward(self, values: Float[Tensor, "B C *S"], tau: Float[Tensor, "B"] | None) -> Float[Tensor, "B C *S"]:
        return values


@final
class Film(Condition):
    """(1 + scale(tau)) * values + shift(tau), one of each a channel, both 0 at first; Perez et al. 2018,
    arXiv:1709.07871."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale_and_shift = nn.Linear(TAU_FEATURES, 2 * channels)
        nn.init.zeros_(self.scale_and_shift.weight)
        nn.init.zeros_(self.scale_and_shift.bias)

    def forward(self, values: Float[Tensor, "B C *S"], tau: Float[Tensor, "B"] | None) -> Float[Tensor, "B C *S"]:
        of_tau: Tensor = self.scale_and_shift(tau_features(_given(tau)))
        scale, shift = of_tau.view(len(values), 2, -1, *[1] * (values.dim() - 2)).unbind(1)  # each (B, C, 1, ...)
        return torch.addcmul(values + shift, values, scale)


def condition(config: ModelConfig, channels: int) -> Condition:
    """What a layer of so many channels has in this model."""
    return Film(channels) if config.amortised else Unconditioned()


class Reading(nn.Module, ABC):
    """What a decoder of text reads beside each token."""

    width: int
    """numbers"""

    @abstractmethod
    def forward(self, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None) -> Float[Tensor, "B W"]: ...


@final
class CodeAlone(Reading):
    def __init__(self, latent_dimensions: int) -> None:
        super().__init__()
        self.width = latent_dimensions

    def forward(self, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None) -> Float[Tensor, "B W"]:
        return z


@final
class CodeAndTau(Reading):
    """The latent code, and behind it the features of tau."""

    def __init__(self, latent_dimensions: int) -> None:
        super().__init__()
        self.width = latent_dimensions + TAU_FEATURES

    def forward(self, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None) -> Float[Tensor, "B W"]:
        return torch.cat([z, tau_features(_given(tau)).to(z.dtype)], dim=1)


def reading(config: ModelConfig) -> Reading:
    """What a decoder of text reads in this model."""
    return CodeAndTau(config.latent_dimensions) if config.amortised else CodeAlone(config.latent_dimensions)
