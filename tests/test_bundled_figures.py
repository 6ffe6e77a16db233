"""The figures of the bundled runs, taken again by other code: torch's distributions, one token after another, sums.

From what is kept in their folders, so this also holds figures, encodings and weights of a run together.
"""

import math
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from bnvae.data import load_dataset
from bnvae.data.dataset import PAD, Dataset
from bnvae.nn.networks.text import TextDecoder
from bnvae.runs import RunStore

ROOT = Path(__file__).resolve().parents[1]
STORE = RunStore(ROOT / "checkpoints")
BUNDLED = re.findall(r"^!/checkpoints/([\w-]+)/$", (ROOT / ".gitignore").read_text(encoding="utf-8"), re.MULTILINE)
MADE_HERE = [name for name in BUNDLED if STORE.get(name).config.data.name == "storybook"]
MOST_PAIRS = 5_000_000
"""of code and posterior: above it, another way to the mutual information takes too long for a test"""
FEW_PAIRS = [name for name in BUNDLED if STORE.get(name).card.test_examples ** 2 <= MOST_PAIRS]
HALF = 2e-3
"""relative error that is left to figures of encodings, which are kept in fp16: a number there is off by 5e-4 at most"""

bundled = pytest.mark.parametrize("name", BUNDLED)


def _figures(name: str, part: str) -> dict[str, Any]:
    found: dict[str, Any] | None = (STORE.get(name).evaluation() or {}).get(part)
    if part == "thorough" and found is None:
        pytest.skip(f"{name} was not evaluated thoroughly")
    assert found is not None
    return found


def _posterior(name: str) -> Normal:
    """q(z|x) of every test example, each (N, D)."""
    posterior, _ = STORE.get(name).encodings()
    assert len(posterior.mean) == STORE.get(name).card.test_examples
    return Normal(posterior.mean.double(), posterior.std.double())


def _rows(name: str) -> Int64[Tensor, "N"]:
    """Places in the test split of the encoded examples; a run that does not say them has encoded it in its order."""
    with np.load(STORE.get(name).folder / "encodings.npz") as stored:
        return torch.from_numpy(stored["rows"]) if "rows" in stored else torch.arange(len(stored["mean"]))


@cache
def _storybook(name: str) -> Dataset:
    run = STORE.get(name)
    return load_dataset(run.config.data, tokenizer=run.tokenizer)


@bundled
def test_the_kl_of_each_dimension_is_torchs(name: str) -> None:
    known, zero = _figures(name, "test"), torch.zeros((), dtype=torch.float64)
    found = kl_divergence(_posterior(name), Normal(zero, zero + 1)).mean(0)

    # An fp16 of a std near 1 is off by 2.5e-4, and so may be a KL near 0.
    torch.testing.assert_close(found, torch.tensor(known["kl_per_dimension"]).double(), rtol=HALF, atol=5e-4)
    assert known["rate"] == pytest.approx(sum(known["kl_per_dimension"]))
    assert float(found.sum()) == pytest.approx(known["rate"], rel=HALF, abs=5e-3)


@bundled
def test_moments_and_active_units_are_those_of_the_encodings(name: str) -> None:
    known, posterior = _figures(name, "test"), _posterior(name)
    # E[v^2] as mean squared plus variance, and not as a mean of squares.
    means = posterior.mean.mean(0).square() + posterior.mean.var(0, correction=0)
    stds = posterior.stddev.mean(0).square() + posterior.stddev.var(0, correction=0)
    spread = posterior.mean.var(0, correction=0)

    for figure, found in (("mean", means), ("std", stds), ("", means + stds)):
        stated = torch.tensor(known[f"{figure}_second_moment_per_dimension".removeprefix("_")]).double()
        torch.testing.assert_close(found, stated, rtol=HALF, atol=1e-5)
    assert int((spread > 0.0101).sum()) <= known["active_units"] <= int((spread > 0.0099).sum())


@pytest.mark.parametrize("name", FEW_PAIRS)
def test_the_mutual_information_is_the_rate_without_the_kl_of_the_mixture(name: str) -> None:
    known, posterior = _figures(name, "test"), _posterior(name)
    codes = _drawn(posterior)
    mixture = torch.cat([_log_density(posterior, part[:, None]).logsumexp(1) for part in torch.split(codes, 50)])
    mixture -= math.log(len(codes))
    zero = torch.zeros_like(codes[0])
    marginal = mixture - _log_density(Normal(zero, zero + 1), codes)
    tells = _log_density(posterior, codes) - mixture
    errors = [float(one.std() / math.sqrt(len(one))) for one in (marginal, tells)]

    assert known["mutual_information_examples"] == len(codes)
    assert known["mutual_information"] + known["marginal_kl"] == pytest.approx(known["rate"], rel=1e-6)
    # Other draws of z: five standard errors of the difference.
    assert float(tells.mean()) == pytest.approx(known["mutual_information"], abs=5 * math.sqrt(2) * errors[1] + 1e-4)
    assert float(marginal.mean()) == pytest.approx(known["marginal_kl"], abs=5 * math.sqrt(2) * errors[0] + 1e-4)


