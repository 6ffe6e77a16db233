"""Which examples each step sees, and which noise: pure functions of the seed, so there is no position to save."""

from collections.abc import Iterator
from typing import final

import torch
from jaxtyping import Int
from torch import Tensor

from bnvae.config.schema import SMALLEST_BATCH
from bnvae.data.dataset import PAD, Split
from bnvae.training.device import has_room_for


def mix(seed: int, *counters: int) -> int:
    """A 63-bit seed from a seed and counters, such that neighbouring counters give unrelated streams (SplitMix64)."""
    state = seed & _MASK
    for counter in counters:
        state = (state + 0x9E3779B97F4A7C15 * (counter + 1)) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state >> 1


_MASK = 2**64 - 1


def is_text(examples: Tensor) -> bool:
    return examples.dim() == 2


def row_lengths(examples: Int[Tensor, "N L"]) -> Int[Tensor, "N"]:
    """Tokens of each sentence up to its END."""
    return (examples != PAD).sum(1)


@final
class Batches:
    """A split, held on the device where it fits, cut into batches by a fresh order each epoch.

    The last, smaller batch of an epoch is left out: its moments would be noisier than the others'. A split smaller than
    one batch is one batch.
    """

    def __init__(self, split: Split, batch_size: int, seed: int, device: torch.device) -> None:
        if len(split) < 1:
            raise ValueError("the training split is empty: give at least one example.")
        self._device = device
        keeps = has_room_for(split.examples.nbytes, device)
        self.examples = split.examples.to(device) if keeps else split.examples
        self.batch_size = min(batch_size, len(split))
        self.seed = seed
        # Lengths stay on the CPU, so that trimming a batch does not wait for the device.
        self._lengths = row_lengths(split.examples).cpu() if is_text(split.examples) else None
        self._order: tuple[int, Tensor] | None = None

    @property
    def steps_per_epoch(self) -> int:
        return len(self.examples) // self.batch_size

    def order(self, epoch: int) -> Int[Tensor, "N"]:
        """The epoch's permutation of all examples."""
        if self._order is None or self._order[0] != epoch:
            generator = torch.Generator().manual_seed(mix(self.seed, 0, epoch))
            self._order = (epoch, torch.randperm(len(self.examples), generator=generator))
        return self._order[1]

    def __getitem__(self, step: int) -> Tensor:
        """The examples of a step, counted from 0 over all epochs."""
        epoch, within = divmod(step, self.steps_per_epoch)
        rows = self.order(epoch)[within * self.batch_size : (within + 1) * self.batch_size]
        return take(self.examples, rows, self._lengths).to(self._device)


def check_batch_norm(split: Split, head_is_normalised: bool) -> None:
    """Raises ValueError if the split can't fill one batch with usable moments."""
    if head_is_normalised and len(split) < SMALLEST_BATCH:
        raise ValueError(
            f"training_examples is {len(split)}: a head that normalises over the batch needs {SMALLEST_BATCH} or more; "
            "give more examples, or head 'gaussian'."
        )


def take(examples: Tensor, rows: Int[Tensor, "B"], lengths: Int[Tensor, "N"] | None) -> Tensor:
    """Rows of a split; sentences trimmed to the longest among them."""
    # Copies rows; indexing with brackets copies single bytes, which takes seven times as long for pictures (measured).
    chosen = examples.index_select(0, rows.to(examples.device))
    return chosen if lengths is None else chosen[:, : int(lengths[rows].max())]


def in_chunks(examples: Tensor, size: int) -> Iterator[Tensor]:
    """All examples in order, `size` at a time; sentences trimmed to the longest of each chunk."""
    for start in range(0, len(examples), size):
        chunk = examples[start : start + size]
        yield chunk[:, : int(row_lengths(chunk).max())] if is_text(chunk) else chunk
