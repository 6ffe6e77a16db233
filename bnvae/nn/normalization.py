"""Normalisation by the moments of the global batch, and by exact population moments outside training.

Own code instead of `nn.BatchNorm1d` and `nn.SyncBatchNorm`: the latter refuses CPUs, both add an eps where a floor
under the KL can't afford it, and neither has the uncentred (root-mean-square) form. One differentiable sum over all
devices serves both.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final, final

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn

SMALLEST_SQUARE: Final = 1e-12
"""Lower limit of the mean square that is divided by. A limit, not added as BatchNorm's eps: an encoder that shrinks its
outputs would shrink the mean's share of the second moment by variance / (variance + eps), and with it the floor."""

ADDED_SQUARE: Final = 1e-14
"""Added to the variance in one process, for torch's kernel knows no limit. An encoder whose outputs have a standard
deviation of 1e-5 loses 1e-4 of the mean's share to it."""

SMALLEST_BATCH: Final = 2


def _global_means(*values: Float[Tensor, "B D"]) -> tuple[Float[Tensor, "D"], ...]:
    """The mean of each value over the batches of all processes, differentiable in every one of them."""
    count = values[0].shape[0]
    if not _has_several_processes():
        return tuple(value.mean(0) for value in values)
    width = values[0].shape[1]
    sums = torch.cat([*(value.sum(0) for value in values), values[0].new_tensor([float(count)])])
    sums = _AllReduce.apply(sums)
    return tuple((sums[:-1] / sums[-1]).split(width))


def _has_several_processes() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


