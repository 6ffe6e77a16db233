"""Evaluates runs' folders, quickly or thoroughly, and keeps the figures with them."""

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any, final

from torch import Tensor

from bnvae.data import load_dataset
from bnvae.data.datasets.source_entropy import source_entropy
from bnvae.metrics.both_splits import evaluate_dataset
from bnvae.metrics.downstream.downstream_figures import bought
from bnvae.metrics.estimators.importance_sampling import Progress, silent
from bnvae.metrics.figures.example_figures import ExampleFigures
from bnvae.metrics.test_set import posterior_figures
from bnvae.metrics.thorough import ThoroughSettings, check_figures, thorough_figures
from bnvae.nn.posterior import Posterior
from bnvae.runs.derived.codes import read_codes
from bnvae.runs.derived.kept_example_figures import read_example_figures, write_example_figures
from bnvae.runs.evaluation_state import EvaluationDesk, kept_thorough, weights_digest
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import BrokenRunError
from bnvae.training.evaluation import draw_codes

REPORT_SECONDS = 0.4


def evaluate_run(
    run: Run,
    settings: ThoroughSettings | None = None,
    progress: Progress = silent,
    *,
    tau: float | None = None,
    factors: Sequence[str] = (),
    labels: Sequence[int] = (),
) -> dict[str, Any]:
    """Evaluate a run's published model in fp32 on its data set, and keep the figures with it.

    With `settings` the thorough figures as well, under "thorough"; without, those of the same weights are kept. Figures
    of another `tau` than the run's own are not kept: a model made for one has its posteriors rescaled. `factors` and
    `labels` are known factors beside the label, and numbers of labels, for the figures under "buys".

    Raises:
        BlockingIOError: another process evaluates it thoroughly.
        ValueError: the run is broken or untrained, its data set can't be had or has changed, or it has no such tau.
        EvaluationStopped: somebody asked for it.
    """
    if run.is_arrays:
        return _evaluate_arrays(run, settings, tau)
    if not run.has_weights:
        raise ValueError(f"run {run.id!r} has no weights to evaluate: {_why_without_weights(run)}")
    if settings and tau is not None:
        raise ValueError(f"tau is {tau:g}: thorough figures are of the run's own tau; leave one of the two out.")
    desk = EvaluationDesk(run.folder)
    with desk.working() if settings else nullcontext():
        report = _Report(desk.report, progress) if settings else progress
        report("loading", 0.0)
        # Read once: a training that goes on may publish other weights meanwhile.
        model, weights, card = run.load_model(), weights_digest(run), run.card
        if tau is not None:  # refused before the data is loaded
            if model.tau is None:
                head = run.config.model.head
                raise ValueError(f"tau is {tau:g}: head {head!r} of run {run.id!r} has no Scaler; leave tau out.")
            model.taus(tau, 1)
        dataset = load_dataset(run.config.data, tokenizer=run.tokenizer)
        if dataset.digest != card.digest:
            raise ValueError(
                f"the data set of run {run.id!r} has changed: its digest was {card.digest[:12]} and is "
                f"{dataset.digest[:12]}. Evaluate it where it was trained, or train a new run."
            )
        # Before the moments are recomputed: it compares them with the published ones.
        thorough, each = None, _Each()
        if settings:
            began, batch_size = time.monotonic(), run.config.training.batch_size
            thorough = thorough_figures(
                model, dataset, settings, batch_size=batch_size, progress=report, keep_nll=each.keep_nll
            )
            thorough |= {"weights": weights, "seconds": round(time.monotonic() - began, 1)}
        figures: dict[str, Any] = evaluate_dataset(model, dataset, tau=tau, progress=report, keep=each.keep)
        check_figures(figures)
        if tau is not None:
            return figures
        figures["buys"] = bought(model, dataset, factors=factors, labels=labels, progress=report)
        if (entropy := source_entropy(run.config.data, dataset.shape)) is not None:
            figures["buys"]["source_entropy"] = entropy
        check_figures(figures["buys"])
        report("keeping the figures", 1.0)  # a stop is heard up to here
        kept = thorough or kept_thorough(run, weights)
        whole = figures | ({"thorough": kept} if kept else {})
        if kept and not thorough:
            each.take_nll(run, kept)
        write_example_figures(run, each.found(), card.digest, whole)
        run.write_evaluation(whole)
        return whole


def _why_without_weights(run: Run) -> str:
    status = run.status
    if status.state == "failed":
        reason = status.message.rstrip(".")
        return f"its training failed before the first evaluation ({reason}). Mend that, and train it again."
    if not status.step and not status.alive:
        return "it has not been trained yet. Train it: python -m bnvae resume " + run.id
    if status.alive:
        return "it trains, and its first evaluation comes after 100 steps. Wait for that."
    return "it ended before its first evaluation, after 100 steps. Let it go on: python -m bnvae resume " + run.id


def figures_of_arrays(posterior: Posterior) -> dict[str, Any]:
    """What can be known of posteriors without their model, laid out as an evaluation; there is no training split."""
    figures = posterior_figures(posterior, draw_codes(posterior, 0))
    check_figures(figures)
    return {"test": figures, "training": {}}


def _evaluate_arrays(run: Run, settings: ThoroughSettings | None, tau: float | None) -> dict[str, Any]:
    if settings or tau is not None:
        raise ValueError(
            f"run {run.id!r} is arrays alone: likelihoods, and figures at another tau, need the model. Leave --samples "
            "and --tau out, or bring the model's weights in."
        )
    figures = figures_of_arrays(read_codes(run))
    run.write_evaluation(figures)
    return figures


@final
class _Each:
    """Gathers what an evaluation finds of single test examples."""

    def __init__(self) -> None:
        self._quick: ExampleFigures | None = None
        self._nll: tuple[Tensor, Tensor] | None = None

    def keep(self, each: ExampleFigures) -> None:
        self._quick = each

    def keep_nll(self, rows: Tensor, nll: Tensor) -> None:
        self._nll = rows, nll

    def take_nll(self, run: Run, thorough: dict[str, Any]) -> None:
        """What an earlier evaluation kept of the same weights; nothing if that is lost or damaged."""
        with suppress(BrokenRunError):
            before = read_example_figures(run, run.evaluation(), thorough)
            if before and before.nll is not None and before.nll_rows is not None:
                self._nll = before.nll_rows, before.nll

    def found(self) -> ExampleFigures:
        assert self._quick is not None
        return replace(self._quick, nll_rows=self._nll[0], nll=self._nll[1]) if self._nll else self._quick


@final
class _Report:
    """Passes progress on to a terminal each time and to the run's folder a few times a second."""

    def __init__(self, kept: Progress, shown: Progress) -> None:
        self._kept, self._shown = kept, shown
        self._last = ("", -math.inf)

    def __call__(self, what: str, share: float) -> None:
        self._shown(what, share)
        now = time.monotonic()
        if what != self._last[0] or now - self._last[1] > REPORT_SECONDS:
            self._last = (what, now)
            self._kept(what, share)
