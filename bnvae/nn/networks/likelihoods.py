"""The distributions p(x|z) that decoders return: pixels as Bernoulli or Gaussian, sentences token by token."""

import math
from typing import final

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional

from bnvae.data.dataset import PAD
from bnvae.nn.networks.base import Likelihood
from bnvae.nn.networks.binary_cross_entropy import log_prob_of_pixels
from bnvae.nn.networks.cross_entropy import log_prob_of_targets

NEVER_PREDICTED = 2
"""PAD and START, the first ids, follow no token: the output layer has no rows for them, so p(x|z) sums to one."""


Pixels = UInt8[Tensor, "B C H W"] | Float[Tensor, "B C H W"]
"""as a `Split` stores them, 0 to 255, or as `unit_pixels` makes them"""


def unit_pixels(examples: Pixels) -> Float[Tensor, "B C H W"]:
    """Pixels from 0 to 1; what is a float already is returned as it is."""
    return examples if examples.is_floating_point() else examples.float().mul_(1 / 255)


@final
class BernoulliLikelihood(Likelihood):
    """Grey pixels x in [0, 1]: log p(x|z) = sum of x ln p + (1 - x) ln(1 - p), with p = sigmoid(logits).

    A probability where pixels are 0 or 1. In between it is the usual cross-entropy, without the normalising constant
    of Loaiza-Ganem & Cunningham 2019, arXiv:1907.06845, so such values compare models of the same data only.
    """

    def __init__(self, logits: Float[Tensor, "B C H W"]) -> None:
        self.logits = logits.float()

    @property
    def mean(self) -> Float[Tensor, "B C H W"]:
        return self.logits.sigmoid()

    def log_prob(self, examples: Pixels) -> Float[Tensor, "B"]:
        return log_prob_of_pixels(self.logits.flatten(1), unit_pixels(examples).flatten(1))


@final
class GaussianLikelihood(Likelihood):
    """Colour pixels x in [0, 1] as a density: log p(x|z) = sum of ln N(x; mean, scale^2), one scale for all pixels.

    A density, not a probability: it is positive for a small scale, and bits per dimension of 256 grey levels are larger
    by 8.
    """

    def __init__(self, mean: Float[Tensor, "B C H W"], log_scale: Float[Tensor, ""]) -> None:
        self._mean = mean.float()
        self.log_scale = log_scale.float()

    @property
    def mean(self) -> Float[Tensor, "B C H W"]:
        return self._mean.clamp(0, 1)

    def log_prob(self, examples: Pixels) -> Float[Tensor, "B"]:
        error = (unit_pixels(examples) - self._mean).flatten(1)
        pixels = error.shape[1]
        constant = pixels * (self.log_scale + 0.5 * math.log(2 * math.pi))
        return -0.5 * torch.exp(-2 * self.log_scale) * error.square().sum(1) - constant


@final
class TokenLikelihood(Likelihood):
    """Sentences: log p(x|z) = sum over t of ln p(x_t | x_before_t, z), END counted and PAD not."""

    def __init__(self, hidden: Float[Tensor, "B T H"], output: nn.Linear) -> None:
        """`hidden[:, t]` has read the tokens up to t; `output` turns it into logits of the ids from END on."""
        self.hidden = hidden
        self.output = output

    def log_prob(self, examples: Int[Tensor, "B L"]) -> Float[Tensor, "B"]:
        return self.log_prob_per_token(examples).sum(1)

    def log_prob_per_token(self, examples: Int[Tensor, "B L"]) -> Float[Tensor, "B T"]:
        """ln p(x_t | x_before_t, z) in nats of every token after START, T = L - 1; 0 where the token is PAD."""
        targets = examples[:, 1:].long()
        counted: Bool[Tensor, "B T"] = targets != PAD
        where = counted.flatten().nonzero().squeeze(1)
        # Only positions with a token reach the output layer, the dearest part of the network: padding costs nothing.
        hidden = self.hidden.flatten(0, 1).index_select(0, where)
        found = targets.flatten().index_select(0, where) - NEVER_PREDICTED
        log_probs = log_prob_of_targets(hidden, self.output.weight, self.output.bias, found)
        return log_probs.new_zeros(targets.numel()).index_copy(0, where, log_probs).view(targets.shape)


def token_logits(hidden: Float[Tensor, "*B H"], output: nn.Linear) -> Float[Tensor, "*B V"]:
    """Logits of all ids, float32; minus infinity for the two that are never predicted."""
    return functional.pad(output(hidden).float(), (NEVER_PREDICTED, 0), value=-math.inf)
