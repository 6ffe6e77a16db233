"""Training: an iterator of records over optimiser steps. Does no I/O."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from bnvae.batches import Batches, mix
from bnvae.config import TrainingConfig
from bnvae.data.dataset import Split
from bnvae.device import autocast, resolve_device, resolve_precision
from bnvae.evaluation import PosteriorStatistics, active_units, distortions, draw_codes, encode, recompute_statistics
from bnvae.model import VAE
from bnvae.objective import ElboTerms, check_finite, check_finite_gradient, kl_weight, loss
from bnvae.posterior import Posterior
from bnvae.records import EvaluationRecord, Record, StepRecord, numbers, rounded

EVALUATION_EXAMPLES = 2_000
"""Test examples of an evaluation during training; the final figures use all."""

FEWEST_STEPS_BETWEEN_EVALUATIONS = 100


@final
class Trainer:
    """A model in training. Step t depends only on the weights, the optimiser's state, the seed and t."""

    def __init__(
        self, model: VAE, training: Split, test: Split, config: TrainingConfig, *, record_every: int = 10
    ) -> None:
        self.config = config
        self.record_every = config.record_every or record_every
        self.device = resolve_device(config.device)
        self.precision = resolve_precision(config.precision, self.device)
        self.model = model.to(self.device).train()
        self.optimiser = build_optimiser(self.model, config, self.device)
        self.batches = Batches(training, config.batch_size, config.seed, self.device)
        self.test_examples = test.examples[:EVALUATION_EXAMPLES]
        self.step = 0
        self._generator = torch.Generator(self.device)
        self.model.use_generator(self._generator)
        self._totals = _Totals()
        self._evaluation_due = False

    @property
    def total_steps(self) -> int:
        return self.config.epochs * self.batches.steps_per_epoch

    @property
    def epoch(self) -> float:
        return self.step / self.batches.steps_per_epoch

    @property
    def is_settled(self) -> bool:
        """Whether all that was computed has been reported. Only then does a state saved and restored lose no record."""
        return self._totals.steps == 0 and not self._evaluation_due

    def fit(self) -> Iterator[Record]:
        """Train from the present step to the last.

        An `EvaluationRecord` is yielded while the model is in eval mode and its head holds the moments of the training
        set: what a consumer saves, decodes or encodes then is consistent with the record.

        Raises:
            FloatingPointError: the loss became infinite or NaN; the weights are those before that step.
        """
        interval = max(self.batches.steps_per_epoch, FEWEST_STEPS_BETWEEN_EVALUATIONS)
        while self.step < self.total_steps:
            self._advance()
            last = self.step == self.total_steps
            first = self.step == FEWEST_STEPS_BETWEEN_EVALUATIONS
            self._evaluation_due = first or self.step % interval == 0 or last
            # Each evaluation has a record of its step beside it, so that a state saved there is whole.
            if self.step % self.record_every == 0 or self._evaluation_due:
                yield self._step_record()
            if self._evaluation_due:
                with self.evaluating() as record:
                    self._evaluation_due = False
                    yield record

    def _advance(self) -> None:
        examples = self.batches[self.step]
        self._generator.manual_seed(mix(self.config.seed, 2, self.step))
        weight = kl_weight(self.config, self.epoch)
        with autocast(self.device, self.precision):
            terms, posterior = self.model(examples)
        value = loss(
            terms,
            kl_weight=weight,
            free_bits_per_dimension=self.config.free_bits_per_dimension,
            free_bits_total=self.config.free_bits_total,
        )
        check_finite(value, terms, self.step + 1)
        self.optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        # Without a limit as well: a gradient that is not finite would spoil the weights while the loss still is.
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip or math.inf)
        check_finite_gradient(norm, self.step + 1)
        self.optimiser.step()
        self.step += 1
        self._totals.add(terms, posterior, value, weight)

    def _step_record(self) -> StepRecord:
        scalars, vectors = self._totals.means()
        self._totals = _Totals()
        gammas = self.model.head.gammas()
        kl, mean_second_moment, std_second_moment, mean_variance = vectors
        value, weight, distortion = scalars.tolist()
        return StepRecord(
            step=self.step,
            epoch=rounded(self.epoch),
            loss=rounded(value),
            kl_weight=rounded(weight),
            distortion=rounded(distortion),
            rate=rounded(kl.sum().item()),
            kl_per_dimension=numbers(kl),
            active_units=active_units(mean_variance),
            mean_second_moment=numbers(mean_second_moment),
            std_second_moment=numbers(std_second_moment),
            gamma_mean=None if gammas is None else numbers(gammas.mean),
            gamma_std=None if gammas is None else numbers(gammas.std),
            current_floor=numbers(self.model.head.current_floor()),
        )

    @contextmanager
    def evaluating(self) -> Iterator[EvaluationRecord]:
        """Eval mode with the training set's moments, and the test set's figures; training mode again afterwards.

        In fp32 whatever the training precision: moments taken in bf16 are off by 2e-3 for a model evaluated in fp32.
        """
        recompute_statistics(self.model, self.batches.examples)
        posterior = encode(self.model, self.test_examples)
        codes = draw_codes(posterior, self.config.seed)
        distortion = distortions(self.model, self.test_examples, codes).double().mean().item()
        statistics = PosteriorStatistics.of(posterior)
        self.model.eval()
        try:
            yield EvaluationRecord(
                step=self.step,
                epoch=rounded(self.epoch),
                distortion=rounded(distortion),
                rate=rounded(statistics.kl_per_dimension.sum().item()),
                kl_per_dimension=numbers(statistics.kl_per_dimension),
                active_units=statistics.active_units,
                mean_second_moment=numbers(statistics.mean_second_moment),
                std_second_moment=numbers(statistics.std_second_moment),
                examples=len(self.test_examples),
            )
        finally:
            self.model.train()


