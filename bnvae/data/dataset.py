"""What every data set is, wherever it comes from."""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

PAD, START, END, UNKNOWN = 0, 1, 2, 3
"""Ids of the special tokens, the same in every vocabulary."""


@dataclass(frozen=True, kw_only=True)
class ImageShape:
    channels: int
    height: int
    width: int


@dataclass(frozen=True, kw_only=True)
class TextShape:
    vocabulary_size: int
    max_tokens: int
    """longest row of tokens, START and END counted"""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Examples that are trained on, or held back for validation or testing."""

    examples: Tensor
    """images: uint8 (N, C, H, W); text: int32 (N, L), each row START, tokens, END, then PAD"""
    labels: Int[Tensor, "N"]
    """index into `Dataset.label_names`; -1 where unlabelled"""
    factors: dict[str, Tensor] = field(default_factory=dict)
    """known causes of each example, by name: (N,) numbers, or indices into `Dataset.factor_names[name]`"""

    def __len__(self) -> int:
        return len(self.examples)

    def rows(self, which: NDArray[np.int64]) -> "Split":
        """A copy of these rows."""
        index = torch.from_numpy(which)
        factors = {name: values[index] for name, values in self.factors.items()}
        return Split(examples=self.examples[index], labels=self.labels[index], factors=factors)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    name: str
    shape: ImageShape | TextShape
    training: Split
    validation: Split
    """figures of a training in progress are of these; the test split itself where none is held back for them"""
    test: Split
    """looked at when a training has ended"""
    label_names: tuple[str, ...] = ()
    factor_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """names of a categorical factor's values; a numeric factor has an empty tuple"""
    tokenizer: Tokenizer | None = None
    note: str = ""
    """what a user has to know of it: examples of their own that were left out; empty for nothing"""
    digest: str = ""
    """sha256 over all examples: two data sets with one digest are the same data"""

    @property
    def has_validation(self) -> bool:
        """Whether examples are held back for validation, apart from the test split."""
        return self.validation is not self.test

    @property
    def splits(self) -> dict[str, Split]:
        """Each split by its name, without the validation split where there is none of its own."""
        held = {"validation": self.validation} if self.has_validation else {}
        return {"test": self.test, **held, "training": self.training}
