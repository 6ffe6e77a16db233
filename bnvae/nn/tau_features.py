"""What the networks of a tau-amortised model see of tau."""

import math
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

FREQUENCIES: Final = 4
TAU_FEATURES: Final = 2 + 2 * FREQUENCIES
"""F, numbers that stand for one tau"""


def tau_features(tau: Float[Tensor, "B"]) -> Float[Tensor, "B F"]:
    """tau in [0, 1) as F numbers of similar size, of which a linear layer makes any smooth function of it.

    tau itself, the floor -ln(1 - tau) / 2 in nats, and Fourier features cos(pi k tau), sin(pi k tau) for k = 1 to 4.
    """
    tau = tau[:, None]
    angles = math.pi * torch.arange(1, FREQUENCIES + 1, device=tau.device) * tau  # (B, 4)
    return torch.cat([tau, -0.5 * torch.log1p(-tau), angles.cos(), angles.sin()], dim=1)
