"""What a decoder makes of the same noise at each tau."""

import dataclasses

import numpy as np
import pytest
import torch

from bnvae.config.schema import ModelConfig, RunConfig
from bnvae.data import load_dataset
from bnvae.latent.tau_frames import PICTURES, chosen_examples, price, render, strip_taus
from bnvae.metrics.generation import decode_codes
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import distortions, encode

TAUS = np.array([0.0, 0.4, 0.8, 0.9])


def made(config: RunConfig, model_config: ModelConfig) -> tuple[VAE, object, torch.Tensor, torch.Tensor]:
    dataset = load_dataset(config.data)
    model = VAE.build(config.network, model_config, dataset.shape, seed=0)
    return model.eval(), dataset.shape, dataset.test.examples, dataset.test.labels


def some_codes() -> torch.Tensor:
    return torch.randn(PICTURES, 4, generator=torch.Generator().manual_seed(1))


def test_taus_are_round_and_end_at_the_largest() -> None:
    assert strip_taus(0.99)[[0, 1, -2, -1]].tolist() == [0, 0.02, 0.98, 0.99]
    assert strip_taus(0.95)[-2:].tolist() == [0.94, 0.95]
    assert 45 <= len(strip_taus(0.95)) <= 55


def test_the_chosen_examples_are_as_different_as_can_be() -> None:
    assert chosen_examples(torch.tensor([2, 2, 0, 2, 1, 0]), 5).tolist() == [2, 4, 0, 5, 1]
    assert chosen_examples(torch.tensor([2, 2, 0, 2, 1, 0]), 2, page=2).tolist() == [1, 3]
    assert chosen_examples(torch.tensor([-1, -1, -1]), 2).tolist() == [0, 1]


def test_a_strip_has_a_frame_for_each_tau_from_the_same_noise(tiny: RunConfig) -> None:
    model, shape, examples, labels = made(tiny, tiny.model)
    chosen = chosen_examples(labels)
    strip, again = (render(model, shape, examples, chosen, some_codes(), TAUS) for _ in range(2))
    assert strip.reconstructions.shape == (4, PICTURES, 1, 8, 8)
    assert torch.equal(strip.reconstructions, again.reconstructions)
    assert not torch.equal(strip.reconstructions[0], strip.reconstructions[3])


def test_a_decoder_that_never_saw_tau_has_one_frame_of_prior_samples(tiny: RunConfig) -> None:
    model, shape, examples, labels = made(tiny, tiny.model)
    strip = render(model, shape, examples, chosen_examples(labels), some_codes(), TAUS)
    assert strip.samples.shape[0] == 1
    assert torch.equal(strip.samples[0], decode_codes(model, shape, some_codes()))


@pytest.mark.parametrize("modality", ["image", "text"])
def test_a_decoder_that_sees_tau_decodes_the_same_codes_anew(
    modality: str, tiny: RunConfig, tiny_text: RunConfig
) -> None:
    config = tiny if modality == "image" else tiny_text
    model, shape, examples, labels = made(config, dataclasses.replace(config.model, amortised=True))
    strip = render(model, shape, examples, chosen_examples(labels), some_codes(), TAUS)
    assert strip.samples.shape[:2] == (4, PICTURES)
    at = decode_codes(model, shape, some_codes(), tau=0.8)
    assert torch.equal(strip.samples[2][:, : at.shape[1]], at)


def test_the_distortion_is_that_of_a_model_at_that_tau(tiny: RunConfig) -> None:
    model, shape, examples, labels = made(tiny, tiny.model)
    strip = render(model, shape, examples, chosen_examples(labels), some_codes(), TAUS)
    assert strip.priced_taus.tolist() == [0.0, 0.9]
    part = examples[:128]
    posterior = encode(model, part, 0.9)
    noise = torch.Generator().manual_seed(3)
    draws = [distortions(model, part, posterior.rsample(noise), 0.9).mean().item() for _ in range(20)]
    # One draw of noise an example: within what 20 other draws differ by.
    assert strip.distortion[1] == pytest.approx(np.mean(draws), abs=float(6 * np.std(draws) + 1e-3))


def test_any_head_has_a_price(tiny: RunConfig) -> None:
    model, _, examples, _ = made(tiny, dataclasses.replace(tiny.model, head="gaussian"))
    assert 0 < price(model, examples) < 8 * 8 * 2
