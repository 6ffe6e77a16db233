"""The VAE: encoder, posterior head, latent code, decoder."""

from typing import Self, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bnvae.config.schema import FIXED_SCALE, SCALED, ModelConfig, NetworkName
from bnvae.data.dataset import ImageShape, TextShape
from bnvae.nn.losses import ElboTerms
from bnvae.nn.networks import build_decoder, build_encoder
from bnvae.nn.networks.base import Decoder, Encoder, Likelihood, use_generator
from bnvae.nn.networks.likelihoods import unit_pixels
from bnvae.nn.posterior import HEADS, Posterior, PosteriorHead, ScalerHead
from bnvae.nn.scaler import AmortisedScaler

Tau = float | Float[Tensor, "B"] | None
"""One tau for all examples, one for each, or the model's own."""
TAUS_AN_EXAMPLE = 2
"""drawn in each step: with one, each tau sees too little of the data to be learned as by a model of its own"""


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

    @property
    def amortised(self) -> AmortisedScaler | None:
        """The scaler of a model that was made for every tau; None for any other."""
        scaler = self.head.scaler if isinstance(self.head, ScalerHead) else None
        return scaler if isinstance(scaler, AmortisedScaler) else None

    @property
    def tau(self) -> float | None:
        """The tau of the model, or of its figures if it was made for every tau; None without a Scaler."""
        return self.head.scaler.tau if isinstance(self.head, ScalerHead) else None

    def posterior(self, examples: Tensor, tau: Tau = None) -> Posterior:
        """q(z|x) of each example. A model made for one tau has its posteriors rescaled to another.

        Raises:
            ValueError: a tau is given and the head has no Scaler, or it is out of range.
        """
        features = self.encoder(examples)
        if tau is None:
            return self.head(features)  # type: ignore[no-any-return]
        return self.head(features, self.taus(tau, len(examples)))  # type: ignore[no-any-return]

    def likelihood(self, z: Float[Tensor, "B D"], examples: Tensor, tau: Tau = None) -> Likelihood:
        """p(x|z), at this tau if the model was made for every tau; the decoder of any other never saw one."""
        return self.decoder.likelihood(z, examples, self.decoder_tau(tau, len(z)))

    def decoder_tau(self, tau: Tau, count: int) -> Float[Tensor, "B"] | None:
        """What the decoder reads beside each of `count` codes: None unless the model was made for every tau."""
        own = self.amortised
        if own is None:
            return None
        return self.taus(own.tau if tau is None else tau, count)

    def taus(self, tau: float | Float[Tensor, "B"], count: int) -> Float[Tensor, "B"]:
        """One tau for each of `count` examples or codes, on the model's device.

        Raises:
            ValueError: the head has no Scaler, there are not as many as examples, or one is out of range.
        """
        if self.tau is None:
            raise ValueError(f"tau is given, and {type(self.head).__name__} has no Scaler: leave it out.")
        taus = torch.as_tensor(tau, dtype=torch.float32, device=self.device)
        if taus.dim() and taus.shape != (count,):
            raise ValueError(
                f"tau has shape {tuple(taus.shape)}: give one number, or one for each of {count} examples."
            )
        top = 1.0 if self.amortised is None else self.amortised.tau_max
        lowest, highest = taus.min().item(), taus.max().item()
        # Rounded to fp32, the largest that was trained may look larger.
        if not 0 <= lowest <= highest <= top * (1 + 1e-6) or highest >= 1:
            bad = lowest if not lowest >= 0 else highest
            limit = "give 0 <= tau < 1" if self.amortised is None else f"this model was trained from 0 to {top:g}"
            raise ValueError(f"tau is {bad:.6g}: {limit}.")
        return taus.expand(count)

    def forward(self, examples: Tensor) -> tuple[ElboTerms, Posterior]:
        """The two terms of the ELBO with one draw of z an example, and the posteriors they came from.

        While training, a model made for every tau draws two for each example, one below the median and one above: both
        terms have so many rows. The moments are those of the batch, in which each example counts twice.
        """
        scaler = self.amortised if self.training else None
        if examples.dtype == torch.uint8:
            examples = unit_pixels(examples)  # once, for the encoder and the likelihood
        features = self.encoder(examples)
        if scaler is None:
            tau, posterior = None, self.head(features)
        else:
            examples = examples.repeat(TAUS_AN_EXAMPLE, *[1] * (examples.dim() - 1))
            tau = scaler.draw(len(examples), self._generator)
            posterior = self.head(features.repeat(TAUS_AN_EXAMPLE, 1), tau)
        z = posterior.rsample(self._generator)
        # Drawn by ourselves: not looked at, since that would wait for the device.
        likelihood = self.likelihood(z, examples) if tau is None else self.decoder.likelihood(z, examples, tau)
        return ElboTerms(-likelihood.log_prob(examples), posterior.kl_per_dimension()), posterior

    def sample_prior(self, count: int, generator: torch.Generator) -> Float[Tensor, "B D"]:
        """`count` latent codes from the prior N(0, 1)."""
        z = torch.randn(count, self.latent_dimensions, generator=generator, device=generator.device)
        return z.to(self.device)


def build_head(config: ModelConfig, features: int) -> PosteriorHead:
    """The head that `config` names, for features of this width, with the constant that it has."""
    head = HEADS[config.head]
    if config.head in SCALED:
        return head(features, config.latent_dimensions, tau=config.tau, tau_max=config.amortised_to)  # type: ignore[call-arg]
    if config.head in FIXED_SCALE:
        return head(features, config.latent_dimensions, gamma=config.gamma)  # type: ignore[call-arg]
    return head(features, config.latent_dimensions)
