"""Encoders and decoders of images: fully connected, and convolutional for any size."""

import math
from abc import abstractmethod
from itertools import pairwise
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from bnvae.config.schema import ModelConfig
from bnvae.data.dataset import ImageShape
from bnvae.data.random_subset import random_subset
from bnvae.nn.networks.base import Decoder, Encoder
from bnvae.nn.networks.conditioning import condition
from bnvae.nn.networks.likelihoods import BernoulliLikelihood, GaussianLikelihood, Pixels, unit_pixels

SMALLEST_SCALE = 1 / 255
"""one grey level: a density that rewards hitting a pixel more closely than it was stored says nothing about images"""
FIRST_SCALE = 0.3
MEAN_EXAMPLES = 10_000
"""from at least so many, where there are so many, the mean pixel is taken"""
FAINTEST = 0.01
"""where a pixel may begin, from 0 to 1, so that it can still be learned"""
COARSEST_SIDE = 7
"""the picture is halved until no side is longer (pixels)"""
MOST_CHANNELS = 256
MOST_FLAT = 1024
"""numbers between the convolutions and the fully connected layer, which would else hold most of the parameters"""


class ImageDecoder(Decoder):
    """p(x|z) of images: Bernoulli for one channel, Gaussian with one learned scale for three."""

    def __init__(self, shape: ImageShape) -> None:
        super().__init__()
        self.shape = shape
        if shape.channels != 1:
            excess = math.log(FIRST_SCALE) - math.log(SMALLEST_SCALE)
            self.scale_excess = nn.Parameter(torch.tensor(math.log(math.expm1(excess))))

    @property
    def is_density(self) -> bool:
        """Whether p(x|z) is a density over pixels in [0, 1] instead of a probability of black and white."""
        return self.shape.channels != 1

    @property
    def log_scale(self) -> Float[Tensor, ""]:
        """ln of the Gaussian's scale; a softplus keeps it above its floor, where a clamp would stop the gradient."""
        return math.log(SMALLEST_SCALE) + functional.softplus(self.scale_excess)

    @abstractmethod
    def pixels(self, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None) -> Float[Tensor, "B C H W"]:
        """Logits of the Bernoulli, or means of the Gaussian before they are clamped."""

    def likelihood(
        self, z: Float[Tensor, "B D"], examples: Tensor | None = None, tau: Float[Tensor, "B"] | None = None
    ) -> BernoulliLikelihood | GaussianLikelihood:
        if self.shape.channels == 1:
            return BernoulliLikelihood(self.pixels(z, tau))
        return GaussianLikelihood(self.pixels(z, tau), self.log_scale)

    def mean(self, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None = None) -> Float[Tensor, "B C H W"]:
        """E[x|z], pixels in [0, 1]."""
        return self.likelihood(z, tau=tau).mean


