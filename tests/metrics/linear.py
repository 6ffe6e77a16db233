"""A decoder whose evidence is known in closed form."""

import math
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from bnvae.nn.networks.base import Decoder, Likelihood

SCALE = 0.7


@final
class LinearGaussian(Likelihood):
    def __init__(self, mean: Float[Tensor, "B P"]) -> None:
        self.mean = mean

    def log_prob(self, examples: Tensor) -> Float[Tensor, "B"]:
        error = (examples.flatten(1) - self.mean) / SCALE
        return (-0.5 * error.square() - math.log(SCALE) - 0.5 * math.log(2 * math.pi)).sum(1)


@final
class LinearDecoder(Decoder):
    """p(x|z) = N(W z, SCALE^2), so that p(x) = N(0, W W^T + SCALE^2 I)."""

    def __init__(self, weight: Float[Tensor, "P D"]) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def likelihood(self, z: Tensor, examples: Tensor, tau: Tensor | None = None) -> LinearGaussian:
        return LinearGaussian(z @ self.weight.T)
