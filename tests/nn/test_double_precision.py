"""Both terms of the ELBO against the formulas of networks and heads, written down a second time in double precision."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Categorical, Normal, kl_divergence
from torch.nn import functional

from bnvae.config.schema import HeadName, RunConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import END, PAD
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import distortions, draw_codes, encode, recompute_statistics
from bnvae.training.sampler import row_lengths

Weights = dict[str, Tensor]
GAMMA, TAU = 0.5, 0.3


def linear(values: Tensor, weights: Weights, name: str) -> Tensor:
    product = values @ weights[f"{name}.weight"].T
    return product + weights[f"{name}.bias"] if f"{name}.bias" in weights else product


def posterior_of(features: Tensor, weights: Weights, head: HeadName) -> Normal:
    """q(z|x) of all training examples, so that a head's moments are those of the rows themselves."""
    mean = linear(features, weights, "head.mean")
    standardised = (mean - mean.mean(0)) / mean.std(0, correction=0)
    if head in ("bn-scaler", "rms-scaler"):
        std = linear(features, weights, "head.std")
        if head == "bn-scaler":
            std = ((std - std.mean(0)) / std.std(0, correction=0)).abs()
        else:
            std = functional.softplus(std)
            std = std / std.square().mean(0).sqrt()
        share = torch.sigmoid(weights["head.scaler.theta"])
        return Normal(standardised * (TAU + (1 - TAU) * share).sqrt(), std * ((1 - TAU) * (1 - share)).sqrt())
    if head == "bn-mean":
        mean = GAMMA * standardised + weights["head.shift"]
    if head == "ln-mean":
        spread = mean.std(1, correction=0, keepdim=True)
        mean = GAMMA * (mean - mean.mean(1, keepdim=True)) / spread
    return Normal(mean, (linear(features, weights, "head.log_variance") / 2).exp())


def features_of_pictures(examples: Tensor, weights: Weights) -> Tensor:
    return linear(examples.flatten(1).double() / 255, weights, "encoder.layers.0").relu()


def distortion_of_pictures(z: Tensor, examples: Tensor, weights: Weights) -> Tensor:
    logits = linear(linear(z, weights, "decoder.layers.0").relu(), weights, "decoder.output")
    pixels = Bernoulli(logits=logits, validate_args=False)  # grey pixels have the cross-entropy
    costs: Tensor = -pixels.log_prob(examples.flatten(1).double() / 255)  # type: ignore[no-untyped-call]
    return costs.sum(1)


def lstm(weights: Weights, prefix: str) -> nn.LSTM:
    found = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    hidden = found["weight_hh_l0"].shape[1]
    twin = nn.LSTM(found["weight_ih_l0"].shape[1], hidden, batch_first=True).double()
    twin.load_state_dict(found)
    return twin


def features_of_sentences(examples: Tensor, weights: Weights) -> Tensor:
    """One sentence at a time, without padding."""
    reader = lstm(weights, "encoder.lstm.")
    embedded = weights["encoder.embedding.weight"]
    lengths = row_lengths(examples).tolist()
    rows = [embedded[row[:length].long()] for row, length in zip(examples, lengths, strict=True)]
    return torch.stack([reader(row[None])[0][0, -1] for row in rows])


def distortion_of_sentences(z: Tensor, examples: Tensor, weights: Weights) -> Tensor:
    writer = lstm(weights, "decoder.lstm.")
    costs = []
    for code, row in zip(z, examples, strict=True):
        tokens = row[row != PAD].long()
        read = weights["decoder.embedding.weight"][tokens[:-1]]
        cell = code @ weights["decoder.first_cell.weight"].T
        inputs = torch.cat([read, code.expand(len(read), -1)], dim=1)
        written, _ = writer(inputs, (cell.tanh()[None], cell[None]))
        logits = linear(written, weights, "decoder.output")
        costs.append(-Categorical(logits=logits).log_prob(tokens[1:] - END).sum())  # type: ignore[no-untyped-call]
    return torch.stack(costs)


@pytest.mark.parametrize("head", ["gaussian", "bn-mean", "bn-scaler", "rms-scaler", "ln-mean"])
@pytest.mark.parametrize("kind", ["tiny", "tiny_text"])
@torch.no_grad()
def test_both_terms_of_the_elbo_are_those_of_the_formulas(
    kind: str, head: HeadName, request: pytest.FixtureRequest
) -> None:
    tiny: RunConfig = request.getfixturevalue(kind)
    config = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, head=head, gamma=GAMMA, tau=TAU))
    dataset = load_dataset(config.data)
    examples = dataset.training.examples[:64]
    model = VAE.build(config.network, config.model, dataset.shape, seed=0)
    for name, parameter in model.named_parameters():
        if name in ("head.shift", "head.scaler.theta"):  # zero at first, which would hide them
            parameter.copy_(torch.linspace(-0.7, 0.9, len(parameter)))
    recompute_statistics(model, examples)
    posterior = encode(model, examples)
    codes = draw_codes(posterior, 0)

    weights = {name: value.double() for name, value in model.state_dict().items()}
    is_text = kind == "tiny_text"
    features = (features_of_sentences if is_text else features_of_pictures)(examples, weights)
    expected = posterior_of(features, weights, head)
    rates = kl_divergence(expected, Normal(torch.zeros((), dtype=torch.float64), 1.0))
    costs = (distortion_of_sentences if is_text else distortion_of_pictures)(codes.double(), examples, weights)

    # fp32 has 7 digits. Untrained features hardly differ between examples, and a normalisation magnifies what differs.
    torch.testing.assert_close(posterior.mean.double(), expected.mean, rtol=1e-4, atol=2e-4)
    torch.testing.assert_close(posterior.std.double(), expected.stddev, rtol=1e-4, atol=2e-4)
    wide = expected.stddev > 0.01  # where the std of bn-scaler crosses zero, its logarithm is noise in any precision
    torch.testing.assert_close(posterior.kl_per_dimension().double()[wide], rates[wide], rtol=1e-2, atol=1e-3)
    torch.testing.assert_close(distortions(model, examples, codes).double(), costs, rtol=1e-5, atol=1e-4)
