"""What every network offers: an encoder to features, a decoder to a likelihood, and dropout without hidden state."""

from abc import ABC, abstractmethod
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Encoder(nn.Module, ABC):
    """Turns examples into the features from which a posterior head makes q(z|x)."""

    features: int
    """F, width of the features"""

    @abstractmethod
    def forward(self, examples: Tensor) -> Float[Tensor, "B F"]:
        """Features of examples as a `Split` stores them: images uint8 (B, C, H, W), text int32 (B, L)."""


class Likelihood(ABC):
    """The distribution p(x|z) of a batch of examples, one for each latent code."""

    @abstractmethod
    def log_prob(self, examples: Tensor) -> Float[Tensor, "B"]:
        """log p(x|z) in nats, summed over all pixels and channels or tokens; float32 also under autocast."""


class Decoder(nn.Module, ABC):
    """Turns latent codes into p(x|z)."""

    @abstractmethod
    def likelihood(
        self, z: Float[Tensor, "B D"], examples: Tensor, tau: Float[Tensor, "B"] | None = None
    ) -> Likelihood:
        """p(x|z). Text predicts each token from those before it, which it reads from `examples`; images ignore them.

        A decoder made for every tau needs one for each code; any other ignores it.
        """

    def begin_at(self, examples: Tensor) -> None:
        """Take from the training examples what is known before the first step; here nothing."""


@final
class Dropout(nn.Module):
    """Sets a share of values to zero while training and scales the rest, so that the mean stays.

    `nn.Dropout` draws from a hidden global state; this one draws from `generator`, so that a training step is a
    function of its seed alone. On a CPU the mask compares 16-bit numbers, four from each 64-bit draw, which takes a
    tenth of the time; the share is thereby rounded to 1/65536, and the scale is that of the rounded share.
    """

    generator: torch.Generator | None
    """source of the mask, on the device of the values; None: torch's default. See `use_generator`."""

    def __init__(self, share: float) -> None:
        super().__init__()
        if not 0 <= share < 1:
            raise ValueError(f"dropout is {share!r}: give a share from 0 to below 1.")
        self.dropped = min(round(share * 65536), 65535)
        self.generator = None

    def forward(self, values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        if not self.training or not self.dropped:
            return values
        scale = 65536 / (65536 - self.dropped)
        if values.device.type == "cpu":
            draws = torch.empty((values.numel() + 3) // 4, dtype=torch.int64, device=values.device)
            draws.random_(-(2**63), None, generator=self.generator)
            lanes = draws.view(torch.int16)[: values.numel()].view(values.shape)
            # `out=` writes ones and zeros at once; comparing to booleans and converting those takes six times as long.
            mask = torch.ge(lanes, self.dropped - 32768, out=torch.empty_like(values, requires_grad=False))
        else:
            mask = torch.empty_like(values).bernoulli_(1 - self.dropped / 65536, generator=self.generator)
        return values * mask.mul_(scale)


def use_generator(module: nn.Module, generator: torch.Generator | None) -> None:
    """Makes every `Dropout` inside `module` draw its masks from `generator`; None: from torch's default generator."""
    for part in module.modules():
        if isinstance(part, Dropout):
            part.generator = generator
