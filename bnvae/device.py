"""Where and how precisely to compute: what the machine offers, and what `auto` means on it."""

import math
import platform
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache

import torch

from bnvae.config import DeviceName, PrecisionName

WORTHWHILE = 0.8
"""bf16 loses digits; below this share of the time of fp32 it is worth them"""


@dataclass(frozen=True, kw_only=True)
class DeviceInfo:
    name: DeviceName
    """value for the configuration"""
    label: str
    """the hardware's own name"""
    free_bytes: int | None
    """free device memory; None where it can't be asked"""


def available_devices() -> list[DeviceInfo]:
    """Every kind of device this machine has, best first."""
    found = []
    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        found.append(DeviceInfo(name="cuda", label=torch.cuda.get_device_name(), free_bytes=free))
    if torch.backends.mps.is_available():
        found.append(DeviceInfo(name="mps", label="Apple GPU", free_bytes=None))
    found.append(DeviceInfo(name="cpu", label=platform.processor() or platform.machine(), free_bytes=None))
    return found


def resolve_device(name: DeviceName) -> torch.device:
    """Raises ValueError if the machine lacks the device asked for."""
    names = [info.name for info in available_devices()]
    if name == "auto":
        return torch.device(names[0])
    if name not in names:
        raise ValueError(f"device is {name!r}: this machine has {', '.join(names)}. Choose one of them, or 'auto'.")
    return torch.device(name)


def has_room_for(size_bytes: int, device: torch.device) -> bool:
    """Whether data of this size may stay on the device beside a model: on a GPU at most half of what is free."""
    return device.type != "cuda" or size_bytes < torch.cuda.mem_get_info(device)[0] // 2


def resolve_precision(name: PrecisionName, device: torch.device) -> torch.dtype:
    """The type of matrix products: bf16 on `auto` only where it is faster.

    On processors that is timed, so two calls on one machine could differ: a training remembers what it began with.
    """
    if name == "auto":
        return torch.bfloat16 if _bf16_is_faster(device) else torch.float32
    return torch.bfloat16 if name == "bf16" else torch.float32


@cache
def _bf16_is_faster(device: torch.device) -> bool:
    if not _multiplies_bf16(device):
        return False
    # Having the instructions says little on a processor: without AMX the product was seen at half the speed of fp32.
    return device.type == "cuda" or _product_seconds(torch.bfloat16) < WORTHWHILE * _product_seconds(torch.float32)


def _product_seconds(dtype: torch.dtype) -> float:
    """Best time of a product of the size of a hidden layer (s)."""
    left, right = torch.ones(256, 512, dtype=dtype), torch.ones(512, 512, dtype=dtype)
    best = math.inf
    for _ in range(8):
        started = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - started)
    return best


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        # Emulated bf16 on older cards is slower than fp32.
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
    return False


def autocast(device: torch.device, precision: torch.dtype) -> AbstractContextManager[object]:
    """Matrix products in `precision` within; the posterior head and all likelihood sums stay fp32 by themselves."""
    if precision == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=precision)
