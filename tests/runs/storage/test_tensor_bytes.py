"""Tensors as safetensors, written from where they lie."""

import torch
from safetensors.torch import load, save
from torch import Tensor

from bnvae.runs.storage.tensor_bytes import DTYPES, views_of

TENSORS: dict[str, Tensor] = {
    "weight": torch.randn(3, 5, generator=torch.Generator().manual_seed(0)),
    "transposed": torch.arange(6.0).view(2, 3).t(),
    "step": torch.tensor(7.0),
    "none": torch.zeros(0, 4),
    'with "quotes" and é': torch.tensor([-0.0, float("nan"), float("inf")]),
    **{str(dtype): torch.tensor([0, 1, 1]).to(dtype) for dtype in DTYPES},
}


def test_the_views_are_byte_for_byte_what_safetensors_would_save() -> None:
    # Of equal width, numbers of another kind may come in another order.
    kinds = (torch.int64, torch.float32, torch.bfloat16, torch.bool)
    tensors = {name: value.contiguous() for name, value in TENSORS.items() if value.dtype in kinds}
    assert b"".join(views_of(tensors)) == save(tensors)


def test_they_are_read_back_as_they_were() -> None:
    stored = load(b"".join(views_of(TENSORS)))
    assert stored.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert stored[name].dtype == value.dtype
        torch.testing.assert_close(stored[name], value, rtol=0, atol=0, equal_nan=True)


def test_no_copy_is_made() -> None:
    weight = torch.zeros(1000)
    views = views_of({"weight": weight})
    weight[0] = 1.0
    assert load(b"".join(views))["weight"][0] == 1.0


def test_no_tensors_are_a_file_too() -> None:
    assert load(b"".join(views_of({}))) == {}
