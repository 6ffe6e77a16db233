"""A run's encodings: the posteriors of its test examples, so that it can be explored without its data set."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.posterior import Posterior
from bnvae.runs.card import DataCard
from bnvae.runs.files import BrokenRunError, read_arrays, write_arrays

ENCODED_EXAMPLES = 10_000


def write_posterior(path: Path, posterior: Posterior, labels: Tensor, *, exact: bool) -> None:
    """Keep the encodings of the first examples; fp16 unless `exact`, since they are drawn and not added up."""
    count, kept = ENCODED_EXAMPLES, np.float32 if exact else np.float16
    write_arrays(
        path,
        {
            "mean": posterior.mean[:count].numpy().astype(kept),
            "std": posterior.std[:count].numpy().astype(kept),
            "labels": labels[:count].numpy(),
        },
    )


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
