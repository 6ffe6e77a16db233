"""From a description and the tensors it names to a VAE that everything here can evaluate and decode with."""

import math
from collections.abc import Mapping
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bnvae.nn.foreign.description import Description, listed
from bnvae.nn.foreign.layers import Shape, Spec, build, read
from bnvae.nn.networks.base import Decoder, Encoder
from bnvae.nn.networks.image import ImageDecoder
from bnvae.nn.networks.likelihoods import BernoulliLikelihood, GaussianLikelihood, Pixels, unit_pixels
from bnvae.nn.posterior import Posterior, PosteriorHead
from bnvae.nn.vae import VAE

SMALLEST_PROBABILITY = 1e-7
"""fp32 has no probability nearer to 1; a decoder that gives logits is not cut off"""


def foreign_model(description: Description, tensors: Mapping[str, Tensor]) -> VAE:
    """The model with these weights, on the CPU, in eval mode, without gradients.

    Raises:
        ValueError: tensors are missing, unknown, of the wrong shape or kind, or not finite; or the layers do not
            lead from the picture to the posterior, or from z to the picture.
    """
    lists = {
        "encoder": description.encoder,
        "mean": description.mean,
        description.spread_is: description.spread,
        "decoder": description.decoder,
    }
    specs = {name: read(name, layers) for name, layers in lists.items()}
    _check_names(description, [spec for layers in specs.values() for spec in layers], tensors)
    image = description.image
    picture: Shape = (image.channels, image.height, image.width)
    with torch.random.fork_rng(devices=[]):  # what torch fills new layers with is overwritten
        encoder, reached = build(specs["encoder"], picture, tensors)
        if len(reached) != 1:
            raise ValueError(f'the encoder ends in a picture {reached}: end it with "flatten".')
        head = ForeignHead(description, specs, reached, tensors)
        decoder, made = build(specs["decoder"], (description.latent_dimensions,), tensors)
    if made != picture:
        raise ValueError(f'the decoder ends in {made}, image is {picture}: end it with {{"reshape": {list(picture)}}}.')
    scale = _log_scale(description, tensors)
    vae = VAE(
        ForeignEncoder(encoder, reached[0], description.pixels),
        head,
        ForeignDecoder(decoder, description, scale),
    )
    return vae.eval().requires_grad_(False)


