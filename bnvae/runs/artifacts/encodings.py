"""A run's encodings: the posteriors of its test examples, so that it can be explored without its data set."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bnvae.nn.posterior import Posterior
from bnvae.runs.artifacts.data_card import DataCard
from bnvae.runs.storage.atomic_files import BrokenRunError, read_arrays, write_arrays
from bnvae.runs.storage.kept_rows import rows_of

ENCODED_EXAMPLES = 10_000


def write_posterior(
    path: Path, posterior: Posterior, labels: Tensor, rows: Int64[Tensor, "N"] | None, *, exact: bool
) -> None:
    """Keep encodings, labels and row numbers; fp16 unless `exact`, since they are drawn and not added up.

    Without row numbers they are those of the first test examples.
    """
    kept = np.float32 if exact else np.float16
    rows = torch.arange(len(labels)) if rows is None else rows
    assert len(posterior.mean) == len(labels) == len(rows) <= ENCODED_EXAMPLES
    write_arrays(
        path,
        {
            "mean": posterior.mean.numpy().astype(kept),
            "std": posterior.std.numpy().astype(kept),
            "labels": labels.numpy(),
            "rows": rows.numpy(),
        },
    )


def read_rows(path: Path) -> Int64[Tensor, "N"]:
    """Row numbers in the test split of the encoded examples.

    Raises:
        BrokenRunError: the file is missing or damaged.
    """
    stored = read_arrays(path, ("labels",), optional=("rows",))
    return rows_of(stored, len(stored["labels"]), f"{path.parent.name}/{path.name}:")


def read_posterior(path: Path, dimensions: int, card: DataCard) -> tuple[Posterior, Float[Tensor, "N"]]:
    """Posteriors and labels.

    Raises:
        BrokenRunError: the file is missing, damaged, or of other dimensions or labels.
    """
    stored, where = read_arrays(path, ("mean", "std", "labels")), f"{path.parent.name}/{path.name}:"
    for name in ("mean", "std"):
        array = stored[name]
        if array.dtype.kind != "f" or array.shape != (len(stored["labels"]), dimensions):
            raise BrokenRunError(
                f"{where} {name} is {array.dtype} {array.shape}: expected floating-point numbers "
                f"({len(stored['labels'])}, {dimensions})."
            )
    mean, std = (torch.from_numpy(stored[name].astype(np.float32)) for name in ("mean", "std"))
    return Posterior(mean, std), card.labels(stored["labels"], len(mean), f"{where} labels")
