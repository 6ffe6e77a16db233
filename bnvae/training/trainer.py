"""Training: an iterator of records over optimiser steps. Does no I/O."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import final

import torch
from torch import Tensor, nn

from bnvae.config.schema import RunConfig, TrainingConfig
from bnvae.data.dataset import Split
from bnvae.data.random_subset import random_subset, subset_order
from bnvae.nn.losses import ElboTerms, check_finite, check_finite_gradient, kl_weight, loss
from bnvae.nn.posterior import Posterior, ScalerHead
from bnvae.nn.vae import VAE
from bnvae.training.device import autocast, resolve_device, resolve_precision
from bnvae.training.evaluation import (
    MOMENT_EXAMPLES,
    PosteriorStatistics,
    active_units,
    distortions,
    draw_codes,
    encode,
    recompute_statistics,
)
from bnvae.training.mutual_information import information_bound, mutual_information, rise_if_permuted
from bnvae.training.optimizer import Adam, Optimiser, Sgd
from bnvae.training.overflow import place_of_overflow
from bnvae.training.records import EvaluationRecord, Record, StepRecord, numbers, rounded
from bnvae.training.sampler import Batches, is_text, mix

EVALUATION_EXAMPLES = 2_000
"""Validation examples of an evaluation during training, drawn at random; the final figures use all of each split."""

PERMUTED_EXAMPLES = 1_000
"""of them, drawn at random, that are decoded once more from the code of another one"""

INFORMATION_DIMENSIONS = 32
"""up to which the mutual information is of all examples of an evaluation; with more dimensions it is of fewer, at equal
cost: 500 at D = 512, where all would take 9 % of the time of a small network (measured)"""

FEWEST_STEPS_BETWEEN_EVALUATIONS = 100

GRADIENT_CLIP_OF_TEXT = 5.0
"""as in Zhu et al. 2020; pictures are usually trained without a limit, and to find and apply one takes 5 % of a small
network's step (measured)"""

MOST_KEPT_NUMBERS = 2**20
"""of the posteriors of steps that are not yet averaged: 4 MiB"""