def _drawn(posterior: Normal) -> Float[Tensor, "N D"]:
    noise = torch.randn(posterior.mean.shape, generator=torch.Generator().manual_seed(99), dtype=torch.float64)
    return posterior.mean + posterior.stddev * noise


def _log_density(of: Normal, codes: Tensor) -> Tensor:
    """ln of each density at each code, the dimensions independent."""
    found: Tensor = of.log_prob(codes).sum(-1)  # type: ignore[no-untyped-call]
    return found


@torch.no_grad()
def _costs(name: str, codes: Float[Tensor, "N D"]) -> Float[Tensor, "N"]:
    """-ln p(x|z) of each test sentence given its code (nats), the decoder stepped as for writing."""
    model, tokens = STORE.get(name).load_model().eval(), _storybook(name).test.examples[_rows(name)].long()
    decoder = model.decoder
    assert isinstance(decoder, TextDecoder)
    state, cost = decoder.start(codes.float(), model.decoder_tau(None, len(codes))), torch.zeros(len(codes))
    for place in range(tokens.shape[1] - 1):
        logits, state = decoder.step(tokens[:, place], state)
        following = tokens[:, place + 1 : place + 2]
        told = logits.log_softmax(1).gather(1, following)[:, 0]
        cost -= torch.where(following[:, 0] == PAD, 0.0, told)
    return cost.double()


@pytest.mark.parametrize("name", MADE_HERE)
def test_the_distortion_is_the_sum_over_tokens_read_one_by_one(name: str) -> None:
    known = _figures(name, "test")
    found = float(_costs(name, _drawn(_posterior(name))).mean())

    # Other draws of z of the same sentences: less than the noise of other sentences.
    assert found == pytest.approx(known["distortion"], abs=3 * known["distortion_standard_error"])
    assert known["elbo"] == pytest.approx(-(known["distortion"] + known["rate"]))


@pytest.mark.parametrize("name", MADE_HERE)
def test_the_rise_by_permuted_codes_is_that_of_each_sentences_neighbour_in_the_file(name: str) -> None:
    known, codes = _figures(name, "thorough"), _drawn(_posterior(name))
    rise = _costs(name, codes.roll(1, 0)) - _costs(name, codes)
    error = float(rise.std() / math.sqrt(len(rise)))

    assert float(rise.mean()) == pytest.approx(
        known["permuted_rise"], abs=4 * math.hypot(error, known["permuted_rise_standard_error"])
    )


@bundled
def test_the_likelihood_and_what_restates_it_fit_each_other(name: str) -> None:
    known, test = _figures(name, "thorough"), _figures(name, "test")
    bounds = {int(count): bound for count, bound in known["nll_by_samples"].items()}

    assert max(bounds) == known["importance_samples"]
    assert bounds[max(bounds)] == pytest.approx(known["nll"])
    # More draws never loosen the bound, on average; a hundredth of a nat is left to the draws.
    assert all(fewer >= more - 0.01 for fewer, more in zip(bounds.values(), list(bounds.values())[1:], strict=False))
    # One draw is the ELBO, of other draws and perhaps of the first examples only.
    error = math.hypot(known["nll_standard_error"], test["elbo_standard_error"])
    assert bounds[1] == pytest.approx(-test["elbo"], abs=5 * error)
    assert 1 <= known["effective_samples"] <= known["importance_samples"]
    if known["perplexity"] is not None:
        assert math.log(known["perplexity"]) * known["tokens"] == pytest.approx(known["nll"])
    else:
        assert known["bits_per_dimension"] * known["pixels"] * math.log(2) == pytest.approx(known["nll"])


@pytest.mark.parametrize("name", MADE_HERE)
def test_tokens_are_words_marks_and_the_end(name: str) -> None:
    known, dataset = _figures(name, "thorough"), _storybook(name)
    assert dataset.tokenizer is not None
    rows = dataset.test.examples[: known["examples"]].tolist()
    lines = [dataset.tokenizer.decode([token for token in row if token != PAD]) for row in rows]

    # Tokens are joined by blanks; one more is END.
    assert known["tokens"] == pytest.approx(sum(len(line.split()) + 1 for line in lines) / len(lines))
