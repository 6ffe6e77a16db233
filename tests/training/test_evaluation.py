"""Moments of the training set, where no regular choice of rows stands for all of them."""

import pytest
import torch
from torch import Tensor

from bnvae.config.schema import ModelConfig
from bnvae.data.dataset import ImageShape
from bnvae.nn.posterior import RootMeanSquareScalerHead
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import encode, recompute_statistics

EXAMPLES, PART = 6_000, 1_000
SHAPE = ImageShape(channels=1, height=8, width=8)


def rows(kind: str) -> Tensor:
    """Noisy pictures of six brightnesses: in turns, one brightness after another, or few pictures again and again."""
    place = torch.arange(EXAMPLES)
    group = {"alternating": place % 6, "sorted": place * 6 // EXAMPLES, "repeating": place % 6}[kind]
    noise = torch.randint(0, 40, (EXAMPLES, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    if kind == "repeating":
        noise = noise[group]
    return (noise + 40 * group[:, None, None, None]).to(torch.uint8)


def moments_of(examples: Tensor, model: VAE) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of what the head standardises, over all examples at once, in fp64."""
    assert isinstance(model.head, RootMeanSquareScalerHead)
    with torch.no_grad():
        raw = model.head.mean(model.encoder(examples)).double()
    return raw.mean(0), raw.var(0, correction=0)


@pytest.fixture
def model() -> VAE:
    config = ModelConfig(network="mlp", head="rms-scaler", hidden_units=16, latent_dimensions=4)
    return VAE.build("mlp", config, SHAPE, seed=0).eval()


@pytest.mark.parametrize("kind", ["alternating", "sorted", "repeating"])
def test_the_stored_moments_are_those_of_the_whole_set(kind: str, model: VAE) -> None:
    examples = rows(kind)
    recompute_statistics(model, examples)
    center, square = moments_of(examples, model)
    assert isinstance(model.head, RootMeanSquareScalerHead)
    torch.testing.assert_close(model.head.standardise_mean.center.double(), center, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(model.head.standardise_mean.square.double(), square, atol=1e-5, rtol=1e-4)
    posterior = encode(model, examples)
    second = (posterior.mean.double().square() + posterior.std.double().square()).mean(0)
    torch.testing.assert_close(second, torch.ones_like(second), atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", ["alternating", "sorted", "repeating"])
def test_a_part_is_a_fair_sample_of_the_whole_set(kind: str, model: VAE) -> None:
    examples = rows(kind)
    center, square = moments_of(examples, model)
    assert isinstance(model.head, RootMeanSquareScalerHead)
    for seed in range(5):
        recompute_statistics(model, examples, most=PART, seed=seed)
        found = model.head.standardise_mean
        # Five standard errors of a mean, and of a variance of values in a few narrow groups, which have no long tails.
        assert ((found.center - center).abs() < 5 * (square / PART).sqrt()).all()
        assert ((found.square / square - 1).abs() < 5 * (2 / PART) ** 0.5).all()


def test_other_seeds_draw_other_parts_and_equal_ones_the_same(model: VAE) -> None:
    assert isinstance(model.head, RootMeanSquareScalerHead)
    found = []
    for seed in (0, 1, 0):
        recompute_statistics(model, rows("sorted"), most=PART, seed=seed)
        found.append(model.head.standardise_mean.center.clone())
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])
