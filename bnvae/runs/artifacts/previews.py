"""What a run shows without its data set: a few test examples, and what its model last made of validation ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Int64
from torch import Tensor

from bnvae.data.dataset import Split
from bnvae.runs.artifacts.data_card import DataCard
from bnvae.runs.storage.atomic_files import MIB, BrokenRunError, read_arrays, write_arrays
from bnvae.runs.storage.kept_rows import rows_of

KEPT_EXAMPLES = 256
KEPT_EXAMPLE_BYTES = MIB


@final
@dataclass(frozen=True, kw_only=True)
class Examples:
    """A few test examples kept with the run."""

    examples: Tensor
    """uint8 (N, C, H, W) pixels or int32 (N, L) tokens"""
    labels: Tensor
    rows: Int64[Tensor, "N"]
    """their row numbers in the test split"""

    @classmethod
    def of(cls, split: Split, order: Int64[Tensor, "M"]) -> "Examples":
        """As many as may be kept, from the beginning of this order of the split's rows."""
        rows = order[: max(16, min(KEPT_EXAMPLES, KEPT_EXAMPLE_BYTES // split.examples[0].nbytes))]
        return cls(examples=split.examples[rows], labels=split.labels[rows], rows=rows)

    def write(self, path: Path) -> None:
        arrays = {"examples": self.examples, "labels": self.labels, "rows": self.rows}
        write_arrays(path, {name: array.numpy() for name, array in arrays.items()})

    @classmethod
    def read(cls, path: Path, card: DataCard) -> "Examples":
        """Raises BrokenRunError if the file is missing, damaged, or does not fit the card."""
        stored = read_arrays(path, ("examples", "labels"), optional=("rows",))
        where = f"{path.parent.name}/{path.name}:"
        examples = card.examples(stored["examples"], f"{where} examples")
        labels = card.labels(stored["labels"], len(examples), f"{where} labels")
        return cls(examples=examples, labels=labels, rows=rows_of(stored, len(examples), where))


@final
@dataclass(frozen=True, kw_only=True)
class Preview:
    """What the model made at its last evaluation, of validation examples: pixels or tokens, as in `Examples`."""

    step: int
    originals: Tensor
    reconstructions: Tensor
    samples: Tensor

    def write(self, path: Path) -> None:
        write_arrays(
            path,
            {
                "step": np.array(self.step),
                "originals": self.originals.numpy(),
                "reconstructions": self.reconstructions.numpy(),
                "samples": self.samples.numpy(),
            },
        )

    @classmethod
    def read(cls, path: Path, card: DataCard) -> "Preview":
        """Raises BrokenRunError if the file is missing, damaged, or does not fit the card."""
        stored = read_arrays(path, ("step", "originals", "reconstructions", "samples"))
        step, where = stored.pop("step"), f"{path.parent.name}/{path.name}:"
        if step.shape != () or step.dtype.kind != "i":
            raise BrokenRunError(f"{where} step is {step.dtype} {step.shape}: expected one whole number.")
        parts = {name: card.examples(value, f"{where} {name}") for name, value in stored.items()}
        return cls(step=int(step), **parts)
