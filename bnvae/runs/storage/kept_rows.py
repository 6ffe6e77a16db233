"""Row numbers in the test split of what a run keeps of it, so that what belongs together can be matched."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

from bnvae.data.random_subset import subset_order
from bnvae.runs.storage.atomic_files import BrokenRunError, read_arrays


def rows_of(stored: Mapping[str, NDArray[Any]], count: int, where: str) -> Int64[Tensor, "N"]:
    """The row numbers in a file's arrays; a file of an earlier version has none and holds the first `count` rows.

    Raises:
        BrokenRunError: they are not `count` different whole numbers; the message begins with `where`.
    """
    if "rows" not in stored:
        return torch.arange(count)
    rows = stored["rows"]
    if rows.shape != (count,) or rows.dtype.kind != "i" or (count and rows.min() < 0) or len(np.unique(rows)) < count:
        raise BrokenRunError(f"{where} rows is {rows.dtype} {rows.shape}: expected {count} different row numbers.")
    return torch.from_numpy(rows.astype(np.int64))


def kept_order(examples: Path, count: int) -> Int64[Tensor, "N"]:
    """The order in which a run keeps the `count` rows of its test split: random, so that any first n are a fair sample.

    The order of the file for a run of an earlier version, whose kept `examples` have no row numbers: what it keeps
    later has to match what it has.
    """
    if examples.exists():
        try:
            if "rows" not in read_arrays(examples, ("examples",), optional=("rows",)):
                return torch.arange(count)
        except BrokenRunError:
            pass  # it is written anew when a training begins
    return subset_order(count)
