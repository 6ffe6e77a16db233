"""The layers that a description may list: what each is called, which weights it has, what it makes of a shape."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor, nn

from bnvae.nn.foreign.description import Layer

Shape = tuple[int, ...]
"""of one example: (F,) or (C, H, W)"""
MOST_NUMBERS = 2**20
"""that one example may become inside of a network, 2 GiB for 512 at a time: a stranger must not fill a machine"""

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
SIZED = ("reshape", "max_pool", "average_pool", "upsample", "leaky_relu")
OPTIONS: dict[str, dict[str, float]] = {
    "linear": {},
    "conv": {"stride": 1, "padding": 0},
    "conv_transpose": {"stride": 1, "padding": 0, "output_padding": 0},
    "batch_norm": {"eps": 1e-5},
    "layer_norm": {"eps": 1e-5},
}
"""of the layers with weights, and what each option is if it is left out, as in torch"""
NORMALISERS = ("batch_norm", "layer_norm")
KNOWN = (*OPTIONS, *ACTIVATIONS, "flatten", "reshape", "max_pool", "average_pool", "upsample")


@final
@dataclass(frozen=True, kw_only=True)
class Spec:
    """One layer of a list, read."""

    place: str
    """where it is written: "decoder[2]" """
    kind: str
    value: Any
    """name of its weights, or its size; None for a layer that is only a word"""
    options: Mapping[str, float]

    def wanted(self) -> tuple[str, ...]:
        """Names of the tensors without which it cannot be built."""
        if self.kind == "batch_norm":
            return tuple(f"{self.value}.{part}" for part in ("running_mean", "running_var"))
        return (f"{self.value}.weight",) if self.kind in OPTIONS else ()

    def used(self) -> tuple[str, ...]:
        """Names of all tensors that belong to it."""
        if self.kind not in OPTIONS:
            return ()
        counted = ("num_batches_tracked",) if self.kind == "batch_norm" else ()
        return (*self.wanted(), *(f"{self.value}.{part}" for part in ("weight", "bias", *counted)))


def read(name: str, layers: Sequence[Layer]) -> list[Spec]:
    """The layers of one list.

    Raises:
        ValueError: one of them is unknown, or has an unknown option or a refused size.
    """
    return [_read(f"{name}[{index}]", layer) for index, layer in enumerate(layers)]


def _read(place: str, layer: object) -> Spec:
    given = {layer: None} if isinstance(layer, str) else layer
    if not isinstance(given, dict) or not given:
        raise ValueError(f'{place} is {layer!r:.80}: give a layer as "relu" or {{"linear": "fc1"}}.')
    kind = next((name for name in given if name in KNOWN), next(iter(given)))
    value, options_given = given[kind], {name: number for name, number in given.items() if name != kind}
    if kind not in KNOWN:
        raise ValueError(f"{place} is {kind!r:.80}, an unknown layer or activation: known are {', '.join(KNOWN)}.")
    options = OPTIONS.get(kind, {})
    for option, number in options_given.items():
        if option not in options:
            known = ", ".join(options) or "none"
            raise ValueError(f"{place}, {kind}, has an unknown option {option!r:.80}: known are {known}.")
        whole = option != "eps"
        fits = isinstance(number, int if whole else int | float) and not isinstance(number, bool)
        if not fits or not (0 if whole else 1e-12) <= number <= (16 if whole else 1):
            wanted = "a whole number from 0 to 16" if whole else "a small number above 0"
            raise ValueError(f"{place}: {option} is {number!r:.80}: give {wanted}.")
    if kind in OPTIONS and (not isinstance(value, str) or not value):
        raise ValueError(f'{place}, {kind}, names no weights: write {{"{kind}": "fc1"}} for fc1.weight and fc1.bias.')
    if kind not in OPTIONS and kind not in SIZED and value is not None:
        raise ValueError(f'{place}: {kind} takes nothing: write "{kind}".')
    _check_size(place, kind, value)
    return Spec(place=place, kind=kind, value=value, options={**options, **options_given})


def _check_size(place: str, kind: str, value: object) -> None:
    if kind == "reshape":
        fits = isinstance(value, list) and len(value) in (1, 3) and all(_is_whole(size, MOST_NUMBERS) for size in value)
        wanted = "[channels, height, width] or [features]"
    elif kind in ("max_pool", "average_pool", "upsample"):
        fits, wanted = _is_whole(value, 16), "a factor from 1 to 16"
    elif kind == "leaky_relu":
        is_slope = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        fits, wanted = value is None or is_slope, "a slope from 0 to 1"
    else:
        return
    if not fits:
        raise ValueError(f"{place}: {kind} is {value!r:.80}: give {wanted}.")


def _is_whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def build(specs: Sequence[Spec], shape: Shape, tensors: Mapping[str, Tensor]) -> tuple[nn.Sequential, Shape]:
    """The layers with their weights, and the shape they turn an example of `shape` into.

    Raises:
        ValueError: a weight does not fit what reaches its layer; it names both shapes.
    """
    modules = []
    for spec in specs:
        module, shape = _build(spec, shape, tensors)
        if math.prod(shape) > MOST_NUMBERS or min(shape) < 1:
            raise ValueError(f"{spec.place}, {spec.kind}, makes {shape} of an example: at most {MOST_NUMBERS} numbers.")
        modules.append(module)
    return nn.Sequential(*modules), shape


def _build(spec: Spec, shape: Shape, tensors: Mapping[str, Tensor]) -> tuple[nn.Module, Shape]:
    if spec.kind in OPTIONS:
        module, after = _weighted(spec, shape, tensors[spec.wanted()[0]])
        _load(spec, module, tensors)
        return module, after
    if spec.kind in ACTIVATIONS:
        activation = ACTIVATIONS[spec.kind]
        return activation() if spec.value is None else nn.LeakyReLU(float(spec.value)), shape
    if spec.kind == "flatten":
        return nn.Flatten(), (math.prod(shape),)
    if spec.kind == "reshape":
        wanted = tuple(spec.value)
        if math.prod(wanted) != math.prod(shape):
            raise ValueError(
                f"{spec.place}: reshape to {wanted} needs {math.prod(wanted)} numbers, and {math.prod(shape)} reach it."
            )
        return nn.Sequential(nn.Flatten(), nn.Unflatten(1, wanted)), wanted
    channels, height, width = _picture(spec, shape)
    if spec.kind == "upsample":
        return nn.Upsample(scale_factor=spec.value), (channels, height * spec.value, width * spec.value)
    pool = nn.MaxPool2d(spec.value) if spec.kind == "max_pool" else nn.AvgPool2d(spec.value)
    return pool, (channels, height // spec.value, width // spec.value)


def _weighted(spec: Spec, shape: Shape, weight: Tensor) -> tuple[nn.Module, Shape]:
    options: dict[str, Any] = dict(spec.options)
    if spec.kind == "linear":
        if len(shape) != 1:
            raise ValueError(f'{spec.place}: a picture {shape} reaches linear {spec.value!r}: put "flatten" before it.')
        _check_weight(spec, weight, ("out", shape[0]))
        return nn.Linear(shape[0], len(weight)), (len(weight),)
    if spec.kind in NORMALISERS:
        if spec.kind == "layer_norm":
            _check_weight(spec, weight, shape)
            return nn.LayerNorm(shape, **options), shape
        _check_weight(spec, weight, shape[:1])
        kind = nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d
        return kind(shape[0], **options), shape
    channels, height, width = _picture(spec, shape)
    stride, padding = int(options["stride"]), int(options["padding"])
    if stride < 1:
        raise ValueError(f"{spec.place}: stride is {stride}: give 1 or more.")
    if spec.kind == "conv":
        _check_weight(spec, weight, ("out", channels, "kernel", "kernel"))
        out, _, high, wide = weight.shape
        sizes = [(size + 2 * padding - k) // stride + 1 for size, k in ((height, high), (width, wide))]
        return nn.Conv2d(channels, out, (high, wide), stride, padding), (out, *sizes)
    extra = int(options["output_padding"])
    if extra >= stride:
        raise ValueError(f"{spec.place}: output_padding is {extra}: it must be below the stride, {stride}.")
    _check_weight(spec, weight, (channels, "out", "kernel", "kernel"))
    _, out, high, wide = weight.shape
    sizes = [(size - 1) * stride - 2 * padding + k + extra for size, k in ((height, high), (width, wide))]
    return nn.ConvTranspose2d(channels, out, (high, wide), stride, padding, extra), (out, *sizes)


def _check_weight(spec: Spec, weight: Tensor, wanted: Sequence[int | str]) -> None:
    found = tuple(weight.shape)
    fits = len(found) == len(wanted) and all(
        size == want or (isinstance(want, str) and size > 0) for size, want in zip(found, wanted, strict=True)
    )
    if not fits:
        raise ValueError(
            f"{spec.wanted()[0]!r} of {spec.place} has shape {found}: expected ({', '.join(map(str, wanted))}) for "
            "what reaches it. Put the layers in their order, or correct the name, the image or latent_dimensions."
        )


def _load(spec: Spec, module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put the layer's own tensors into it; what is optional and not there is left out."""
    given = {name.removeprefix(f"{spec.value}."): tensors[name] for name in spec.used() if name in tensors}
    if "bias" not in given:
        if spec.kind in NORMALISERS and "weight" in given:
            raise ValueError(f"'{spec.value}.bias' of {spec.place} is missing: {spec.kind} has a weight and a bias.")
        module.register_parameter("bias", None)
    if "weight" not in given:
        module.register_parameter("weight", None)
    for name, own in module.state_dict().items():
        if name == "num_batches_tracked":
            continue
        if own.shape != given[name].shape:
            raise ValueError(
                f"'{spec.value}.{name}' of {spec.place} has shape {tuple(given[name].shape)}: expected "
                f"{tuple(own.shape)}, as its weight has it."
            )
    module.load_state_dict({name: value.float() for name, value in given.items()}, strict=False)


def _picture(spec: Spec, shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ValueError(
            f'{spec.place}: {shape[0]} numbers in a row reach {spec.kind}: put {{"reshape": [channels, height, width]}}'
            " before it."
        )
    channels, height, width = shape
    return channels, height, width
