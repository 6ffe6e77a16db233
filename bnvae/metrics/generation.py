"""From latent codes back to pictures and sentences."""

from dataclasses import dataclass
from typing import Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.data.dataset import TextShape
from bnvae.nn.networks.image import ImageDecoder
from bnvae.nn.networks.text import TextDecoder
from bnvae.nn.networks.text_generation import decode
from bnvae.nn.normalization import eval_mode
from bnvae.nn.vae import VAE, Tau
from bnvae.training.evaluation import encode
from bnvae.training.sampler import mix

DecodingMode = Literal["greedy", "sample", "beam"]

DECODE_CHUNK = 256


@final
@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How tokens are chosen from the decoder's distribution; pictures show its mean and ignore this."""

    mode: DecodingMode = "greedy"
    temperature: float = 1.0
    """sample: divides the logits (> 0); below 1 sharper, above 1 flatter"""
    top_p: float = 1.0
    """sample: only the most probable tokens that together reach this probability"""
    beams: int = 5
    """beam: partial sentences kept at each step"""
    seed: int = 0
    """sample: decides the draws"""


@final
@dataclass(frozen=True, kw_only=True)
class SampleSettings:
    """Which latent codes are decoded, and how."""

    count: int = 16
    """codes, or test examples"""
    spread: float = 1.0
    """standard deviation of the codes; 1 is the prior"""
    decoding: Decoding = Decoding()


def shared_codes(model: VAE, count: int, seed: int) -> Float[Tensor, "B D"]:
    """Prior codes whose first coordinates are the same for every model, whatever its number of dimensions."""
    columns = [
        torch.randn(count, generator=torch.Generator().manual_seed(mix(seed, 4, dimension)))
        for dimension in range(model.latent_dimensions)
    ]
    return torch.stack(columns, 1)


@torch.no_grad()
def decode_codes(
    model: VAE, shape: object, codes: Float[Tensor, "B D"], decoding: Decoding | None = None, *, tau: Tau = None
) -> Tensor:
    """Examples decoded from latent codes: uint8 (B, C, H, W) pixels, or int32 (B, L) tokens.

    A model made for every tau decodes at `tau`, one for all codes or one for each, None its own; any other ignores it.
    """
    decoding = decoding or Decoding()
    taus = model.decoder_tau(tau, len(codes))
    parts = torch.split(codes, DECODE_CHUNK)
    at = [None] * len(parts) if taus is None else torch.split(taus, DECODE_CHUNK)
    with eval_mode(model):
        chunks = [
            _decode(model, shape, chunk.to(model.device), own, decoding) for chunk, own in zip(parts, at, strict=True)
        ]
    if isinstance(shape, TextShape):
        longest = max(chunk.shape[1] for chunk in chunks)
        chunks = [torch.nn.functional.pad(chunk, (0, longest - chunk.shape[1])) for chunk in chunks]
    return torch.cat(chunks)


def _decode(model: VAE, shape: object, codes: Tensor, taus: Tensor | None, decoding: Decoding) -> Tensor:
    if isinstance(shape, TextShape):
        assert isinstance(model.decoder, TextDecoder)
        return decode(
            model.decoder,
            codes,
            tau=taus,
            mode=decoding.mode,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            beams=decoding.beams,
            max_tokens=shape.max_tokens,
            generator=torch.Generator(codes.device).manual_seed(decoding.seed),
        ).cpu()
    assert isinstance(model.decoder, ImageDecoder)
    pixels = model.decoder.mean(codes, taus)
    return (pixels.float().clamp(0, 1) * 255).round().to(torch.uint8).cpu()


def reconstruct(
    model: VAE, shape: object, examples: Tensor, decoding: Decoding | None = None, *, tau: float | None = None
) -> Tensor:
    """Each example decoded from its posterior mean, at the model's own tau unless one is given."""
    return decode_codes(model, shape, encode(model, examples, tau).mean, decoding, tau=tau)
