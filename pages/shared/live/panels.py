"""What the panels of a training draw, reckoned without a page: numbers and words as their components take them."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from bnvae.config.schema import SCALED, RunConfig
from bnvae.jobs.heartbeat import is_silent
from bnvae.plotting.palette import DISTORTION_COLOUR, MEAN_COLOUR, RATE_COLOUR, STD_COLOUR, run_colours
from bnvae.runs import Run, Status
from bnvae.runs.branch import origin_of
from bnvae.runs.progress.history import HistoryReader
from bnvae.training.records import EvaluationRecord, Record, StepRecord
from pages.components.curves import Series, plot
from pages.components.run_state import standing
from pages.shared import cache
from pages.shared.code_price import entropy_level, entropy_of
from pages.shared.panels import bars_chart, last_record
from pages.shared.words import (
    caption_words,
    change_words,
    forced_words,
    origin_words,
    share_done,
    slack_words,
    status_words,
    verdict_words,
)

ROUTINE_MESSAGES = ("", "Training.", "Paused.", "In slow motion.", "Finished.", "Evaluating.")
"""what the state says already; anything else a worker says is shown"""
ROUND_STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12)

Recorded = tuple[Run, RunConfig, HistoryReader]


@final
@dataclass(frozen=True)
class _Seen:
    """What is shown of one run."""

    run: Run
    config: RunConfig
    status: Status
    steps: Sequence[StepRecord]
    """of its history, as far as is shown"""
    record: Record | None
    """whose bars are shown"""
    evaluations: Sequence[EvaluationRecord]
    """up to that record"""
    together: bool
    """shown no further than another training has come, and not where it stands itself"""


def training_panels(found: Sequence[Recorded], states: Mapping[Run, Status]) -> dict[str, dict[str, Any]]:
    """The panels of each run by their names, such as `elbo-RUN`."""
    statuses = _each_reason_once({run: states[run] for run, _, _ in found})
    racing = [recorded for recorded in found if _runs_freely(recorded, states)]
    shown = [_seen(recorded, statuses, common_step(recorded, racing)) for recorded in found]
    elbo_range = shared_range([seen.steps for seen in shown])
    colours = run_colours([config.model.head for _, config, _ in found])
    return {
        f"{name}-{seen.run.id}": drawn
        for seen, colour in zip(shown, colours, strict=True)
        for name, drawn in _panels(seen, colour, elbo_range)
    }


def common_step(one: Recorded, racing: Sequence[Recorded]) -> int | None:
    """The step that all of the racing have reached that train on the same batches as this one; None if alone.

    A run and its twin have a worker each, which is faster than one for both, and the one that began first is ahead:
    side by side they would be compared at different steps. Who waits is not waited for.
    """
    reached = [history.steps[-1].step for _, config, history in racing if _batches(config) == _batches(one[1])]
    return min(reached) if one in racing and len(reached) > 1 else None


def _runs_freely(recorded: Recorded, states: Mapping[Run, Status]) -> bool:
    """Past its first record and not held up: slow motion shows each step as it is taken, what hangs may never go on."""
    run, _, history = recorded
    is_free = run.desk.control().steps_per_second is None and not is_silent(run)
    return states[run].state == "training" and bool(history.steps) and is_free


def _batches(config: RunConfig) -> tuple[object, ...]:
    """Equal where the same step sees the same examples."""
    return config.data, config.training.batch_size, config.training.seed


def _seen(recorded: Recorded, statuses: Mapping[Run, Status], common: int | None) -> _Seen:
    run, config, history = recorded
    if common is None:
        record = shown_record(run, config, history)
        return _Seen(run, config, statuses[run], history.steps, record, history.evaluations, together=False)
    steps = history.steps[: bisect_right(history.steps, common, key=lambda record: record.step)]
    tested = history.evaluations[: bisect_right(history.evaluations, common, key=lambda record: record.step)]
    return _Seen(run, config, statuses[run], steps, steps[-1] if steps else None, tested, together=True)


def _each_reason_once(states: Mapping[Run, Status]) -> dict[Run, Status]:
    """What ended a run and its twin alike, such as a failed download, is told of the first of them alone."""
    first: dict[str, Run] = {}
    told = {}
    for run, status in states.items():
        if status.state == "failed" and first.setdefault(status.message, run) is not run:
            status = status.replace(message=f"For the same reason as {first[status.message].id}.")
        told[run] = status
    return told


def _panels(seen: _Seen, colour: str, elbo_range: tuple[float, float]) -> Iterator[tuple[str, dict[str, Any]]]:
    run, config, record = seen.run, seen.config, seen.record
    levels = entropy_level(entropy_of(run))
    caption = f"{caption_words(config)} · at step {record.step:,}" if seen.together and record else ""
    tested = seen.evaluations[-1] if seen.evaluations else None
    yield "bars", bars_chart(run, config, record, tested, colour=colour, caption=caption)
    yield "state", state_words(config, record, seen.status, tested)
    marks = _marks(run, record if seen.together else None)
    yield "elbo", elbo_plot(seen.steps, marks, y_range=elbo_range, levels=levels)
    if not seen.evaluations or any(tells(each) for each in seen.evaluations):  # an older history has neither
        yield "information", information_plot(seen.evaluations, colour)
        yield "rise", rise_plot(seen.evaluations, colour)
    yield "active", active_unit_plot(seen.steps, config, colour)
    if config.model.head in SCALED:
        yield "gamma", gamma_plot(seen.steps)


def shown_record(run: Run, config: RunConfig, history: HistoryReader) -> Record | None:
    """The newest step there is to see: of the history, or the very step at which a training waits."""
    last, live = last_record(history), cache.live(run, config.model.latent_dimensions)
    return live if live is not None and (last is None or live.step > last.step) else last


def state_words(
    config: RunConfig, record: Record | None, status: Status, tested: EvaluationRecord | None = None
) -> dict[str, Any]:
    """Progress, speed and message of a run, and what its bars say."""
    if record and record.step > status.step:
        # A worker says how it is doing four times a second, and not while it evaluates: its bars may be a second ahead.
        status = status.replace(step=record.step)
    verdict, _, rest = (verdict_words(config, record, tested) if record else "").removeprefix("**").partition("** ")
    seen = f"{rest} {slack_words(config, record)}".rstrip() if record else ""
    message = "" if status.message in ROUTINE_MESSAGES else status.message
    return standing(share=share_done(status), words=status_words(status), message=message, verdict=verdict, seen=seen)


def shared_range(found: Sequence[Sequence[StepRecord]]) -> tuple[float, float]:
    """The ends of the −ELBO axes of several runs (nats): all but the first transient fits; rounded, to rest.

    From 0, or from below it where a density of colours is above 1 and its distortion negative.
    """
    seen_so_far = [[-record.elbo for record in steps if np.isfinite(record.elbo)] for steps in found]
    top = max((float(np.quantile(values, 0.9)) for values in seen_so_far if values), default=0.0)
    lowest = min((r.distortion for steps in found for r in steps if np.isfinite(r.distortion)), default=0.0)
    return -_rounded_up(-lowest) if lowest < 0 else 0.0, _rounded_up(top) if top > 0 else float(lowest >= 0)


def _rounded_up(value: float) -> float:
    magnitude = 10 ** np.floor(np.log10(value))
    return float(next(step for step in ROUND_STEPS if step * magnitude >= 1.05 * value) * magnitude)


def elbo_plot(
    steps: Sequence[StepRecord],
    marks: Sequence[tuple[float, str]] = (),
    *,
    y_range: tuple[float, float],
    levels: Sequence[tuple[float, str]] = (),
) -> dict[str, Any]:
    """−ELBO as distortion + rate, stacked, over steps, on an axis between these ends (nats), with levels across it."""
    return plot(
        [record.step for record in steps],
        [
            Series(name="distortion", values=[r.distortion for r in steps], colour=DISTORTION_COLOUR, kind="stacked"),
            Series(name="rate", values=[r.rate for r in steps], colour=RATE_COLOUR, kind="stacked"),
        ],
        x_label="step",
        y_label="nats per example",
        title="−ELBO, lower is better",
        total_label="−ELBO",
        y_range=y_range,
        marks=marks,
        levels=levels,
    )


def _marks(run: Run, last: Record | None) -> list[tuple[float, str]]:
    """Steps with words: where a branch left its origin, whose curve it shows up to there, and what was changed.

    None after the `last` record, where there is one.
    """
    origin = origin_of(run)
    left: list[tuple[float, str]] = [] if origin is None else [(origin.step, origin_words(origin))]
    marks = [*left, *((change.step, change_words(change)) for change in run.desk.changes())]
    return marks if last is None else [mark for mark in marks if mark[0] <= last.step]


def tells(record: EvaluationRecord) -> bool:
    """Whether an evaluation took what the code tells; those of older versions did not."""
    return record.mutual_information is not None or record.permuted_rise is not None


def information_plot(evaluations: Sequence[EvaluationRecord], colour: str) -> dict[str, Any]:
    """Mutual information over steps, below its cap ln N (nats)."""
    told = [record for record in evaluations if record.mutual_information is not None]
    most = max((record.most_information or 0.0 for record in told), default=0.0)
    return plot(
        [record.step for record in told],
        [Series(name="mutual information", values=[r.mutual_information or 0.0 for r in told], colour=colour)],
        x_label="step",
        y_label="nats per example",
        title="Mutual information of x and z, at each evaluation",
        levels=[(most, f"at most {most:.1f}: ln N")] if most else (),
        y_range=(0, 1.25 * most) if most else None,
        height_px=180,
    )


def rise_plot(evaluations: Sequence[EvaluationRecord], colour: str) -> dict[str, Any]:
    """Rise of the distortion when z is permuted over steps (nats); about 0 where the decoder ignores its code."""
    told = [record for record in evaluations if record.permuted_rise is not None]
    rises = [record.permuted_rise or 0.0 for record in told]
    finite = [rise for rise in rises if np.isfinite(rise)]
    return plot(
        [record.step for record in told],
        [Series(name="rise", values=rises, colour=colour)],
        x_label="step",
        y_label="nats per example",
        title="Rise of the distortion if z is permuted",
        y_range=(min(0.0, *finite, 0.0), _rounded_up(max(*finite, 1.0, 1.0))) if finite else None,
        height_px=180,
    )


def active_unit_plot(steps: Sequence[StepRecord], config: RunConfig, colour: str) -> dict[str, Any]:
    """Active units over steps."""
    counts = [record.active_units for record in steps]
    return plot(
        [record.step for record in steps],
        [Series(name="active units", values=counts, colour=colour)],
        x_label="step",
        y_label="dimensions",
        title=f"Active units, {forced}: they prove nothing" if (forced := forced_words(config)) else "Active units",
        y_range=(0, config.model.latent_dimensions),
        height_px=180,
    )


def gamma_plot(steps: Sequence[StepRecord]) -> dict[str, Any]:
    """The scaler's factors over steps, lowest and highest over the dimensions; their squares sum to 1."""
    records = [record for record in steps if record.gamma_mean and record.gamma_std]
    series = []
    for name, colour, values in (
        ("γ of the mean,", MEAN_COLOUR, [record.gamma_mean or [] for record in records]),
        ("γ of the std,", STD_COLOUR, [record.gamma_std or [] for record in records]),
    ):
        series.append(Series(name=f"{name} lowest", values=[min(row) for row in values], colour=colour))
        series.append(Series(name=f"{name} highest", values=[max(row) for row in values], colour=colour))
    return plot(
        [record.step for record in records],
        series,
        x_label="step",
        y_label="factor",
        title="The Scaler's factors γ",
        y_range=(0, 1),
        height_px=180,
    )
