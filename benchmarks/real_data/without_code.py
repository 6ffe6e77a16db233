"""A text VAE's decoder that is never told its code: the language model with which every VAE has to be compared.

The decoder is the VAE's own, with the same initial weights, batches and optimiser, but it reads zeros for z, and the
posterior is the prior itself. Its rate is 0 exactly, so -ELBO is -ln p(x) and needs no importance samples.
"""

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from bnvae.config.schema import RunConfig
from bnvae.data.dataset import TextShape
from bnvae.nn.networks import Decoder, Encoder, Likelihood, build_decoder, build_encoder
from bnvae.nn.posterior import Posterior, PosteriorHead
from bnvae.nn.vae import VAE


@final
class NoEncoder(Encoder):
    """One feature that says nothing."""

    features = 1

    def forward(self, examples: Int[Tensor, "B L"]) -> Float[Tensor, "B 1"]:
        return torch.zeros(len(examples), 1, device=examples.device)


@final
class PriorHead(PosteriorHead):
    """q(z|x) = p(z)."""

    def _posterior(self, features: Float[Tensor, "B F"]) -> Posterior:
        mean = features.new_zeros(len(features), self.latent_dimensions)
        return Posterior(mean, torch.ones_like(mean))

    def fixed_floor(self) -> Float[Tensor, "D"]:
        return torch.zeros(self.latent_dimensions)

    current_floor = fixed_floor


@final
class BlindDecoder(Decoder):
    """A decoder that reads zeros, whatever the code."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def likelihood(
        self, z: Float[Tensor, "B D"], examples: Tensor, tau: Float[Tensor, "B"] | None = None
    ) -> Likelihood:
        return self.decoder.likelihood(torch.zeros_like(z), examples, tau)


def language_model(config: RunConfig, shape: TextShape) -> VAE:
    """The decoder of `VAE.build` for the same configuration and seed, without its code."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        build_encoder(config.network, config.model, shape)  # drawn first there, so that the decoder's weights are equal
        decoder = build_decoder(config.network, config.model, shape)
    return VAE(NoEncoder(), PriorHead(1, config.model.latent_dimensions), BlindDecoder(decoder))