@final
class Trainer:
    """A model in training. Step t depends only on the weights, the optimiser's state, the seed and t."""

    def __init__(
        self,
        model: VAE,
        training: Split,
        validation: Split,
        config: TrainingConfig,
        *,
        record_every: int = 10,
        validation_order: Tensor | None = None,
    ) -> None:
        self.config = config
        self.record_every = config.record_every or record_every
        self.device = resolve_device(config.device)
        self.precision = resolve_precision(config.precision, self.device)
        self.model = model.to(self.device).train()
        # Kept: to walk through all modules for them takes 2 % of a small network's step (measured).
        self._parameters = list(self.model.parameters())
        self._gradient_clip = config.gradient_clip or (GRADIENT_CLIP_OF_TEXT if is_text(training.examples) else 0.0)
        self.optimiser = build_optimiser(self.model, config, self.device)
        self.batches = Batches(training, config.batch_size, config.seed, self.device)
        order = subset_order(len(validation)) if validation_order is None else validation_order
        self.validation_rows = order[:EVALUATION_EXAMPLES]
        """row numbers of the validation examples that an evaluation takes"""
        self.validation_examples = validation.examples[self.validation_rows]
        self.step = 0
        self._generator = torch.Generator(self.device)
        self.model.use_generator(self._generator)
        self.validation_posterior: Posterior | None = None
        """of the validation examples, as the last evaluation found them"""
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

    def fit(self, before_step: Callable[[], None] = lambda: None) -> Iterator[Record]:
        """Train from the present step to the last; `before_step` may wait, or `steer`.

        An `EvaluationRecord` is yielded while the model is in eval mode and its head holds the moments of the training
        set: what a consumer saves, decodes or encodes then is consistent with the record.

        Raises:
            FloatingPointError: the loss became infinite or NaN; the weights are those before that step.
        """
        interval = max(self.batches.steps_per_epoch, FEWEST_STEPS_BETWEEN_EVALUATIONS)
        while self.step < self.total_steps:
            before_step()
            self._advance()
            last = self.step == self.total_steps
            first = self.step == FEWEST_STEPS_BETWEEN_EVALUATIONS
            self._evaluation_due = first or self.step % interval == 0 or last
            # Each evaluation has a record of its step beside it, so that a state saved there is whole.
            if self.step % self.record_every == 0 or self._evaluation_due:
                yield self._take_record()
            if self._evaluation_due:
                with self.evaluating(last=last) as record:
                    self._evaluation_due = False
                    yield record

    def _advance(self) -> None:
        examples = self.batches[self.step]
        try:
            self._attempt(examples)
        except FloatingPointError as error:
            place = place_of_overflow(self.model, lambda: self._forward(examples))
            raise FloatingPointError(" ".join(filter(None, (str(error), place)))) from None
        self.step += 1

    def _forward(self, examples: Tensor) -> tuple[ElboTerms, Posterior]:
        self._generator.manual_seed(mix(self.config.seed, 2, self.step))
        with autocast(self.device, self.precision):
            terms, posterior = self.model(examples)
        return terms, posterior

    def _attempt(self, examples: Tensor) -> None:
        """One step; raises FloatingPointError before the weights change."""
        weight = kl_weight(self.config, self.epoch)
        terms, posterior = self._forward(examples)
        value = loss(
            terms,
            kl_weight=weight,
            free_bits_per_dimension=self.config.free_bits_per_dimension,
            free_bits_total=self.config.free_bits_total,
        )
        check_finite(value, terms, self.step + 1)
        for parameter in self._parameters:
            parameter.grad = None
        value.backward()  # type: ignore[no-untyped-call]
        self._take_step()
        self._totals.add(terms, posterior, value, weight)

    def _take_step(self) -> None:
        gradients = [each.grad for each in self._parameters if each.grad is not None]
        # A gradient that is not finite would spoil the weights while the loss still is.
        if self._gradient_clip:
            norm = nn.utils.get_total_norm(gradients)
            check_finite_gradient(norm, self.step + 1)
            self.optimiser.step((norm / self._gradient_clip).clamp(min=1))
            return
        # One number that is not finite makes a sum so. Half the time of the norm; no dearer than the norm of the biases
        # alone, which would miss an overflow in a weight (measured).
        check_finite_gradient(torch.stack([each.sum() for each in gradients]).sum(), self.step + 1)
        self.optimiser.step()

    def steer(self, config: RunConfig) -> None:
        """Go on under another beta, learning rate, free bits or tau from the next step on."""
        self.config = dataclasses.replace(config.training, precision=self.config.precision)
        self.optimiser.learning_rate = config.training.learning_rate
        if isinstance(self.model.head, ScalerHead):
            self.model.head.scaler.tau = config.model.tau

    def peek(self) -> StepRecord | None:
        """The record that would be made now, of the steps since the last one; None right after one."""
        # Of a copy: reduced here, the sums would be grouped otherwise than in a training that nobody looked at.
        return self._step_record(self._totals.copy()) if self._totals.steps else None

    def _take_record(self) -> StepRecord:
        totals, self._totals = self._totals, _Totals()
        return self._step_record(totals)

    def _step_record(self, totals: "_Totals") -> StepRecord:
        (value, weight, distortion), vectors = totals.means()
        gammas = self.model.head.gammas()
        kl, mean_second_moment, std_second_moment, mean_variance = vectors
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
    def evaluating(self, *, last: bool = False) -> Iterator[EvaluationRecord]:
        """Eval mode, moments of the training set, figures of validation examples; training mode again afterwards.

        The moments are those of a random 10,000 training examples, others at each step, or of all at the last.
        In fp32 whatever the training precision: moments taken in bf16 are off by 2e-3 for a model evaluated in fp32.
        """
        recompute_statistics(
            self.model,
            self.batches.examples,
            most=None if last else MOMENT_EXAMPLES,
            seed=mix(self.config.seed, 4, self.step),
        )
        posterior = self.validation_posterior = encode(self.model, self.validation_examples)
        codes = draw_codes(posterior, self.config.seed)
        each = distortions(self.model, self.validation_examples, codes)
        some = random_subset(len(codes), PERMUTED_EXAMPLES)
        rise = rise_if_permuted(
            self.model, self.validation_examples[some], codes[some], each[some], seed=self.config.seed
        )
        sampled = random_subset(len(codes), information_examples(codes.shape[1]))
        information = mutual_information(Posterior(posterior.mean[sampled], posterior.std[sampled]), codes[sampled])
        statistics = PosteriorStatistics.of(posterior)
        self.model.eval()
        try:
            yield EvaluationRecord(
                step=self.step,
                epoch=rounded(self.epoch),
                distortion=rounded(each.double().mean().item()),
                rate=rounded(statistics.kl_per_dimension.sum().item()),
                kl_per_dimension=numbers(statistics.kl_per_dimension),
                active_units=statistics.active_units,
                mean_second_moment=numbers(statistics.mean_second_moment),
                std_second_moment=numbers(statistics.std_second_moment),
                examples=len(self.validation_examples),
                mutual_information=rounded(information),
                mutual_information_examples=len(sampled),
                mutual_information_bound=rounded(information_bound(posterior)),
                permuted_rise=_rounded(rise.permuted_rise),
                permuted_rise_standard_error=_rounded(rise.permuted_rise_standard_error),
            )
        finally:
            self.model.train()


