"""Where and how precisely to compute: what the machine offers, and what `auto` means on it."""

import dataclasses
import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from bnvae.config.schema import DeviceName, PrecisionName, TrainingConfig


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
    """The type of matrix products: bf16 on `auto` only where the device has units for it.

    Nothing is timed: beside a busy process a timing may say anything, and two equal trainings would differ.
    """
    if name == "auto":
        return torch.bfloat16 if has_bf16_units(device) else torch.float32
    return torch.bfloat16 if name == "bf16" else torch.float32


def has_bf16_units(device: torch.device) -> bool:
    """Whether bf16 products are faster than fp32 by the device's making: CUDA from Ampere on, processors with AMX."""
    if device.type == "cuda":
        # Emulated bf16 on older cards is slower than fp32.
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        # avx512_bf16 alone is no matrix unit: with it the product was seen at half the speed of fp32.
        return bool(torch.cpu.get_capabilities().get("amx_bf16"))
    return False


def with_precision(config: TrainingConfig) -> TrainingConfig:
    """With what `auto` means on this machine in place of it, so that a run says what it is computed in.

    A device that this machine lacks leaves it `auto`: the training will say so.
    """
    if config.precision != "auto":
        return config
    try:
        device = resolve_device(config.device)
    except ValueError:
        return config
    is_bf16 = resolve_precision("auto", device) == torch.bfloat16
    return dataclasses.replace(config, precision="bf16" if is_bf16 else "fp32")


def autocast(device: torch.device, precision: torch.dtype) -> AbstractContextManager[object]:
    """Matrix products in `precision` within; the posterior head and all likelihood sums stay fp32 by themselves."""
    if precision == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=precision)
