"""Where a training stopped being finite: looked for only after it failed, so it costs nothing before."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def place_of_overflow(model: nn.Module, forward: Callable[[], object]) -> str:
    """The layer whose output is the first that is not finite, else whose gradient is; "" if all are finite.

    `forward` repeats the step that failed, on the weights before it and with the same noise.
    """
    found: list[str] = []
    names = {module: name for name, module in model.named_modules() if name}

    def look(module: nn.Module, inputs: Any, output: Any) -> None:
        if not found and not all(_is_finite(value) for value in _tensors(output)):
            found.append(f"{names[module]} ({type(module).__name__})")

    hooks = [module.register_forward_hook(look) for module in names]
    try:
        with torch.no_grad():
            forward()
    finally:
        for hook in hooks:
            hook.remove()
    if found:
        return f"The first output that is not finite is that of {found[0]}."
    # Gradients flow backwards: the last parameter is nearest to where they went wrong.
    spoilt = [name for name, value in model.named_parameters() if value.grad is not None and not _is_finite(value.grad)]
    return f"All outputs are finite; of the gradients {spoilt[-1]} is the first that is not." if spoilt else ""


def _is_finite(values: Tensor) -> bool:
    return not values.is_floating_point() or bool(torch.isfinite(values).all())


def _tensors(output: Any) -> list[Tensor]:
    """Those in what a layer returns: a tensor, or a tuple of such."""
    if isinstance(output, Tensor):
        return [output]
    return [tensor for part in output for tensor in _tensors(part)] if isinstance(output, tuple | list) else []