def tensors_used(description: Description, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of the tensors that the description does not leave out."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(description.unused or ("\0",))}


def _check_names(description: Description, specs: list[Spec], tensors: Mapping[str, Tensor]) -> None:
    scale = [description.parameter] if description.likelihood == "gaussian" else []
    named = [name for name in scale if isinstance(name, str)]
    wanted = list(dict.fromkeys([*(name for spec in specs for name in spec.wanted()), *named]))
    used = {*(name for spec in specs for name in spec.used()), *named}
    given = tensors_used(description, tensors)
    missing, extra = [name for name in wanted if name not in given], [name for name in given if name not in used]
    if missing or extra:
        faults = [f"the weights have no {listed(missing)}"] if missing else []
        faults += [f"the description uses no {listed(extra)}"] if extra else []
        raise ValueError(
            f"{', and '.join(faults)}. Correct the names in the description; what is left out on purpose goes under "
            '"unused", as ["discriminator."].'
        )
    for name, tensor in given.items():
        if not tensor.is_floating_point() and not name.endswith(".num_batches_tracked"):
            raise ValueError(f"'{name:.80}' is {tensor.dtype}: expected floating-point numbers.")
        if not torch.isfinite(tensor).all():
            raise ValueError(f"'{name:.80}' holds numbers that are not finite: go back to an earlier checkpoint.")


def _log_scale(description: Description, tensors: Mapping[str, Tensor]) -> float:
    """ln of the Gaussian's scale for pixels in [0, 1]; 0 for a Bernoulli."""
    if description.likelihood != "gaussian":
        return 0.0
    black, white = description.pixels
    if not isinstance(description.parameter, str):
        return math.log(description.parameter / (white - black))
    tensor = tensors[description.parameter]
    if tensor.numel() != 1:
        raise ValueError(
            f"'{description.parameter:.80}', the ln of the scale, has shape {tuple(tensor.shape)}: expected one number "
            "for all pixels."
        )
    return float(tensor) - math.log(white - black)


@final
class ForeignEncoder(Encoder):
    def __init__(self, layers: nn.Sequential, features: int, pixels: tuple[float, float]) -> None:
        super().__init__()
        self.layers, self.features, self.pixels = layers, features, pixels

    def forward(self, examples: Pixels) -> Float[Tensor, "B F"]:
        black, white = self.pixels
        features: Tensor = self.layers(unit_pixels(examples) * (white - black) + black)
        return features


@final
class ForeignHead(PosteriorHead):
    """Mean and spread as the description has them; no floor."""

    def __init__(
        self, description: Description, specs: Mapping[str, list[Spec]], reached: Shape, tensors: Mapping[str, Tensor]
    ) -> None:
        dimensions, spread_is = description.latent_dimensions, description.spread_is
        super().__init__(reached[0], dimensions)
        self.is_log = spread_is.endswith("log_variance")
        self.mean: nn.Module | None = None
        if not description.mean:
            self.spread = _to(specs, spread_is, reached, tensors, 2 * dimensions)
        else:
            self.mean = _to(specs, "mean", reached, tensors, dimensions)
            self.spread = _to(specs, spread_is, reached, tensors, dimensions)

    def _posterior(self, features: Float[Tensor, "B F"]) -> Posterior:
        spread: Tensor = self.spread(features)
        if self.mean is None:
            mean, spread = spread.chunk(2, dim=1)
        else:
            mean = self.mean(features)
        return Posterior(mean, (0.5 * spread).exp() if self.is_log else spread)

    def fixed_floor(self) -> Float[Tensor, "D"]:
        return torch.zeros(self.latent_dimensions)

    def current_floor(self) -> Float[Tensor, "D"]:
        return self.fixed_floor()


def _to(
    specs: Mapping[str, list[Spec]], name: str, reached: Shape, tensors: Mapping[str, Tensor], width: int
) -> nn.Sequential:
    layers, made = build(specs[name], reached, tensors)
    if made != (width,):
        found = made[0] if len(made) == 1 else made
        raise ValueError(f"{name} ends in {found} numbers: expected {width}. Correct the layers or latent_dimensions.")
    return layers


@final
class ForeignDecoder(ImageDecoder):
    def __init__(self, layers: nn.Sequential, description: Description, log_scale: float) -> None:
        Decoder.__init__(self)  # not ImageDecoder's, which makes a scale to learn
        self.shape = description.image
        self.layers = layers
        self.is_gaussian = description.likelihood == "gaussian"
        self.gives_probabilities = description.parameter == "probabilities"
        self.range = description.pixels
        self.register_buffer("fixed_log_scale", torch.tensor(log_scale))

    @property
    def is_density(self) -> bool:
        return self.is_gaussian

    @property
    def log_scale(self) -> Float[Tensor, ""]:
        return self.get_buffer("fixed_log_scale")

    def pixels(self, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None) -> Float[Tensor, "B C H W"]:
        made: Tensor = self.layers(z)
        if self.is_gaussian:
            black, white = self.range
            return (made - black) / (white - black)
        return torch.logit(made, SMALLEST_PROBABILITY) if self.gives_probabilities else made

    def likelihood(
        self, z: Float[Tensor, "B D"], examples: Tensor | None = None, tau: Float[Tensor, "B"] | None = None
    ) -> BernoulliLikelihood | GaussianLikelihood:
        pixels = self.pixels(z, tau)
        return GaussianLikelihood(pixels, self.log_scale) if self.is_gaussian else BernoulliLikelihood(pixels)
