"""The least time that a training step can take on a chip, by the operations and the bytes that it cannot do without."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

ADAM_PASSES = 8
"""over the parameters in fp32: the gradient written and read, the parameter and both averages read and written"""
SECONDS_OF_A_PEAK = 0.5
LONGEST_SIDE = {"cpu": 2048}
USUAL_SIDE = 8192
COPIED_BYTES = 2**28


@final
@dataclass(frozen=True)
class Work:
    """What one step needs, whoever writes its kernels."""

    operations: float
    """of matrix products and convolutions, forwards and backwards; a multiplication with its addition is two"""
    bytes: float
    """weights read twice, what the backward pass needs written and read once, and the passes of Adam"""


@final
@dataclass(frozen=True)
class Chip:
    """What the device does at best, measured on it."""

    operations_per_second: float
    bytes_per_second: float

    def floor_seconds(self, work: Work) -> float:
        return max(work.operations / self.operations_per_second, work.bytes / self.bytes_per_second)

    def limit(self, work: Work) -> str:
        by_operations = work.operations / self.operations_per_second
        return "operations" if by_operations > work.bytes / self.bytes_per_second else "bytes"


def count(model: Callable[[], nn.Module], batch: Tensor, precision: torch.dtype) -> Work:
    """Of one step of a model that returns its loss. Nothing is computed: tensors on `meta` have no values."""
    with torch.device("meta"):
        built = model()
    own = {parameter.untyped_storage()._cdata for parameter in built.parameters()}
    saved: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            saved[storage._cdata] = storage.nbytes()
        return tensor

    with FlopCounterMode(display=False) as counted, torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept):
        built(batch.to("meta")).backward()
    numbers = sum(parameter.numel() for parameter in built.parameters())
    width = precision.itemsize
    activations = sum(saved.values()) * width / torch.float32.itemsize
    needed = numbers * (2 * width + ADAM_PASSES * torch.float32.itemsize) + 2 * activations
    return Work(float(counted.get_total_flops()), float(needed))


def measured(device: torch.device, precision: torch.dtype) -> Chip:
    """A large product and a large copy, the fastest of those that fit into half a second."""
    side = LONGEST_SIDE.get(device.type, USUAL_SIDE)
    left, right = (torch.randn(side, side, device=device).to(precision) for _ in range(2))
    source = torch.empty(COPIED_BYTES, dtype=torch.uint8, device=device).fill_(1)
    target = torch.empty_like(source)
    return Chip(
        2 * side**3 / _best_seconds(lambda: left @ right, device),
        2 * COPIED_BYTES / _best_seconds(lambda: target.copy_(source), device),
    )


def wait_for(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _best_seconds(work: Callable[[], object], device: torch.device) -> float:
    best, begun = float("inf"), time.perf_counter()
    while time.perf_counter() - begun < SECONDS_OF_A_PEAK:
        wait_for(device)
        started = time.perf_counter()
        work()
        wait_for(device)
        best = min(best, time.perf_counter() - started)
    return best
