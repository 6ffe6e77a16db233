"""Descriptions of small models, to be changed by each test."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

MLP: dict[str, Any] = {
    "format": "bnvae-vae-1",
    "data": {"name": "digits"},
    "image": [1, 8, 8],
    "latent_dimensions": 3,
    "encoder": ["flatten", {"linear": "fc1"}, "relu"],
    "mean": [{"linear": "fc21"}],
    "log_variance": [{"linear": "fc22"}],
    "decoder": [{"linear": "fc3"}, "relu", {"linear": "fc4"}, {"reshape": [1, 8, 8]}],
    "likelihood": {"bernoulli": "logits"},
}
SIZES = {"fc1": (10, 64), "fc21": (3, 10), "fc22": (3, 10), "fc3": (10, 3), "fc4": (64, 10)}


@pytest.fixture
def mlp() -> dict[str, Any]:
    return copy.deepcopy(MLP)


@pytest.fixture
def weights() -> dict[str, Tensor]:
    """What a state dict of `mlp` holds."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for name, (out, inner) in SIZES.items():
        tensors[f"{name}.weight"] = torch.randn(out, inner, generator=generator) / inner**0.5
        tensors[f"{name}.bias"] = torch.randn(out, generator=generator) / 10
    return tensors
