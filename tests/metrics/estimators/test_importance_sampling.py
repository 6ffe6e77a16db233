"""The importance-weighted bound: between the ELBO and an evidence known in closed form, however it is batched."""

import math
from itertools import product
from typing import final

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from bnvae.config.schema import ModelConfig, RunConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import END, START, TextShape
from bnvae.metrics.estimators.importance_sampling import importance_sampled_nll, log_mean_exp
from bnvae.nn.networks.base import Encoder
from bnvae.nn.posterior import GaussianHead
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import distortions, draw_codes, encode
from tests.metrics.linear import SCALE, LinearDecoder

DIMENSIONS, PIXELS = 2, 5


@final
class Flat(Encoder):
    features = PIXELS

    def forward(self, examples: Tensor) -> Tensor:
        return examples.flatten(1)


def linear_model(*, offset: float) -> tuple[VAE, Tensor, float]:
    """A linear VAE whose posterior is the true one but for an offset of its mean; examples; their exact -ln p(x)."""
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(PIXELS, DIMENSIONS, generator=generator)
    precision = torch.eye(DIMENSIONS) + weight.T @ weight / SCALE**2
    head = GaussianHead(PIXELS, DIMENSIONS)
    with torch.no_grad():
        head.mean.weight.copy_(torch.linalg.inv(precision) @ weight.T / SCALE**2)
        head.mean.bias.fill_(offset)
        # The true posterior is correlated; its diagonal precision is the best diagonal Gaussian.
        head.log_variance.weight.zero_()
        head.log_variance.bias.copy_(-precision.diagonal().log())
    examples = torch.randn(400, DIMENSIONS, generator=generator) @ weight.T
    examples = (examples + SCALE * torch.randn(400, PIXELS, generator=generator))[:, None, None]
    evidence = MultivariateNormal(torch.zeros(PIXELS), weight @ weight.T + SCALE**2 * torch.eye(PIXELS))
    exact = -evidence.log_prob(examples.flatten(1)).mean().item()  # type: ignore[no-untyped-call]
    return VAE(Flat(), head, LinearDecoder(weight)).eval(), examples, exact


@pytest.mark.parametrize(("offset", "gap"), [(0.0, 0.005), (0.25, 0.2)])
def test_the_bound_lies_between_the_elbo_and_the_exact_evidence_and_closes_with_k(offset: float, gap: float) -> None:
    model, examples, exact = linear_model(offset=offset)
    posterior = encode(model, examples)
    elbo = -(distortions(model, examples, draw_codes(posterior, 0)) + posterior.kl_per_dimension().sum(1)).mean().item()

    found = importance_sampled_nll(model, examples, 2000)
    bounds = list(found.nll_by_samples.values())

    # The noise of draws: each bound's, over 400 examples, is below 0.05 nats at K = 1 and far below after.
    assert -elbo > bounds[-1] > exact - 0.01
    assert bounds == pytest.approx(sorted(bounds, reverse=True), abs=0.02)
    assert found.nll == pytest.approx(exact, abs=0.01)
    assert -elbo - exact > gap


def test_one_draw_gives_the_elbo(tiny: RunConfig) -> None:
    model, examples, _ = linear_model(offset=0.6)
    draws = [importance_sampled_nll(model, examples, 1, seed=seed).nll for seed in range(40)]
    posterior = encode(model, examples)
    costs = [distortions(model, examples, draw_codes(posterior, seed)).mean().item() for seed in range(40)]
    elbo = -(sum(costs) / 40 + posterior.kl_per_dimension().sum(1).mean().item())
    assert sum(draws) / 40 == pytest.approx(-elbo, abs=0.03)  # each mean is of 16,000 draws


