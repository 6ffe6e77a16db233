"""Where the aggregated posterior has mass, compared with the prior."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from bnvae.posterior import VARIANCE_FLOOR, Posterior

HOLE_RATIO = 10.0
"""A code lies in a hole where the prior's density is more than this many times the aggregated posterior's."""
CHUNK_ROWS = 250


@torch.no_grad()
def log_aggregated_posterior(codes: Float[Tensor, "K D"], posterior: Posterior) -> Float[Tensor, "K"]:
    """ln q(z) of each code, q(z) the mixture of all N posteriors, in nats; fp64, since the squares below cancel."""
    mean, std = posterior.mean.double(), posterior.std.double()
    precision = std.square().clamp_min(VARIANCE_FLOOR).reciprocal()
    # sum_d (z - m)^2 p = z^2 . p - 2 z . (m p) + m^2 . p: three matrix products instead of a K x N x D array.
    weighted = mean * precision
    constant = (mean * weighted).sum(1) - precision.log().sum(1) + mean.shape[1] * math.log(2 * math.pi)
    found = []
    for part in torch.split(codes.double(), CHUNK_ROWS):
        log_density = -0.5 * (part.square() @ precision.T - 2 * part @ weighted.T + constant)
        found.append(torch.logsumexp(log_density, 1) - math.log(len(mean)))
    return torch.cat(found).float() if found else torch.empty(0)


def log_prior(codes: Float[Tensor, "K D"]) -> Float[Tensor, "K"]:
    """ln p(z) of each code under N(0, 1), in nats."""
    return -0.5 * (codes.square().sum(1) + codes.shape[1] * math.log(2 * math.pi))


def in_holes(codes: Float[Tensor, "K D"], posterior: Posterior) -> Bool[Tensor, "K"]:
    """Which codes lie where the decoder is asked for examples that it was hardly trained on."""
    return log_prior(codes) - log_aggregated_posterior(codes, posterior) > math.log(HOLE_RATIO)
