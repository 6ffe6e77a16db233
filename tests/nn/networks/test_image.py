import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bnvae.config.schema import ModelConfig
from bnvae.data.dataset import ImageShape
from bnvae.nn.networks import ImageDecoder, build_decoder, build_encoder
from bnvae.nn.networks.image import SMALLEST_SCALE, channels_last

SMALL = ModelConfig(hidden_units=8, conv_channels=4, latent_dimensions=3)


def decoder_of(name: str, shape: ImageShape, config: ModelConfig = SMALL) -> ImageDecoder:
    decoder = build_decoder(name, config, shape)
    assert isinstance(decoder, ImageDecoder)
    return decoder


def examples_of(shape: ImageShape, count: int = 2) -> torch.Tensor:
    return torch.randint(256, (count, shape.channels, shape.height, shape.width), dtype=torch.uint8)


@pytest.mark.parametrize("name", ["mlp", "conv"])
@settings(max_examples=12, deadline=None, derandomize=True)
@given(channels=st.sampled_from([1, 3]), height=st.integers(8, 128), width=st.integers(8, 128))
def test_any_size_is_encoded_and_decoded(name: str, channels: int, height: int, width: int) -> None:
    shape = ImageShape(channels=channels, height=height, width=width)
    encoder, decoder, examples = build_encoder(name, SMALL, shape), decoder_of(name, shape), examples_of(shape)
    assert encoder(examples).shape == (2, encoder.features)
    mean = decoder.mean(torch.randn(2, 3))
    assert mean.shape == examples.shape
    assert 0 <= mean.min() <= mean.max() <= 1


@pytest.mark.parametrize("name", ["mlp", "conv"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_parameter_receives_a_gradient(name: str, channels: int) -> None:
    shape = ImageShape(channels=channels, height=13, width=9)
    encoder, decoder, examples = build_encoder(name, SMALL, shape), decoder_of(name, shape), examples_of(shape, 32)
    # Features stand for z, so that one loss reaches both networks.
    torch.autograd.backward(decoder.likelihood(encoder(examples)[:, :3], examples).log_prob(examples).mean())
    for part, parameter in [*encoder.named_parameters(), *decoder.named_parameters()]:
        assert parameter.grad is not None, part
        assert parameter.grad.any(), part


@pytest.mark.parametrize("name", ["mlp", "conv"])
@pytest.mark.parametrize("channels", [1, 3])
def test_examples_do_not_influence_one_another(name: str, channels: int) -> None:
    shape = ImageShape(channels=channels, height=12, width=12)
    encoder, decoder = build_encoder(name, SMALL, shape), decoder_of(name, shape)
    examples, z = examples_of(shape, 5), torch.randn(5, 3)
    torch.testing.assert_close(encoder(examples)[:1], encoder(examples[:1]))
    torch.testing.assert_close(decoder.mean(z)[:1], decoder.mean(z[:1]))


def test_pictures_are_read_as_numbers_from_zero_to_one() -> None:
    encoder = build_encoder("mlp", SMALL, ImageShape(channels=1, height=8, width=8))
    white = torch.full((1, 1, 8, 8), 255, dtype=torch.uint8)
    layer = next(module for module in encoder.modules() if isinstance(module, torch.nn.Linear))
    expected = (layer.weight.sum(1) + layer.bias).relu()
    torch.testing.assert_close(encoder(white)[0], expected)


def test_the_default_network_of_small_pictures_is_under_three_megabytes() -> None:
    shape, config = ImageShape(channels=1, height=28, width=28), ModelConfig()
    networks = build_encoder("conv", config, shape), build_decoder("conv", config, shape)
    assert sum(each.numel() for network in networks for each in network.parameters()) < 750_000


def test_more_layers_make_a_deeper_perceptron() -> None:
    shape = ImageShape(channels=1, height=8, width=8)
    config = ModelConfig(hidden_units=8, layers=3)
    for network, linear_layers in ((build_encoder("mlp", config, shape), 3), (build_decoder("mlp", config, shape), 4)):
        assert sum(isinstance(module, torch.nn.Linear) for module in network.modules()) == linear_layers


def test_the_scale_of_colour_pixels_never_falls_below_one_grey_level() -> None:
    decoder = decoder_of("mlp", ImageShape(channels=3, height=8, width=8))
    assert decoder.log_scale.exp().item() == pytest.approx(0.3)
    with torch.no_grad():
        decoder.scale_excess.fill_(-50)
    assert decoder.log_scale.item() == pytest.approx(math.log(SMALLEST_SCALE))


@pytest.mark.parametrize("name", ["mlp", "conv"])
def test_under_autocast_log_probabilities_stay_float32_and_close(name: str) -> None:
    shape = ImageShape(channels=1, height=16, width=16)
    decoder, examples, z = decoder_of(name, shape), examples_of(shape), torch.randn(2, 3)
    with torch.autocast("cpu", torch.bfloat16):
        found = decoder.likelihood(z, examples).log_prob(examples)
    assert found.dtype == torch.float32
    # bf16 keeps 8 bits; errors of single pixels mostly cancel in the sum.
    torch.testing.assert_close(found, decoder.likelihood(z, examples).log_prob(examples), rtol=0.01, atol=0.1)


def first_pixels(decoder: ImageDecoder, examples: torch.Tensor) -> torch.Tensor:
    """What it makes of any code before it has learned anything but the examples' mean."""
    decoder.begin_at(examples)
    for module in decoder.modules():  # nothing but the last bias is left
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            module.weight.data.zero_()
    return decoder.mean(torch.randn(1, 3))[0]


@pytest.mark.parametrize("name", ["mlp", "conv"])
def test_grey_pixels_begin_as_bright_as_those_of_the_examples(name: str) -> None:
    examples = torch.zeros(3_000, 1, 28, 28, dtype=torch.uint8)
    examples[::3, :, :, ::2] = 204  # a third of the pictures, half of their pixels, 4/5 of white
    pixels = first_pixels(decoder_of(name, ImageShape(channels=1, height=28, width=28)), examples[:2_998])
    torch.testing.assert_close(pixels, torch.full_like(pixels, 2 / 15), rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", ["mlp", "conv"])
def test_each_colour_begins_at_its_own_mean(name: str) -> None:
    examples = torch.zeros(50, 3, 12, 12, dtype=torch.uint8)
    examples[:, 0], examples[:, 1] = 51, 102
    pixels = first_pixels(decoder_of(name, ImageShape(channels=3, height=12, width=12)), examples)
    torch.testing.assert_close(pixels, torch.tensor([0.2, 0.4, 0.0])[:, None, None].expand_as(pixels))


def test_examples_without_any_light_begin_where_they_can_be_learned() -> None:
    dark = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    pixels = first_pixels(decoder_of("conv", ImageShape(channels=1, height=8, width=8)), dark)
    torch.testing.assert_close(pixels, torch.full_like(pixels, 0.01))


def test_a_lone_channel_says_by_its_strides_that_it_lies_last() -> None:
    pictures = torch.rand(5, 1, 6, 7)
    laid = channels_last(pictures)
    assert laid.stride() == (42, 1, 7, 1)
    assert torch.equal(laid, pictures)
    convolved = torch.nn.Conv2d(1, 4, 3)(laid)
    assert convolved.is_contiguous(memory_format=torch.channels_last)
