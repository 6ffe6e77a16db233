"""What a run keeps of its data set."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnvae.data.dataset import Dataset, ImageShape, TextShape
from bnvae.metrics.figures.figure_values import number
from bnvae.runs.storage.atomic_files import BrokenRunError


@final
@dataclass(frozen=True, kw_only=True)
class DataCard:
    """Sizes and names, without the examples."""

    shape: ImageShape | TextShape
    training_examples: int
    validation_examples: int
    """0: none apart from the test examples, of which all figures are then"""
    test_examples: int
    label_names: tuple[str, ...]
    digest: str
    entropy: float | None = None
    """of one example of the source, in nats, where it is known"""

    @classmethod
    def of(cls, dataset: Dataset, *, entropy: float | None = None) -> "DataCard":
        return cls(
            shape=dataset.shape,
            training_examples=len(dataset.training),
            validation_examples=len(dataset.validation) if dataset.has_validation else 0,
            test_examples=len(dataset.test),
            label_names=dataset.label_names,
            digest=dataset.digest,
            entropy=entropy,
        )

    @property
    def watched(self) -> str:
        """The split that evaluations and previews of a training are of, by its name."""
        return "validation" if self.validation_examples else "test"

    @property
    def modality(self) -> str:
        return "text" if isinstance(self.shape, TextShape) else "image"

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "DataCard":
        sizes = stored["shape"]
        if not all(type(size) is int and 1 <= size <= 1_000_000 for size in sizes.values()):
            raise ValueError(f"shape is {sizes!r:.80}: expected positive whole numbers.")
        shape: ImageShape | TextShape = ImageShape(**sizes) if "channels" in sizes else TextShape(**sizes)
        return cls(
            shape=shape,
            training_examples=int(stored["training_examples"]),
            validation_examples=int(stored.get("validation_examples", 0)),
            test_examples=int(stored["test_examples"]),
            label_names=tuple(map(str, stored["label_names"])),
            digest=str(stored["digest"]),
            entropy=number(stored, "entropy"),
        )

    def examples(self, stored: NDArray[Any], where: str) -> Tensor:
        """Examples read from a file, as a `Split` has them.

        Raises:
            BrokenRunError: they are not examples of this shape; the message begins with `where`.
        """
        if isinstance(self.shape, TextShape):
            wanted = f"whole numbers (N, L) below {self.shape.vocabulary_size}"
            fits = stored.ndim == 2 and stored.shape[1] > 0 and stored.dtype.kind == "i"
            if fits and stored.size:
                fits = int(stored.min()) >= 0 and int(stored.max()) < self.shape.vocabulary_size
        else:
            sizes = (self.shape.channels, self.shape.height, self.shape.width)
            wanted = f"uint8 (N, {', '.join(map(str, sizes))})"
            fits = stored.dtype == np.uint8 and stored.shape[1:] == sizes
        if not fits:
            raise BrokenRunError(f"{where} is {stored.dtype} {stored.shape}: expected {wanted}.")
        return torch.from_numpy(stored)

    def labels(self, stored: NDArray[Any], count: int, where: str) -> Tensor:
        """One label for each of `count` examples.

        Raises:
            BrokenRunError: they are not; the message begins with `where`.
        """
        fits = stored.shape == (count,) and stored.dtype.kind == "i"
        if fits and count:
            fits = int(stored.min()) >= -1 and int(stored.max()) < max(1, len(self.label_names))
        if not fits:
            raise BrokenRunError(
                f"{where} is {stored.dtype} {stored.shape}: expected {count} whole numbers from -1 to below "
                f"{len(self.label_names)}."
            )
        return torch.from_numpy(stored)
