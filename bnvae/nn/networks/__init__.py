"""Encoders and decoders of images and text."""

from bnvae.config.schema import ModelConfig
from bnvae.data.dataset import ImageShape, TextShape
from bnvae.nn.networks.base import Decoder, Dropout, Encoder, Likelihood, use_generator
from bnvae.nn.networks.image import ConvDecoder, ConvEncoder, ImageDecoder, MlpDecoder, MlpEncoder
from bnvae.nn.networks.lstm import LstmDecoder, LstmEncoder
from bnvae.nn.networks.text import TextDecoder
from bnvae.nn.networks.transformer import TransformerDecoder, TransformerEncoder

__all__ = [
    "NETWORKS",
    "Decoder",
    "Dropout",
    "Encoder",
    "ImageDecoder",
    "Likelihood",
    "TextDecoder",
    "build_decoder",
    "build_encoder",
    "use_generator",
]

NETWORKS: dict[str, tuple[type[Encoder], type[Decoder]]] = {
    "mlp": (MlpEncoder, MlpDecoder),
    "conv": (ConvEncoder, ConvDecoder),
    "lstm": (LstmEncoder, LstmDecoder),
    "transformer": (TransformerEncoder, TransformerDecoder),
}
"""Every network by its name in `ModelConfig.network`; each class is built from (config, shape)."""
OF_TEXT = ("lstm", "transformer")


def build_encoder(name: str, config: ModelConfig, shape: ImageShape | TextShape) -> Encoder:
    """The encoder of the network `name` for examples of `shape`.

    Raises:
        ValueError: the name is unknown, or the network is not made for this kind of examples.
    """
    _check(name, shape)
    return NETWORKS[name][0](config, shape)


def build_decoder(name: str, config: ModelConfig, shape: ImageShape | TextShape) -> Decoder:
    """The decoder of the network `name` for examples of `shape`.

    Raises:
        ValueError: the name is unknown, or the network is not made for this kind of examples.
    """
    _check(name, shape)
    return NETWORKS[name][1](config, shape)


def _check(name: str, shape: ImageShape | TextShape) -> None:
    fitting = [known for known in NETWORKS if (known in OF_TEXT) == isinstance(shape, TextShape)]
    if name not in fitting:
        raise ValueError(
            f"network is {name!r}: for {type(shape).__name__} examples choose one of {', '.join(fitting)}."
        )