class _AllReduce(torch.autograd.Function):
    """Sum over all processes; so is its gradient, since every process's loss depends on every process's values."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Tensor:
        total = upstream.clone()
        distributed.all_reduce(total)
        return total


class BatchMoments(nn.Module, ABC):
    """Divides by moments: the batch's own while training, stored ones otherwise.

    While training, the stored moments follow the batches as an exponential average. `exact_moments` replaces them by
    those of a whole set.
    """

    def __init__(self, dimensions: int, *, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self._collected: list[tuple[int, Tensor, Tensor]] | None = None
        self.register_buffer("center", torch.zeros(dimensions))
        self.register_buffer("square", torch.ones(dimensions))

    smallest_square: ClassVar[float] = SMALLEST_SQUARE
    """the divisor's square is at least this"""
    center: Tensor
    """stored subtracted value (0 where nothing is subtracted)"""
    square: Tensor
    """stored mean square after the subtraction"""

    def forward(self, values: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        if self._collected is not None:
            wide = values.detach().double()
            self._collected.append((len(wide), *self._moments(wide)))
        if not self.training:
            return self._divided(values, self.center, self.square)
        if values.shape[0] < SMALLEST_BATCH:
            raise ValueError(
                f"the batch has {values.shape[0]} example: its moments are undefined. Train with 8 examples or more, "
                "or call eval() to use the stored moments."
            )
        normalised, center, square = self._normalised(values)
        with torch.no_grad():
            self.center.lerp_(center, self.momentum)
            self.square.lerp_(square, self.momentum)
        return normalised

    def _normalised(
        self, values: Float[Tensor, "B D"]
    ) -> tuple[Float[Tensor, "B D"], Float[Tensor, "D"], Float[Tensor, "D"]]:
        """Divided by their own moments, and these."""
        center, square = self._moments(values)
        return self._divided(values, center, square), center, square

    def _divided(
        self, values: Float[Tensor, "B D"], center: Float[Tensor, "D"], square: Float[Tensor, "D"]
    ) -> Float[Tensor, "B D"]:
        return (values - center) * torch.rsqrt(square.clamp_min(self.smallest_square))

    @abstractmethod
    def _moments(self, values: Float[Tensor, "B D"]) -> tuple[Float[Tensor, "D"], Float[Tensor, "D"]]:
        """What is subtracted, and the mean square of what remains, over the global batch."""

    def store_collected(self) -> None:
        """Set the stored moments to those of all rows seen since collecting began, pooled exactly."""
        assert self._collected, "nothing was collected"
        counts = torch.tensor([count for count, _, _ in self._collected], dtype=torch.float64)
        weights = (counts / counts.sum()).to(self.center.device)[:, None]
        centers = torch.stack([center for _, center, _ in self._collected])
        squares = torch.stack([square for _, _, square in self._collected])
        center = (weights * centers).sum(0)
        # Between-batch spread of the centers belongs to the pooled second moment (law of total variance).
        square = (weights * (squares + (centers - center).square())).sum(0)
        self.center.copy_(center)
        self.square.copy_(square)


@final
class BatchStandardiser(BatchMoments):
    """BatchNorm without scale or shift: mean 0 and variance 1 over the batch (biased variance)."""

    def _moments(self, values: Float[Tensor, "B D"]) -> tuple[Float[Tensor, "D"], Float[Tensor, "D"]]:
        (center,) = _global_means(values)
        # Two passes: E[x^2] - E[x]^2 cancels badly in fp32 when the center is far from 0.
        (square,) = _global_means((values - center).square())
        return center, square

    def _normalised(
        self, values: Float[Tensor, "B D"]
    ) -> tuple[Float[Tensor, "B D"], Float[Tensor, "D"], Float[Tensor, "D"]]:
        if _has_several_processes():
            return super()._normalised(values)
        # torch's kernel, one operation each way instead of a dozen. It computes values * a - center * a, which is noise
        # where values hardly vary about a large center, so it gets them centered; no gradient goes through a shift.
        center = values.detach().mean(0)
        normalised, _, scale = torch.native_batch_norm(
            values - center, None, None, None, None, training=True, momentum=0.0, eps=ADDED_SQUARE
        )
        return normalised, center, scale.pow(-2)


@final
class RootMeanSquareNormaliser(BatchMoments):
    """Second moment 1 over the batch, nothing subtracted: positive values stay positive."""

    # Nothing is subtracted, so a small square is no remainder of a cancellation: only 0 has to be kept away.
    smallest_square = 1e-30

    def _moments(self, values: Float[Tensor, "B D"]) -> tuple[Float[Tensor, "D"], Float[Tensor, "D"]]:
        (square,) = _global_means(values.square())
        return torch.zeros_like(square), square

    def _divided(
        self, values: Float[Tensor, "B D"], center: Float[Tensor, "D"], square: Float[Tensor, "D"]
    ) -> Float[Tensor, "B D"]:
        # As above, but no time is spent on subtracting zeros.
        return values * torch.rsqrt(square.clamp_min(self.smallest_square))


@contextmanager
def eval_mode(module: nn.Module) -> Iterator[None]:
    """Eval mode within; afterwards the mode that was before."""
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)


def stores_moments(module: nn.Module) -> bool:
    """Whether anything in it normalises over the batch, so that its stored moments have to be kept true."""
    return any(isinstance(layer, BatchMoments) for layer in module.modules())


@contextmanager
def exact_moments(module: nn.Module) -> Iterator[None]:
    """Within, run the training set through `module` in eval mode; after, its stored moments are those of that set."""
    layers = [layer for layer in module.modules() if isinstance(layer, BatchMoments)]
    for layer in layers:
        layer._collected = []
    try:
        yield
        for layer in layers:
            layer.store_collected()
    finally:
        for layer in layers:
            layer._collected = None


@torch.no_grad()
def recompute_moments(head: nn.Module, feature_batches: Iterable[Float[Tensor, "_ F"]]) -> None:
    """Set a head's stored moments to those of all the features given, exactly.

    Exponential averages lag behind a moving encoder, and then KL in eval mode says nothing about KL in training; call
    this with the training set's features before every evaluation and before saving.
    """
    with eval_mode(head), exact_moments(head):
        for features in feature_batches:
            head(features)
