"""A model seen at one tau or another."""

import dataclasses

import pytest
import torch
from torch import Tensor

from bnvae.config.schema import HeadName, RunConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset
from bnvae.metrics.generation import decode_codes, reconstruct
from bnvae.nn.posterior import ScalerHead
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import encode, recompute_statistics
from bnvae.training.trainer import Trainer

TAUS = (0.0, 0.1, 0.5, 0.9, 0.95)


def of_every_tau(config: RunConfig, head: HeadName = "rms-scaler") -> RunConfig:
    return dataclasses.replace(config, model=dataclasses.replace(config.model, head=head, amortised=True))


def trained(config: RunConfig, dataset: Dataset, learning_rate: float = 0.01) -> VAE:
    model = VAE.build(config.network, config.model, dataset.shape, seed=0)
    training = dataclasses.replace(config.training, learning_rate=learning_rate)
    for _ in Trainer(model, dataset.training, dataset.test, training).fit():
        pass
    recompute_statistics(model, dataset.training.examples)
    return model.eval().requires_grad_(False)


def second_moments(model: VAE, examples: Tensor, tau: float) -> Tensor:
    posterior = encode(model, examples, tau)
    return (posterior.mean.square() + posterior.std.square()).mean(0)


@pytest.mark.parametrize("head", ["rms-scaler", "bn-scaler"])
@pytest.mark.parametrize("modality", ["image", "text"])
def test_moments_of_the_training_set_are_exact_at_every_tau(
    modality: str, head: HeadName, tiny: RunConfig, tiny_text: RunConfig
) -> None:
    config = of_every_tau(tiny if modality == "image" else tiny_text, head)
    dataset = load_dataset(config.data)
    model = trained(config, dataset)
    scaler = model.amortised
    assert scaler is not None
    assert scaler.theta_at(torch.tensor([0.5])).abs().max() > 0.01  # it has learned something
    for tau in TAUS:
        found = second_moments(model, dataset.training.examples, tau)
        torch.testing.assert_close(found, torch.ones(4), atol=1e-3, rtol=0)


def test_the_encoder_is_blind_to_tau(tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    model = trained(of_every_tau(tiny), dataset)
    head = model.head
    assert isinstance(head, ScalerHead)
    examples = dataset.test.examples[:5]
    mean, std = head.standardised(model.encoder(examples))
    for tau in TAUS:
        gammas, posterior = head.gammas_at(torch.tensor([tau])), model.posterior(examples, tau)
        torch.testing.assert_close(posterior.mean, gammas.mean * mean)
        torch.testing.assert_close(posterior.std, gammas.std * std)
    assert (std >= 0).all()


@pytest.mark.parametrize("amortised", [False, True])
def test_without_a_tau_the_model_is_seen_at_its_own(amortised: bool, tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    model = trained(of_every_tau(tiny) if amortised else tiny, dataset)
    examples = dataset.test.examples[:5]
    assert model.tau == 0.5
    own, given = model.posterior(examples), model.posterior(examples, 0.5)
    torch.testing.assert_close(own.mean, given.mean)
    torch.testing.assert_close(own.std, given.std)
    assert torch.equal(
        reconstruct(model, dataset.shape, examples), reconstruct(model, dataset.shape, examples, tau=0.5)
    )


def test_codes_are_decoded_each_at_its_own_tau_by_a_model_of_every_tau_only(tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    codes, taus = torch.randn(1, 4, generator=torch.Generator().manual_seed(0)).expand(2, -1), torch.tensor([0.0, 0.9])
    every, one = trained(of_every_tau(tiny), dataset, 0.1), trained(tiny, dataset, 0.1)
    low, high = decode_codes(every, dataset.shape, codes, tau=taus)
    assert not torch.equal(low, high)
    assert torch.equal(decode_codes(every, dataset.shape, codes[:1], tau=0.9)[0], high)
    assert torch.equal(*decode_codes(one, dataset.shape, codes, tau=taus))


def test_a_training_of_every_tau_depends_on_its_seed_alone(tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    weights = []
    for noise in (0, 1):
        torch.manual_seed(noise)  # what others draw does not matter
        weights.append(trained(of_every_tau(tiny), dataset).state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize(
    ("tau", "message"),
    [
        (0.96, r"tau is 0.96: this model was trained from 0 to 0.95\."),
        (-0.1, r"tau is -0.1: "),
        (float("nan"), r"tau is nan: "),
        (torch.zeros(3), r"tau has shape \(3,\): give one number, or one for each of 5 examples\."),
    ],
)
def test_a_tau_that_was_not_trained_is_refused(tau: float | Tensor, message: str, tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    model = VAE.build("mlp", of_every_tau(tiny).model, dataset.shape, seed=0).eval()
    with pytest.raises(ValueError, match=message):
        model.posterior(dataset.test.examples[:5], tau)


def test_a_model_of_one_tau_can_be_seen_at_any_other_and_a_plain_one_at_none(tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    examples = dataset.test.examples[:5]
    one = VAE.build("mlp", tiny.model, dataset.shape, seed=0).eval()
    one.posterior(examples, 0.99)
    with pytest.raises(ValueError, match="tau is 1: give 0 <= tau < 1"):
        one.posterior(examples, 1.0)
    plain = VAE.build("mlp", dataclasses.replace(tiny.model, head="gaussian"), dataset.shape, seed=0).eval()
    assert plain.tau is None
    with pytest.raises(ValueError, match="GaussianHead has no Scaler: leave it out"):
        plain.posterior(examples, 0.5)