@pytest.mark.parametrize("kind", ["tiny", "tiny_text"])
def test_the_bound_does_not_depend_on_how_examples_are_batched(kind: str, request: pytest.FixtureRequest) -> None:
    config: RunConfig = request.getfixturevalue(kind)
    dataset = load_dataset(config.data)
    model = VAE.build(config.network, config.model, dataset.shape, seed=0)
    examples = dataset.test.examples[:30]
    whole = importance_sampled_nll(model, examples, 12)
    for rows in (1, 7, 100):
        parts = importance_sampled_nll(model, examples, 12, rows_at_once=rows)
        # Sums of other products in fp32.
        assert parts.nll == pytest.approx(whole.nll, rel=1e-5)
        assert parts.effective_samples == pytest.approx(whole.effective_samples, rel=1e-3)


def test_the_bound_is_given_for_fewer_draws_as_well() -> None:
    model, examples, _ = linear_model(offset=0.6)
    found = importance_sampled_nll(model, examples, 60)
    assert list(found.nll_by_samples) == ["1", "5", "10", "50", "60"]
    assert found.nll_by_samples["60"] == found.nll


def test_the_mean_of_exponentials_neither_overflows_nor_vanishes() -> None:
    values = torch.tensor([[-2000.0, -2001.0], [900.0, 900.0]], dtype=torch.float64)
    wanted = [-2000 + math.log((1 + math.exp(-1)) / 2), 900.0]
    assert log_mean_exp(values).tolist() == pytest.approx(wanted, abs=1e-9)


def test_one_example_has_a_bound_and_no_standard_error(tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    model = VAE.build("mlp", tiny.model, dataset.shape, seed=0)
    found = importance_sampled_nll(model, dataset.test.examples[:1], 3)
    assert math.isfinite(found.nll)
    assert found.nll_standard_error is None


def test_a_vanishing_std_still_gives_a_bound(tiny: RunConfig) -> None:
    model, examples, exact = linear_model(offset=0.0)
    with torch.no_grad():
        model.head.log_variance.bias.fill_(-200.0)  # type: ignore[union-attr, operator]
    found = importance_sampled_nll(model, examples, 5)
    assert math.isfinite(found.nll)
    assert found.nll > exact


@pytest.mark.parametrize("samples", [0, -1, 10**6])
def test_a_number_of_draws_that_makes_no_sense_is_refused(samples: int) -> None:
    model, examples, _ = linear_model(offset=0.0)
    with pytest.raises(ValueError, match=f"samples is {samples}: give 1 to 100,000"):
        importance_sampled_nll(model, examples, samples)


def test_nothing_has_no_likelihood() -> None:
    model, examples, _ = linear_model(offset=0.0)
    with pytest.raises(ValueError, match="empty"):
        importance_sampled_nll(model, examples[:0], 5)


@pytest.mark.parametrize("network", ["lstm", "transformer"])
def test_the_probabilities_of_all_sentences_of_a_toy_vocabulary_sum_to_one(network: str) -> None:
    # Three words and END, which is forced after three words at the latest: 1 + 3 + 9 + 27 sentences.
    config = ModelConfig(network=network, head="gaussian", hidden_units=8, embedding_units=8, latent_dimensions=2)  # type: ignore[arg-type]
    shape = TextShape(vocabulary_size=6, max_tokens=5)
    model = VAE.build(network, config, shape, seed=1).eval()  # type: ignore[arg-type]
    words = (3, 4, 5)
    z = torch.randn(1, 2, generator=torch.Generator().manual_seed(0))

    def probability(tokens: tuple[int, ...]) -> float:
        row = torch.tensor([tokens], dtype=torch.int32)
        return math.exp(-distortions(model, row, z).item())

    ended = sum(
        probability((START, *sentence, END)) for length in range(3) for sentence in product(words, repeat=length)
    )
    # Those that go on after two words share what is left: the probability of a row without END is that of its start.
    going_on = sum(probability((START, *sentence)) for sentence in product(words, repeat=3))
    assert ended + going_on == pytest.approx(1, abs=1e-5)
