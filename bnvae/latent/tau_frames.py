"""A film strip over tau: what a decoder makes of the same noise at about 50 values of tau, and at which price."""

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from bnvae.data.random_subset import random_subset
from bnvae.metrics.generation import Decoding, decode_codes, shared_codes
from bnvae.metrics.scaler_curves import LARGEST_TAU
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import distortions, encode
from bnvae.training.sampler import mix

PICTURES = 8
"""test examples that are reconstructed, and prior samples"""
PRICED_EXAMPLES = 128
"""test examples, drawn at random, over which the distortion is averaged"""
PRICE_EVERY = 3
"""the distortion is taken at every third tau: it is smooth there, and most of the time of a strip"""
SEED = 8


@final
@dataclass(frozen=True, kw_only=True)
class FilmStrip:
    """One frame for each tau; noise and examples are the same in all of them."""

    taus: Float[np.ndarray, " T"]
    """ascending"""
    reconstructions: Tensor
    """(T, K, ...) pixels or tokens, decoded from one draw of z of each example"""
    samples: Tensor
    """(S, K, ...) decoded from the prior; S = 1 where the decoder never sees tau, else T"""
    priced_taus: Float[np.ndarray, " P"]
    """where the distortion is known"""
    distortion: Float[np.ndarray, " P"]
    """-E ln p(x|z) over some test examples (nats)"""


def strip_taus(largest: float) -> Float[np.ndarray, " T"]:
    """0, 0.02, 0.04, ..., and `largest` at the end."""
    taus = np.round(np.arange(0, largest - 1e-9, 0.02), 2)
    return np.append(taus, largest)


def chosen_examples(labels: Tensor, count: int = PICTURES, *, page: int = 0) -> Tensor:
    """Indices of the first example of each label, then of the second, and so on: as different as can be.

    `count` of them, from `page * count` on.
    """
    seen: dict[int, int] = {}
    ranks = []
    for place, label in enumerate(labels.tolist()):
        seen[label] = seen.get(label, 0) + 1
        ranks.append((seen[label], label, place))
    return torch.tensor([place for _, _, place in sorted(ranks)[page * count : (page + 1) * count]], dtype=torch.long)


def strip_of(
    model: VAE,
    shape: object,
    examples: Tensor,
    labels: Int[Tensor, "N"],
    taus: Float[np.ndarray, " T"],
    *,
    page: int = 0,
) -> FilmStrip:
    """The strip of the `page`-th eight of a run's kept examples, and of eight prior codes that all runs share."""
    codes = shared_codes(model, PICTURES, Decoding().seed)
    return render(model, shape, examples, chosen_examples(labels, page=page), codes, taus)


def taus_of(model: VAE) -> Float[np.ndarray, " T"]:
    """The values of tau at which a model with a Scaler is rendered."""
    return strip_taus(LARGEST_TAU if model.amortised is None else model.amortised.tau_max)


@torch.no_grad()
def render(
    model: VAE,
    shape: object,
    examples: Tensor,
    chosen: Tensor,
    prior_codes: Float[Tensor, "K D"],
    taus: Float[np.ndarray, " T"],
) -> FilmStrip:
    """The strip of a model with a Scaler over `taus`; `chosen` are the indices of the examples to reconstruct."""
    noise = _noise(model, examples)
    count = len(chosen)
    codes, at = [], []
    for tau in taus.tolist():
        posterior = encode(model, examples[chosen], tau)
        codes.append(posterior.mean + posterior.std * noise[chosen])
        at.append(torch.full((count,), tau))
    rebuilt = decode_codes(model, shape, torch.cat(codes), tau=torch.cat(at))
    if model.amortised is None:
        samples = decode_codes(model, shape, prior_codes)
    else:
        samples = decode_codes(model, shape, prior_codes.repeat(len(taus), 1), tau=torch.cat(at))
    priced = sorted({*range(0, len(taus), PRICE_EVERY), len(taus) - 1})
    return FilmStrip(
        taus=taus,
        reconstructions=rebuilt.view(len(taus), count, *rebuilt.shape[1:]),
        samples=samples.view(-1, len(prior_codes), *samples.shape[1:]),
        priced_taus=taus[priced],
        distortion=np.array([_price(model, examples, noise, float(taus[place])) for place in priced]),
    )


def _price(model: VAE, examples: Tensor, noise: Float[Tensor, "N D"], tau: float | None) -> float:
    rows = random_subset(len(examples), PRICED_EXAMPLES)
    part = examples[rows]
    posterior = encode(model, part, tau)
    codes = posterior.mean + posterior.std * noise[rows]
    return distortions(model, part, codes, tau).double().mean().item()


@torch.no_grad()
def price(model: VAE, examples: Tensor) -> float:
    """The distortion of any model at its own tau, in nats, over the examples and with the noise of a strip."""
    return _price(model, examples, _noise(model, examples), None)


def _noise(model: VAE, examples: Tensor) -> Float[Tensor, "N D"]:
    """Of each example, the same at every tau and in every model of as many dimensions."""
    generator = torch.Generator().manual_seed(mix(SEED, 1))
    return torch.randn(len(examples), model.latent_dimensions, generator=generator)
