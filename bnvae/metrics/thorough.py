"""Everything there is to know about a trained model on its test examples, beside the quick figures of `metrics`."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from bnvae.data.dataset import Dataset
from bnvae.data.random_subset import random_subset
from bnvae.metrics.estimators.aggregated_posterior import holes
from bnvae.metrics.estimators.bn_modes import in_eval_mode, in_training_mode
from bnvae.metrics.estimators.importance_sampling import Progress, check_samples, importance_sampled_nlls, silent
from bnvae.metrics.estimators.permutation import distinct_share, permuted_rise
from bnvae.metrics.factors.factor_scores import factor_gaps
from bnvae.metrics.test_set import MUTUAL_INFORMATION_EXAMPLES
from bnvae.nn.networks.image import ImageDecoder
from bnvae.nn.posterior import Posterior
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import encode, recompute_statistics
from bnvae.training.sampler import is_text, mix, row_lengths, take

MODE_EXAMPLES = 2_000
HOLE_DRAWS = 2_000
BITS_OF_A_GREY_LEVEL = 8.0
"""a density over pixels in [0, 1] is one over 256 grey levels times 256"""


@final
@dataclass(frozen=True, kw_only=True)
class ThoroughSettings:
    """What to spend on a thorough evaluation."""

    samples: int = 500
    """K, draws of z for each example"""
    examples: int = 0
    """so many test examples, drawn at random by the seed; 0: all"""
    seed: int = 0

    def __post_init__(self) -> None:
        check_samples(self.samples)
        if self.examples < 0:
            raise ValueError(f"examples is {self.examples}: give how many test examples to use, or 0 for all.")


def thorough_figures(
    model: VAE,
    dataset: Dataset,
    settings: ThoroughSettings,
    *,
    batch_size: int,
    progress: Progress = silent,
    keep_nll: Callable[[Tensor, Tensor], object] = lambda rows, nll: None,
) -> dict[str, object]:
    """Figures of the test examples by name, ready for JSON; the model's head ends with the training set's moments.

    `keep_nll` is given the rows of the test examples used, and the NLL of each (nats).

    Raises:
        ValueError: there is nothing to evaluate, or a figure is not finite.
    """
    rows = random_subset(len(dataset.test), settings.examples or len(dataset.test), seed=settings.seed)
    test = take(dataset.test.examples, rows, None)
    training = _some(dataset.training.examples, max(batch_size, MODE_EXAMPLES), settings.seed)
    progress("the published moments", 0.0)
    stored = in_eval_mode(model, training, seed=settings.seed)
    recompute_statistics(model, dataset.training.examples)
    progress("training mode", 0.0)
    modes = {
        "training_mode": in_training_mode(model, training, batch_size, seed=settings.seed),
        "eval_mode": in_eval_mode(model, training, seed=settings.seed),
        "stored_moments": stored,
    }
    sampled, nlls = importance_sampled_nlls(model, test, settings.samples, seed=settings.seed, progress=progress)
    keep_nll(rows, nlls)
    progress("permuting codes", 0.0)
    rise = permuted_rise(model, test, seed=settings.seed)
    progress("decoding", 0.0)
    posterior = encode(model, dataset.test.examples)
    gaps = factor_gaps(posterior, dataset.test.factors)
    figures = {
        "examples": len(test),
        **dataclasses.asdict(sampled),
        **_rates_of(sampled.nll, test, model),
        **dataclasses.asdict(rise),
        **dataclasses.asdict(distinct_share(model, dataset.shape, seed=settings.seed)),
        **_holes(model, posterior, settings.seed),
        "mutual_information_gap": gaps.mutual_information_gap,
        "mutual_information_gap_standard_error": gaps.mutual_information_gap_standard_error,
        "factor_gaps": {name: dataclasses.asdict(gap) for name, gap in gaps.each.items()},
        "modes": {name: dataclasses.asdict(terms) for name, terms in modes.items()},
        "mode_examples": len(training),
    }
    check_figures(figures)
    return figures


def _some(examples: Tensor, most: int, seed: int) -> Tensor:
    return take(examples, random_subset(len(examples), most, seed=seed), None)


def _rates_of(nll: float, examples: Tensor, model: VAE) -> dict[str, object]:
    """Perplexity of sentences, or bits per dimension of pictures; the other is none."""
    if is_text(examples):
        # START is given, END is predicted.
        tokens = (row_lengths(examples) - 1).double().mean().item()
        return {"tokens": tokens, "perplexity": math.exp(nll / tokens), "pixels": None, "bits_per_dimension": None}
    pixels = examples[0].numel()
    bits = nll / math.log(2) / pixels
    if isinstance(model.decoder, ImageDecoder) and model.decoder.is_density:
        bits += BITS_OF_A_GREY_LEVEL
    return {"tokens": None, "perplexity": None, "pixels": pixels, "bits_per_dimension": bits}


def _holes(model: VAE, posterior: Posterior, seed: int) -> dict[str, object]:
    rows = random_subset(len(posterior.mean), MUTUAL_INFORMATION_EXAMPLES)
    draws = model.sample_prior(HOLE_DRAWS, torch.Generator().manual_seed(mix(seed, 9))).cpu()
    found = holes(Posterior(posterior.mean[rows], posterior.std[rows]), draws)
    return {"hole_share": found.share, "hole_share_standard_error": found.standard_error, "hole_examples": len(rows)}


def check_figures(figures: object, where: str = "") -> None:
    """Raises ValueError naming the first number that is not finite: a table must not hide it as a blank."""
    if isinstance(figures, dict):
        for name, value in figures.items():
            check_figures(value, f"{where}.{name}" if where else str(name))
    elif isinstance(figures, list):
        for value in figures:
            check_figures(value, where)
    elif isinstance(figures, float) and not math.isfinite(figures):
        raise ValueError(
            f"{where} is {figures}: the model's weights, or its posteriors on these examples, are not finite. "
            "Go back to an earlier checkpoint, or train again with a smaller learning_rate."
        )
