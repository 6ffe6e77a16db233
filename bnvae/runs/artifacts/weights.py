"""A model's weights as bytes, and back into the model that they fit."""

import json
import math

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from bnvae.config.schema import RunConfig
from bnvae.data.dataset import ImageShape, TextShape
from bnvae.nn.foreign.description import Description
from bnvae.nn.foreign.network import foreign_model
from bnvae.nn.posterior import LayerNormMeanHead, ScalerHead
from bnvae.nn.vae import VAE

SMALL_MODEL_NUMBERS = 50_000_000
"""parameters of a model that any machine has room for: 200 MB"""


def weights_of(model: VAE) -> bytes:
    """The model's tensors as safetensors, with its tau: that may have been steered away from the configuration's."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    has_tau = isinstance(model.head, ScalerHead) and model.amortised is None
    metadata = {"tau": repr(model.tau)} if has_tau else None
    return save_tensors(tensors, metadata)


def model_of(config: RunConfig, shape: ImageShape | TextShape, content: bytes) -> VAE:
    """The model that `config` describes with the weights in `content`: on the CPU, in eval mode, without gradients.

    Raises:
        ValueError: the weights are damaged, or don't fit.
    """
    try:
        tensors = load_tensors(content)
    except SafetensorError as error:
        raise ValueError(f"is damaged or of another format ({error}).") from None
    if _most_numbers(config, shape) > SMALL_MODEL_NUMBERS:
        # First without memory: a stranger's configuration may describe a model larger than this machine. Only then,
        # since torch's first model without memory imports for seconds.
        with torch.device("meta"):
            _check(_built(config, shape, tensors), tensors)
    model = _built(config, shape, tensors)
    _check(model, tensors)
    model.load_state_dict(tensors)
    if isinstance(model.head, ScalerHead) and model.amortised is None and (tau := _tau(content)) is not None:
        model.head.scaler.tau = tau
    return model.eval().requires_grad_(False)


def _built(config: RunConfig, shape: ImageShape | TextShape, tensors: dict[str, Tensor]) -> VAE:
    model = VAE.build(config.network, config.model, shape, seed=0)
    if isinstance(model.head, LayerNormMeanHead) and "head.shift" in tensors:
        model.head.with_shift()
    return model


def described_model(description: bytes, config: RunConfig, shape: ImageShape | TextShape, content: bytes) -> VAE:
    """The model of somebody else's that `description` describes, with the weights in `content`; as `model_of`.

    Raises:
        ValueError: description or weights are damaged, or don't fit each other, `config` or `shape`.
    """
    try:
        described = Description.from_json(description.decode())
        tensors = load_tensors(content)
    except (UnicodeDecodeError, SafetensorError) as error:
        raise ValueError(f"or its description is damaged or of another format ({error}).") from None
    if described.image != shape or described.latent_dimensions != config.model.latent_dimensions:
        raise ValueError("has a description of another picture or of another number of latent dimensions.")
    return foreign_model(described, tensors)


def _most_numbers(config: RunConfig, shape: ImageShape | TextShape) -> int:
    """A generous estimate of the parameters: what counts is whether they are tens of millions or billions."""
    model = config.model
    if isinstance(shape, TextShape):
        inputs = shape.vocabulary_size + shape.max_tokens
    else:
        inputs = shape.channels * shape.height * shape.width
    width = model.hidden_units + model.embedding_units + model.latent_dimensions
    return 32 * model.layers * width**2 + 4 * inputs * (width + 8 * model.conv_channels)


def _check(model: VAE, tensors: dict[str, Tensor]) -> None:
    if misfit := _misfit(model.state_dict(), tensors):
        raise ValueError(f"does not fit config.json: {misfit}.")


def _tau(content: bytes) -> float | None:
    """The tau noted beside the tensors, or None; the format's header is JSON behind its length."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    noted = header.get("__metadata__", {}).get("tau")
    if noted is None:
        return None
    try:
        tau = float(noted)
    except ValueError:
        tau = math.nan
    if not 0 <= tau < 1:
        raise ValueError(f"notes tau as {noted!r:.40}: expected 0 <= tau < 1.")
    return tau


def _misfit(wanted: dict[str, Tensor], given: dict[str, Tensor]) -> str:
    if missing := [name for name in wanted if name not in given]:
        return f"{missing[0]!r} is missing" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
    if foreign := [name for name in given if name not in wanted]:
        return f"{foreign[0]!r:.80} is unknown" + (f" and {len(foreign) - 1} more" if len(foreign) > 1 else "")
    for name, value in wanted.items():
        if value.shape != given[name].shape:
            return f"{name!r} has shape {tuple(given[name].shape)} instead of {tuple(value.shape)}"
        if value.dtype != given[name].dtype:
            return f"{name!r} is {given[name].dtype} instead of {value.dtype}"
        if not torch.isfinite(given[name]).all():
            return f"{name!r} holds numbers that are not finite"
    return ""