@torch.no_grad()
def _set_to_mean(bias: Float[Tensor, "CN"], examples: Pixels, *, is_density: bool) -> None:
    """Let pixels begin at the mean of their channel in the examples, and not at half of white.

    A bias moves by about a learning rate a step. From 0 a convolutional network makes the mean picture of every code
    until its weights have learned how dark pictures are: on MNIST for some 270 steps instead of 180 (measured).
    """
    some = examples[random_subset(len(examples), MEAN_EXAMPLES).to(examples.device)]
    mean = unit_pixels(some).mean((0, 2, 3))
    begin = mean if is_density else mean.clamp(FAINTEST, 1 - FAINTEST).logit()
    bias.copy_(begin.repeat_interleave(len(bias) // len(begin)))  # what belongs to one channel lies together


def _perceptron(first: int, hidden: int, layers: int) -> nn.Sequential:
    sides = pairwise([first] + [hidden] * layers)
    return nn.Sequential(*(part for before, after in sides for part in (nn.Linear(before, after), nn.ReLU())))


@final
class MlpEncoder(Encoder):
    def __init__(self, config: ModelConfig, shape: ImageShape) -> None:
        super().__init__()
        self.features = config.hidden_units
        pixels = shape.channels * shape.height * shape.width
        self.layers = _perceptron(pixels, config.hidden_units, config.layers)

    def forward(self, examples: Pixels) -> Float[Tensor, "B F"]:
        features: Tensor = self.layers(unit_pixels(examples).flatten(1))
        return features


@final
class MlpDecoder(ImageDecoder):
    def __init__(self, config: ModelConfig, shape: ImageShape) -> None:
        super().__init__(shape)
        self.layers = _perceptron(config.latent_dimensions, config.hidden_units, config.layers)
        self.output = nn.Linear(config.hidden_units, shape.channels * shape.height * shape.width)
        self.conditions = nn.ModuleList(condition(config, config.hidden_units) for _ in range(config.layers))

    def begin_at(self, examples: Pixels) -> None:
        _set_to_mean(self.output.bias, examples, is_density=self.is_density)

    def pixels(self, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None) -> Float[Tensor, "B C H W"]:
        hidden = z
        layers = list(self.layers)  # a slice of the module itself would make a module in every step
        for linear, activation, of_tau in zip(layers[::2], layers[1::2], self.conditions, strict=True):
            hidden = activation(of_tau(linear(hidden), tau))
        flat: Tensor = self.output(hidden)
        return flat.view(-1, self.shape.channels, self.shape.height, self.shape.width)


def _stages(config: ModelConfig, shape: ImageShape) -> list[tuple[int, int, int]]:
    """Channels, height and width of the picture and of each halving of it."""
    channels, height, width = shape.channels, shape.height, shape.width
    stages = [(channels, height, width)]
    channels = config.conv_channels
    while max(height, width) > COARSEST_SIDE:
        height, width = (height + 1) // 2, (width + 1) // 2
        stages.append((channels, height, width))
        channels = min(2 * channels, max(MOST_CHANNELS, config.conv_channels))
    return stages


def _narrow_channels(stage: tuple[int, int, int]) -> int:
    channels, height, width = stage
    return min(channels, max(1, MOST_FLAT // (height * width)))


def channels_last(pictures: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """The same numbers, those of a pixel beside each other: convolutions of few channels are faster so.

    A single channel's lie so already, and have to say it by their strides, or every convolution after it goes without.
    """
    if pictures.shape[1] != 1:
        return pictures.contiguous(memory_format=torch.channels_last)
    return pictures.contiguous().view(len(pictures), *pictures.shape[2:], 1).permute(0, 3, 1, 2)


@final
class ConvEncoder(Encoder):
    """Convolutions that halve the picture, a 1 x 1 convolution that narrows it, and a fully connected layer."""

    def __init__(self, config: ModelConfig, shape: ImageShape) -> None:
        super().__init__()
        self.features = config.hidden_units
        stages = _stages(config, shape)
        layers: list[nn.Module] = []
        for (before, *_), (after, *_) in pairwise(stages):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
        channels, height, width = stages[-1]
        narrow = _narrow_channels(stages[-1])
        layers += [nn.Conv2d(channels, narrow, 1), nn.ReLU(), nn.Flatten()]
        self.layers = nn.Sequential(*layers, nn.Linear(narrow * height * width, config.hidden_units), nn.ReLU())

    def forward(self, examples: Pixels) -> Float[Tensor, "B F"]:
        features: Tensor = self.layers(channels_last(unit_pixels(examples)))
        return features


@final
class ConvDecoder(ImageDecoder):
    """The encoder backwards: each transposed convolution doubles the picture, cropped where a side was odd."""

    def __init__(self, config: ModelConfig, shape: ImageShape) -> None:
        super().__init__(shape)
        self.stages = _stages(config, shape)[::-1]
        channels, height, width = self.stages[0]
        narrow = _narrow_channels(self.stages[0])
        self.dense = nn.Sequential(
            nn.Linear(config.latent_dimensions, config.hidden_units),
            nn.ReLU(),
            nn.Linear(config.hidden_units, narrow * height * width),
            nn.ReLU(),
            nn.Unflatten(1, (narrow, height, width)),
            nn.Conv2d(narrow, channels, 1),
        )
        self.doublings = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)
            for (before, *_), (after, *_) in pairwise(self.stages[:-1])
        )
        # To a single channel a transposed convolution takes twice the time of this (measured), which doubles as well.
        last = nn.Conv2d(self.stages[-2][0], 4 * shape.channels, 3, padding=1)
        self.doublings.append(nn.Sequential(last, nn.PixelShuffle(2)))
        self.condition = condition(config, config.hidden_units)
        self.conditions = nn.ModuleList(condition(config, channels) for channels, *_ in self.stages[:-1])

    def begin_at(self, examples: Pixels) -> None:
        (last,) = (each for each in self.doublings[-1].modules() if isinstance(each, nn.Conv2d))
        assert last.bias is not None
        _set_to_mean(last.bias, examples, is_density=self.is_density)

    def pixels(self, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None) -> Float[Tensor, "B C H W"]:
        first, *others = self.dense
        picture: Tensor = self.condition(first(z), tau)
        for layer in others:
            picture = layer(picture)
        picture = picture.contiguous(memory_format=torch.channels_last)
        sizes = self.stages[1:]
        for of_tau, doubling, (_, height, width) in zip(self.conditions, self.doublings, sizes, strict=True):
            picture = doubling(of_tau(picture, tau).relu())[:, :, :height, :width]
        return picture