def build_optimiser(model: nn.Module, config: TrainingConfig, device: torch.device) -> Optimiser:
    """The optimiser that `config` names; MPS has no fused kernel of SGD."""
    kind = Sgd if config.optimiser == "sgd" else Adam
    return kind(model.parameters(), config.learning_rate, fused=device.type != "mps")


def information_examples(dimensions: int) -> int:
    """How many examples the mutual information of an evaluation during training is of; its cost goes with N^2 D."""
    return int(EVALUATION_EXAMPLES * min(1.0, (INFORMATION_DIMENSIONS / dimensions) ** 0.5))


def _rounded(value: float | None) -> float | None:
    return None if value is None else rounded(value)


def fit(model: VAE, training: Split, validation: Split, config: TrainingConfig) -> Iterator[Record]:
    """Train a model and report on the way; see `Trainer.fit`."""
    return Trainer(model, training, validation, config).fit()


class _Totals:
    """Means since the last record, on the device, so that only a record waits for it.

    Steps are kept and reduced many at a time: one by one, the dozen small reductions took 2 % of the time of a small
    network (measured).
    """

    def __init__(self) -> None:
        self.steps = 0
        self._weight = 0.0
        self._kept: list[tuple[Tensor, ...]] = []
        self._kept_numbers = 0
        self._sums: tuple[Tensor, Tensor] | None = None

    def add(self, terms: ElboTerms, posterior: Posterior, value: Tensor, weight: float) -> None:
        parts = (value, terms.distortion, terms.kl_per_dimension, posterior.mean, posterior.std)
        self._kept.append(tuple(part.detach() for part in parts))
        self._kept_numbers += 3 * posterior.mean.numel()
        self._weight += weight
        self.steps += 1
        if self._kept_numbers > MOST_KEPT_NUMBERS:
            self._reduce()

    def copy(self) -> "_Totals":
        twin = copy(self)
        twin._kept = list(self._kept)
        return twin

    def _reduce(self) -> None:
        value, distortion, kl, mean, std = (torch.stack(parts) for parts in zip(*self._kept, strict=True))
        self._kept.clear()
        self._kept_numbers = 0
        scalars = torch.stack([value.sum(), distortion.mean(1).sum()])
        # Each (S, B, D): means over the batch, summed over the steps.
        variance = mean.var(1, correction=0)
        vectors = torch.stack([part.mean(1).sum(0) for part in (kl, mean.square(), std.square())] + [variance.sum(0)])
        before = self._sums
        self._sums = (scalars, vectors) if before is None else (before[0] + scalars, before[1] + vectors)

    def means(self) -> tuple[tuple[float, float, float], Tensor]:
        """Loss, its weight of the rate, and distortion; KL, second moments of mean and std, variance of the mean."""
        if self._kept:
            self._reduce()
        assert self._sums is not None
        scalars, vectors = self._sums
        value, distortion = (scalars.cpu() / self.steps).tolist()
        return (value, self._weight / self.steps, distortion), vectors.cpu() / self.steps
