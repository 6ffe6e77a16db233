"""All posteriors of a run that is arrays alone, as they were brought in; its figures are made from them."""

import numpy as np
import torch

from bnvae.nn.posterior import Posterior
from bnvae.runs.run import ARRAYS, Run
from bnvae.runs.storage.atomic_files import BrokenRunError, read_arrays, write_arrays


def write_codes(run: Run, posterior: Posterior) -> None:
    write_arrays(run.folder / ARRAYS, {"mean": posterior.mean.numpy(), "std": posterior.std.numpy()})


def read_codes(run: Run) -> Posterior:
    """The posteriors of every example.

    Raises:
        BrokenRunError: they are missing, damaged, or no posteriors of this run's number of dimensions.
    """
    stored, dimensions = read_arrays(run.folder / ARRAYS, ("mean", "std")), run.config.model.latent_dimensions
    mean, std = stored["mean"], stored["std"]
    fits = mean.dtype == std.dtype == np.float32 and mean.shape == std.shape == (len(mean), dimensions) and len(mean)
    if not fits or not np.isfinite(mean).all() or not np.isfinite(std).all() or not (std > 0).all():
        raise BrokenRunError(
            f"{run.id}/{ARRAYS} holds no posteriors: expected float32 mean and std (N, {dimensions}), finite, std > 0."
        )
    return Posterior(torch.from_numpy(mean), torch.from_numpy(std))
