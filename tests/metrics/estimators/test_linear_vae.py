"""A linear VAE trained to its end is probabilistic PCA: its ELBO and its evidence reach PCA's largest likelihood.

Lucas et al. 2019, "Don't Blame the ELBO!", arXiv:1911.02469; Tipping & Bishop 1999.
"""

import dataclasses
import math
from itertools import count
from typing import final

import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn

from bnvae.config.schema import RunConfig
from bnvae.data.dataset import Split
from bnvae.metrics.estimators.importance_sampling import importance_sampled_nll
from bnvae.nn.networks.base import Decoder, Encoder, Likelihood
from bnvae.nn.posterior import GaussianHead
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import distortions, draw_codes, encode
from bnvae.training.trainer import Trainer

DIMENSIONS, PIXELS, EXAMPLES = 2, 5, 200
LEARNING_RATES = (3e-2, 1e-2, 2e-3)
STEPS_OF_EACH = 250
DRAWS = 200


@final
class Flat(Encoder):
    features = PIXELS

    def forward(self, examples: Tensor) -> Tensor:
        return examples.flatten(1)


@final
class Gaussian(Likelihood):
    def __init__(self, mean: Tensor, log_scale: Tensor) -> None:
        self.mean, self.log_scale = mean, log_scale

    def log_prob(self, examples: Tensor) -> Tensor:
        error = (examples.flatten(1) - self.mean) * torch.exp(-self.log_scale)
        return (-0.5 * error.square() - self.log_scale - 0.5 * math.log(2 * math.pi)).sum(1)


@final
class LinearDecoder(Decoder):
    """p(x|z) = N(W z + b, scale^2), all of it learned."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Linear(DIMENSIONS, PIXELS)
        self.log_scale = nn.Parameter(torch.zeros(()))

    def likelihood(self, z: Tensor, examples: Tensor, tau: Tensor | None = None) -> Gaussian:
        return Gaussian(self.mean(z), self.log_scale)


@pytest.fixture(scope="module")
def points() -> Tensor:
    """Two directions of unequal spread, noise in all five, and a centre that is not zero."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.tensor([[1.2, 0.9, -0.6, 0.0, 0.3], [0.2, -0.5, 0.4, 0.9, -0.2]])
    noise = 0.5 * torch.randn(EXAMPLES, PIXELS, generator=generator)
    centre = torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0])
    return torch.randn(EXAMPLES, 2, generator=generator) @ directions + noise + centre


def trained(config: RunConfig, points: Tensor) -> tuple[VAE, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = VAE(Flat(), GaussianHead(PIXELS, DIMENSIONS), LinearDecoder())
    examples = points[:, None, None]
    split = Split(examples=examples, labels=torch.full((EXAMPLES,), -1))
    training = dataclasses.replace(config.training, epochs=STEPS_OF_EACH * len(LEARNING_RATES), batch_size=EXAMPLES)
    trainer = Trainer(model, split, split, training, record_every=10**6)
    steps = count()

    def lower_the_learning_rate() -> None:
        rate = LEARNING_RATES[next(steps) // STEPS_OF_EACH]
        lower = dataclasses.replace(training, learning_rate=rate)
        trainer.steer(dataclasses.replace(config, training=lower))

    for _ in trainer.fit(lower_the_learning_rate):
        pass
    return model.eval(), examples


def negative_elbo(model: VAE, examples: Tensor) -> float:
    posterior = encode(model, examples)
    drawn = [distortions(model, examples, draw_codes(posterior, seed)).mean().item() for seed in range(DRAWS)]
    return sum(drawn) / DRAWS + posterior.kl_per_dimension().sum(1).mean().item()


def test_a_linear_vae_reaches_the_likelihood_of_probabilistic_pca(tiny: RunConfig, points: Tensor) -> None:
    best = PCA(DIMENSIONS).fit(points.numpy()).score(points.numpy())
    model, examples = trained(tiny, points)
    # What 750 steps leave to be learned is below 0.02 nats; a dimension more or less makes 0.3 nats.
    assert importance_sampled_nll(model, examples, 100).nll == pytest.approx(-best, abs=0.02)
    # At the optimum the posterior is exact, so that the bound is tight; the mean of the draws is known to 0.01 nats.
    assert -best - 0.01 < negative_elbo(model, examples) < -best + 0.04
