"""Figures of a data set's test, validation and training examples."""

from functools import partial

from bnvae.analysis.importance_sampling import Progress, silent
from bnvae.analysis.metrics import evaluate
from bnvae.data.dataset import Dataset
from bnvae.evaluation import recompute_statistics
from bnvae.model import VAE


def evaluate_dataset(
    model: VAE, dataset: Dataset, *, tau: float | None = None, progress: Progress = silent
) -> dict[str, object]:
    """Figures of every split, the head's moments recomputed over the training set first."""
    recompute_statistics(model, dataset.training.examples)
    return {
        name: evaluate(
            model, split.examples, tau=tau, progress=partial(progress, f"ELBO and moments of {name} examples")
        ).to_dict()
        for name, split in dataset.splits.items()
    }