def build_optimiser(model: nn.Module, config: TrainingConfig, device: torch.device) -> Optimizer:
    """No weight decay: it would shrink what the head divides by, until eps breaches the floor."""
    # One kernel for all parameters instead of a dozen each; MPS has none for SGD.
    fused = device.type != "mps"
    if config.optimiser == "sgd":
        return SGD(model.parameters(), lr=config.learning_rate, fused=fused)
    return Adam(model.parameters(), lr=config.learning_rate, fused=fused)


def fit(model: VAE, training: Split, test: Split, config: TrainingConfig) -> Iterator[Record]:
    """Train a model and report on the way; see `Trainer.fit`."""
    return Trainer(model, training, test, config).fit()


class _Totals:
    """Sums since the last record, on the device, so that only a record waits for it."""

    def __init__(self) -> None:
        self.steps = 0
        self.scalars: Tensor | None = None
        self.vectors: Tensor | None = None

    @torch.no_grad()
    def add(self, terms: ElboTerms, posterior: Posterior, value: Tensor, weight: float) -> None:
        mean, std = posterior.mean.detach(), posterior.std.detach()
        mean_second_moment = mean.square().mean(0)
        vectors = torch.stack(
            [
                terms.kl_per_dimension.detach().mean(0),
                mean_second_moment,
                std.square().mean(0),
                mean_second_moment - mean.mean(0).square(),
            ]
        )
        scalars = torch.stack([value.detach(), torch.full_like(value, weight), terms.distortion.detach().mean()])
        self.steps += 1
        self.vectors = vectors if self.vectors is None else self.vectors.add_(vectors)
        self.scalars = scalars if self.scalars is None else self.scalars.add_(scalars)

    def means(self) -> tuple[Tensor, Tensor]:
        assert self.scalars is not None
        assert self.vectors is not None
        return self.scalars.cpu() / self.steps, self.vectors.cpu() / self.steps
