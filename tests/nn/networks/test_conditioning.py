"""Decoders that see tau, and those that don't."""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from bnvae.config.schema import ModelConfig
from bnvae.data.dataset import END, PAD, START, ImageShape, TextShape
from bnvae.nn.networks import Decoder, ImageDecoder, TextDecoder, build_decoder
from bnvae.nn.networks.conditioning import CodeAndTau, Film
from bnvae.nn.networks.likelihoods import token_logits
from bnvae.nn.networks.text_generation import decode

ONE_TAU = ModelConfig(hidden_units=8, embedding_units=8, conv_channels=4, latent_dimensions=3, layers=2)
EVERY_TAU = dataclasses.replace(ONE_TAU, amortised=True)
PICTURES, SENTENCES = ImageShape(channels=1, height=12, width=9), TextShape(vocabulary_size=11, max_tokens=7)

every_decoder = pytest.mark.parametrize("name", ["mlp", "conv", "lstm", "transformer"])
of_text = pytest.mark.parametrize("name", ["lstm", "transformer"])


def decoder_of(name: str, config: ModelConfig = EVERY_TAU) -> Decoder:
    torch.manual_seed(0)
    decoder = build_decoder(name, config, SENTENCES if name in ("lstm", "transformer") else PICTURES).eval()
    for part in decoder.modules():
        if isinstance(part, Film):  # which is the identity at first
            nn.init.normal_(part.scale_and_shift.weight)
    return decoder


def examples_of(decoder: Decoder, count: int) -> Tensor:
    if isinstance(decoder, ImageDecoder):
        return torch.randint(256, (count, 1, 12, 9), dtype=torch.uint8)
    return torch.tensor([[START, 3, 4, 5, END, PAD]]).expand(count, -1)


@every_decoder
def test_a_decoder_made_for_every_tau_decodes_otherwise_at_another(name: str) -> None:
    decoder = decoder_of(name)
    z, examples = torch.randn(1, 3).expand(3, -1), examples_of(decoder, 1)[[0, 0, 0]]
    found = decoder.likelihood(z, examples, torch.tensor([0.1, 0.5, 0.9])).log_prob(examples)
    assert len({round(value, 4) for value in found.tolist()}) == 3


@every_decoder
def test_each_code_is_decoded_at_its_own_tau(name: str) -> None:
    decoder = decoder_of(name)
    z, taus, examples = torch.randn(4, 3), torch.tensor([0.0, 0.3, 0.6, 0.9]), examples_of(decoder, 4)
    together = decoder.likelihood(z, examples, taus).log_prob(examples)
    for row in range(4):
        part = slice(row, row + 1)
        alone = decoder.likelihood(z[part], examples[part], taus[part]).log_prob(examples[part])
        torch.testing.assert_close(together[part], alone, rtol=1e-5, atol=1e-5)


@every_decoder
def test_a_decoder_made_for_every_tau_asks_for_one(name: str) -> None:
    decoder = decoder_of(name)
    with pytest.raises(ValueError, match="tau is None: this decoder was made for every tau"):
        decoder.likelihood(torch.randn(1, 3), examples_of(decoder, 1))


@every_decoder
def test_a_decoder_made_for_one_tau_has_nothing_of_it_and_ignores_it(name: str) -> None:
    decoder = decoder_of(name, ONE_TAU)
    assert not any(isinstance(part, (Film, CodeAndTau)) for part in decoder.modules())
    z, examples = torch.randn(2, 3), examples_of(decoder, 2)
    found = decoder.likelihood(z, examples, torch.tensor([0.1, 0.9])).log_prob(examples)
    assert torch.equal(found, decoder.likelihood(z, examples).log_prob(examples))


@pytest.mark.parametrize("name", ["mlp", "conv"])
def test_a_new_decoder_of_pictures_starts_as_if_there_were_no_tau(name: str) -> None:
    one, every = build_decoder(name, ONE_TAU, PICTURES), build_decoder(name, EVERY_TAU, PICTURES)
    every.load_state_dict(one.state_dict(), strict=False)
    z = torch.randn(2, 3)
    assert isinstance(one, ImageDecoder)
    assert isinstance(every, ImageDecoder)
    torch.testing.assert_close(one.mean(z), every.mean(z, torch.tensor([0.2, 0.8])))


@every_decoder
def test_every_parameter_of_a_decoder_that_sees_tau_receives_a_gradient(name: str) -> None:
    decoder = decoder_of(name)
    examples = examples_of(decoder, 16)
    likelihood = decoder.likelihood(torch.randn(16, 3), examples, torch.linspace(0, 0.9, 16))
    torch.autograd.backward(likelihood.log_prob(examples).mean())
    for part, parameter in decoder.named_parameters():
        assert parameter.grad is not None, part
        assert parameter.grad.any(), part


@of_text
def test_stepping_at_a_tau_gives_the_logits_of_teacher_forcing(name: str) -> None:
    decoder = decoder_of(name)
    assert isinstance(decoder, TextDecoder)
    z, taus, rows = torch.randn(2, 3), torch.tensor([0.1, 0.9]), examples_of(decoder, 2)[:, :4]
    expected = token_logits(decoder.hidden(z, rows, taus), decoder.output)
    state = decoder.start(z, taus)
    for position in range(rows.shape[1]):
        logits, state = decoder.step(rows[:, position], state)
        torch.testing.assert_close(logits, expected[:, position], rtol=1e-4, atol=1e-4)


@of_text
@pytest.mark.parametrize("mode", ["greedy", "beam"])
def test_sentences_are_decoded_each_at_its_own_tau(name: str, mode: str) -> None:
    decoder = decoder_of(name)
    assert isinstance(decoder, TextDecoder)
    with torch.no_grad():
        decoder.output.weight.mul_(10)
    z, taus = torch.randn(1, 3).expand(20, -1), torch.linspace(0, 0.9, 20)
    together = decode(decoder, z, tau=taus, mode=mode)
    assert len(torch.unique(together, dim=0)) > 1
    for row in (0, 19):
        alone = decode(decoder, z[:1], tau=taus[row : row + 1], mode=mode)[0]
        assert [token for token in together[row].tolist() if token] == [token for token in alone.tolist() if token]
