"""The ELBO's terms where they differ: with a batch's own moments, with stored ones, and with those of the data."""

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from bnvae.data.random_subset import subset_order
from bnvae.nn.posterior import Posterior
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import PosteriorStatistics, distortions, draw_codes, encode
from bnvae.training.sampler import in_chunks, mix, take


@final
@dataclass(frozen=True, kw_only=True)
class ModeTerms:
    """Means over examples in one mode of the network; nats per example."""

    elbo: float
    distortion: float
    rate: float
    second_moment: float
    """E[mean_d^2 + std_d^2], mean over dimensions; the prior's is 1"""

    @classmethod
    def of(cls, posterior: Posterior, distortion: Tensor) -> "ModeTerms":
        statistics, cost = PosteriorStatistics.of(posterior), distortion.double().mean().item()
        rate = statistics.kl_per_dimension.sum().item()
        second = (statistics.mean_second_moment + statistics.std_second_moment).mean().item()
        return cls(elbo=-(cost + rate), distortion=cost, rate=rate, second_moment=second)


@torch.no_grad()
def in_eval_mode(model: VAE, examples: Tensor, *, seed: int = 0) -> ModeTerms:
    """Without dropout, with whatever moments the head has stored."""
    posterior = encode(model, examples)
    return ModeTerms.of(posterior, distortions(model, examples, draw_codes(posterior, seed)))


@torch.no_grad()
def in_training_mode(model: VAE, examples: Tensor, batch_size: int, *, seed: int = 0) -> ModeTerms:
    """With dropout, and with each batch's own moments; what the model has stored stays as it was.

    The batches are cut from a random order, as in training: those of a file that is sorted would have moments of their
    own. A last, smaller batch is left out, as in training, unless it is the only one.
    """
    examples = take(examples, subset_order(len(examples), seed=seed), None)
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    generator = torch.Generator(model.device).manual_seed(mix(seed, 8))
    was_training = model.training
    model.train()
    model.use_generator(generator)
    parts: list[tuple[Posterior, Tensor]] = []
    try:
        for batch in in_chunks(examples, batch_size):
            if parts and len(batch) < batch_size:
                break
            batch = batch.to(model.device)
            terms, posterior = model(batch)
            parts.append((posterior, terms.distortion))
    finally:
        model.use_generator(None)
        model.train(was_training)
        for name, value in model.named_buffers():
            value.copy_(buffers[name])
    mean, std = (torch.cat([getattr(posterior, name) for posterior, _ in parts]).cpu() for name in ("mean", "std"))
    return ModeTerms.of(Posterior(mean, std), torch.cat([distortion for _, distortion in parts]).cpu())
