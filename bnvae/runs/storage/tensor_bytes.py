"""Tensors in the safetensors format, as views of the memory that they are in already."""

import json
import sys
from collections.abc import Mapping

import torch
from safetensors.torch import save
from torch import Tensor

DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""of what a model or an optimiser may hold"""


def views_of(tensors: Mapping[str, Tensor]) -> list[bytes | memoryview]:
    """One after the other they are a safetensors file; valid until a tensor changes.

    `safetensors.torch.save` copies each tensor and then all of them: of 160 MB that alone takes longer than their hash
    (measured).
    """
    # Wide numbers first, so that each tensor begins at a multiple of its numbers' width.
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0]))
    on_cpu = [(name, value.detach().cpu().contiguous()) for name, value in ordered]
    if sys.byteorder == "big":  # the format is little-endian
        return [save(dict(on_cpu))]
    header, end = {}, 0
    for name, value in on_cpu:
        begin, end = end, end + value.nbytes
        header[name] = {"dtype": DTYPES[value.dtype], "shape": list(value.shape), "data_offsets": [begin, end]}
    stated = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    stated += b" " * (-len(stated) % 8)
    return [len(stated).to_bytes(8, "little") + stated, *(_bytes_of(value) for _, value in on_cpu)]


def _bytes_of(tensor: Tensor) -> memoryview:
    return tensor.view(-1).view(torch.uint8).numpy().data
