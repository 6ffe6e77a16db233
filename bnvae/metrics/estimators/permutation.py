"""Whether the decoder uses z: the cost of giving it another example's, and how many of ten outputs differ."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from bnvae.data.dataset import ImageShape, TextShape
from bnvae.metrics.generation import decode_codes
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import distortions, draw_codes, encode
from bnvae.training.mutual_information import PermutedRise, rise_if_permuted, standard_error
from bnvae.training.sampler import mix

CODES_PER_GROUP, GROUPS = 10, 10
SAME_GREY_LEVELS = 25
"""pictures without a pixel that differs by more (of 255 levels) count as one"""


@final
@dataclass(frozen=True, kw_only=True)
class DistinctShare:
    """How many of ten outputs of the decoder differ."""

    distinct_share: float
    """share of distinct outputs among ten prior codes, from 1/10 to 1: mean of ten groups of ten"""
    distinct_share_standard_error: float | None
    """of that mean over the ten groups"""


@torch.no_grad()
def permuted_rise(model: VAE, examples: Tensor, *, seed: int = 0) -> PermutedRise:
    """Rise of the distortion when z is permuted among examples such that no example keeps its own, in eval mode.

    The direct test of whether a decoder uses its code: a positive KL proves only that posteriors differ from the prior.
    """
    codes = draw_codes(encode(model, examples), seed)
    return rise_if_permuted(model, examples, codes, distortions(model, examples, codes), seed=seed)


def distinct_share(model: VAE, shape: ImageShape | TextShape, *, seed: int = 0) -> DistinctShare:
    """Share of distinct outputs among ten prior codes, from 1/10 to 1: mean of ten groups of ten.

    Sentences are decoded greedily and distinct if a token differs; pictures if a pixel differs by more than 25 of 255.
    """
    generator = torch.Generator().manual_seed(mix(seed, 7))
    made = decode_codes(model, shape, model.sample_prior(CODES_PER_GROUP * GROUPS, generator))
    most = SAME_GREY_LEVELS if isinstance(shape, ImageShape) else 0
    groups = torch.split(made, CODES_PER_GROUP)
    shares = torch.tensor([distinct_count(group.flatten(1), most) / CODES_PER_GROUP for group in groups]).double()
    return DistinctShare(distinct_share=shares.mean().item(), distinct_share_standard_error=standard_error(shares))


def distinct_count(rows: Tensor, largest_difference: int) -> int:
    """Rows that differ from each one counted before them by more than this somewhere."""
    kept: list[Tensor] = []
    for row in rows.to(torch.int32):
        if not any(int((row - other).abs().max()) <= largest_difference for other in kept):
            kept.append(row)
    return len(kept)
