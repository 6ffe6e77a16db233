"""The ELBO and the posteriors' moments over a whole split, in eval mode, with exact moments in the head."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.data.random_subset import random_subset
from bnvae.nn.normalization import eval_mode, exact_moments, stores_moments
from bnvae.nn.posterior import Posterior
from bnvae.nn.vae import VAE
from bnvae.training.sampler import in_chunks, mix, take

ACTIVE_UNIT_VARIANCE = 0.01
"""A dimension is active if its posterior mean varies at least this much; Burda et al. 2016, arXiv:1509.00519."""

MOMENT_EXAMPLES = 10_000
"""Training examples, drawn at random, behind the stored moments of an evaluation during a training: enough to know a
variance to 1.4 %. The last evaluation of a training, and every later one, takes all."""

CHUNK_EXAMPLES = 512


@final
@dataclass(frozen=True)
class PosteriorStatistics:
    """Means over examples of what the posteriors of a model look like."""

    kl_per_dimension: Float[Tensor, "D"]
    """E[KL_d] (nats)"""
    mean_second_moment: Float[Tensor, "D"]
    """E[mean_d^2]"""
    std_second_moment: Float[Tensor, "D"]
    """E[std_d^2]"""
    mean_variance: Float[Tensor, "D"]
    """Var[mean_d] over examples"""

    @classmethod
    def of(cls, posterior: Posterior) -> "PosteriorStatistics":
        mean, std = posterior.mean.double(), posterior.std.double()
        return cls(
            posterior.kl_per_dimension().double().mean(0),
            mean.square().mean(0),
            std.square().mean(0),
            mean.var(0, correction=0),
        )

    @property
    def active_units(self) -> int:
        return active_units(self.mean_variance)


def active_units(mean_variance: Float[Tensor, "D"]) -> int:
    """Dimensions whose posterior mean varies by at least `ACTIVE_UNIT_VARIANCE` over the examples."""
    return int((mean_variance >= ACTIVE_UNIT_VARIANCE).sum())


@torch.no_grad()
def recompute_statistics(model: VAE, training: Tensor, *, most: int | None = None, seed: int = 0) -> None:
    """Give the head the moments of the training examples: of all, or of a random subset of at most `most`.

    Without it the stored exponential averages lag behind the encoder, and the KL in eval mode may be anything.
    """
    if not stores_moments(model.head):
        return
    if most is not None and most < len(training):
        training = take(training, random_subset(len(training), most, seed=seed), None)
    with eval_mode(model), exact_moments(model.head):
        for chunk in in_chunks(training, CHUNK_EXAMPLES):
            model.posterior(chunk.to(model.device))


@torch.no_grad()
def encode(model: VAE, examples: Tensor, tau: float | None = None) -> Posterior:
    """The posteriors of all examples, in eval mode, on the CPU; at the model's own tau unless one is given."""
    with eval_mode(model):
        parts = [model.posterior(chunk.to(model.device), tau) for chunk in in_chunks(examples, CHUNK_EXAMPLES)]
    return Posterior(torch.cat([part.mean for part in parts]).cpu(), torch.cat([part.std for part in parts]).cpu())


@torch.no_grad()
def distortions(
    model: VAE, examples: Tensor, codes: Float[Tensor, "N D"], tau: float | None = None
) -> Float[Tensor, "N"]:
    """-ln p(x|z) of each example given its code, in nats, summed over pixels or tokens, in eval mode."""
    parts = []
    with eval_mode(model):
        for z, chunk in zip(torch.split(codes, CHUNK_EXAMPLES), in_chunks(examples, CHUNK_EXAMPLES), strict=True):
            chunk = chunk.to(model.device)
            parts.append(-model.likelihood(z.to(model.device), chunk, tau).log_prob(chunk))
    return torch.cat(parts).cpu()


def draw_codes(posterior: Posterior, seed: int) -> Float[Tensor, "N D"]:
    """One latent code an example from its posterior, the same ones for the same seed."""
    return posterior.rsample(torch.Generator().manual_seed(mix(seed, 1)))
