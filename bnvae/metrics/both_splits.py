"""Figures of a data set's test, validation and training examples."""

from collections.abc import Callable
from functools import partial

from bnvae.data.dataset import Dataset
from bnvae.metrics.estimators.importance_sampling import Progress, silent
from bnvae.metrics.figures.example_figures import ExampleFigures
from bnvae.metrics.test_set import evaluate_each
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import recompute_statistics


def evaluate_dataset(
    model: VAE,
    dataset: Dataset,
    *,
    tau: float | None = None,
    progress: Progress = silent,
    keep: Callable[[ExampleFigures], object] = lambda each: None,
) -> dict[str, object]:
    """Figures of every split, the head's moments recomputed over the training set first.

    `keep` is given the figures of each test example.
    """
    recompute_statistics(model, dataset.training.examples)
    figures: dict[str, object] = {}
    for name, split in dataset.splits.items():
        evaluation, each = evaluate_each(
            model, split.examples, tau=tau, progress=partial(progress, f"ELBO and moments of {name} examples")
        )
        if name == "test":
            keep(each)
        figures[name] = evaluation.to_dict()
    return figures
