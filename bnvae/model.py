"""The VAE: encoder, posterior head, latent code, decoder."""

from typing import Self, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bnvae.config import FIXED_SCALE, SCALED, ModelConfig, NetworkName
from bnvae.data.dataset import ImageShape, TextShape
from bnvae.networks import build_decoder, build_encoder
from bnvae.networks.base import Decoder, Encoder, use_generator
from bnvae.objective import ElboTerms
from bnvae.posterior import HEADS, Posterior, PosteriorHead


@final
class VAE(nn.Module):
    def __init__(self, encoder: Encoder, head: PosteriorHead, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.decoder = decoder
        self._generator: torch.Generator | None = None

    @classmethod
    def build(cls, network: NetworkName, config: ModelConfig, shape: ImageShape | TextShape, *, seed: int) -> Self:
        """A freshly initialised model; equal seeds give equal weights, whatever was drawn before."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            # Encoder and decoder come first, so that twins with different heads share their initial weights.
            encoder = build_encoder(network, config, shape)
            decoder = build_decoder(network, config, shape)
            return cls(encoder, build_head(config, encoder.features), decoder)

    @property
    def latent_dimensions(self) -> int:
        return self.head.latent_dimensions

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def use_generator(self, generator: torch.Generator | None) -> None:
        """Draw all noise, dropout's and the latent code's, from `generator` from now on."""
        self._generator = generator
        use_generator(self, generator)

    def posterior(self, examples: Tensor) -> Posterior:
        """q(z|x) of each example."""
        return self.head(self.encoder(examples))  # type: ignore[no-any-return]

    def forward(self, examples: Tensor) -> tuple[ElboTerms, Posterior]:
        """The two terms of the ELBO with one draw of z an example, and the posteriors they came from."""
        posterior = self.posterior(examples)
        z = posterior.rsample(self._generator)
        distortion = -self.decoder.likelihood(z, examples).log_prob(examples)
        return ElboTerms(distortion, posterior.kl_per_dimension()), posterior

    def sample_prior(self, count: int, generator: torch.Generator) -> Float[Tensor, "B D"]:
        """`count` latent codes from the prior N(0, 1)."""
        z = torch.randn(count, self.latent_dimensions, generator=generator, device=generator.device)
        return z.to(self.device)


def build_head(config: ModelConfig, features: int) -> PosteriorHead:
    """The head that `config` names, for features of this width, with the constant that it has."""
    head = HEADS[config.head]
    if config.head in SCALED:
        return head(features, config.latent_dimensions, tau=config.tau)  # type: ignore[call-arg]
    if config.head in FIXED_SCALE:
        return head(features, config.latent_dimensions, gamma=config.gamma)  # type: ignore[call-arg]
    return head(features, config.latent_dimensions)
