"""The panels that pages are put together from; each shows one thing of one or more runs."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from bnvae.config import SCALED, RunConfig
from bnvae.palette import DISTORTION_COLOUR, HEAD_COLOURS, RATE_COLOUR
from bnvae.posterior import fixed_floors
from bnvae.records import Record
from bnvae.runs import BrokenRunError, Run
from bnvae.runs.history import HistoryReader
from pages.components.curves import Series, curves
from pages.components.image_grid import image_grid
from pages.components.kl_bars import kl_bars
from pages.components.sentence_list import sentence_columns
from pages.shared import cache
from pages.shared.words import change_words, head_words, seen

HEAD_FLOORS = {
    "bn-mean": "floor γ²/2",
    "bn-scaler": "floor −½ ln(1−τ)",
    "rms-scaler": "floor −½ ln(1−τ)",
}
ROUND_STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12)
LEGIBLE_PX = 64
"""width of a picture on the page, however few pixels it has"""
GAMMA_COLOURS = ("#0072B2", "#D55E00")


def readable(runs: Sequence[Run]) -> list[tuple[Run, RunConfig]]:
    """The runs whose configuration can be read; for each other one the page says what is wrong with it."""
    found = []
    for run in runs:
        try:
            found.append((run, run.steered_config))
        except BrokenRunError as error:
            say_broken(run, error)
    return found


def histories(found: Sequence[tuple[Run, RunConfig]]) -> list[tuple[Run, RunConfig, HistoryReader]]:
    """The runs with what they recorded so far; a damaged history is said."""
    with_history = []
    for run, config in found:
        try:
            with_history.append((run, config, cache.history(run, config.model.latent_dimensions)))
        except ValueError as error:
            say_broken(run, error)
    return with_history


def say_broken(run: Run, error: Exception) -> None:
    """What is wrong with a run, as plain text: its words may come from a stranger's file."""
    st.error("This run cannot be shown. Delete it on the Runs page, or put its folder right.")
    words = str(error)
    st.text(words if words.startswith(run.id) else f"{run.id}: {words}")


def bars(run: Run, config: RunConfig, record: Record | None, *, key: str, caption: str = "", group: str = "kl") -> None:
    """KL per dimension of one record, with both floors."""
    head, fixed = config.model.head, floors(config)
    kl_bars(
        key=f"bars-{key}-{run.id}",
        kl=None if record is None else record.kl_per_dimension,
        fixed_floor=None if record is None else fixed,
        current_floor=getattr(record, "current_floor", None) if fixed else None,
        title=run.id,
        caption=caption or head_words(config),
        colour=HEAD_COLOURS[head],
        scale_group=group,
        fixed_floor_label=floor_label(config),
        y_max=max(fixed) if fixed else 0.1,
    )


def floor_label(config: RunConfig) -> str:
    """What the line over the bars is; an amortised run's bars are means over τ, and so is its floor."""
    return "mean floor over τ" if config.model.amortised else HEAD_FLOORS.get(config.model.head, "")


def floors(config: RunConfig) -> list[float] | None:
    """The fixed floor of each dimension (nats), or None for a head without one."""
    model = config.model
    if model.head not in HEAD_FLOORS:
        return None
    return fixed_floors(
        model.head, model.latent_dimensions, tau=model.tau, gamma=model.gamma, tau_max=model.amortised_to
    )


def shared_top(found: Sequence[HistoryReader]) -> float:
    """One end for the −ELBO axes of several runs (nats): all but the first transient fits; rounded, to rest."""
    seen_so_far = [[-record.elbo for record in history.steps if np.isfinite(record.elbo)] for history in found]
    tops = [np.quantile(values, 0.9) for values in seen_so_far if values]
    if not tops or max(tops) <= 0:
        return 1.0
    magnitude = 10 ** np.floor(np.log10(max(tops)))
    return float(next(step for step in ROUND_STEPS if step * magnitude >= 1.05 * max(tops)) * magnitude)


def elbo_curves(run: Run, history: HistoryReader, *, key: str, top: float) -> None:
    """−ELBO as distortion + rate, stacked, over steps, on an axis from 0 to `top` nats."""
    steps = history.steps
    curves(
        key=f"elbo-{key}-{run.id}",
        x=[record.step for record in steps],
        series=[
            Series(name="distortion", values=[r.distortion for r in steps], colour=DISTORTION_COLOUR, kind="stacked"),
            Series(name="rate", values=[r.rate for r in steps], colour=RATE_COLOUR, kind="stacked"),
        ],
        x_label="step",
        y_label="nats per example",
        title="−ELBO, lower is better",
        total_label="−ELBO",
        y_range=(0, top),
        marks=[(change.step, change_words(change)) for change in run.desk.changes()],
    )


def active_unit_curves(run: Run, history: HistoryReader, config: RunConfig, *, key: str) -> None:
    """Active units over steps."""
    curves(
        key=f"active-{key}-{run.id}",
        x=[record.step for record in history.steps],
        series=[
            Series(
                name="active units",
                values=[record.active_units for record in history.steps],
                colour=HEAD_COLOURS[config.model.head],
            )
        ],
        x_label="step",
        y_label="dimensions",
        title="Active units",
        y_range=(0, config.model.latent_dimensions),
        height_px=180,
    )


def gamma_curves(run: Run, config: RunConfig, history: HistoryReader, *, key: str) -> None:
    """The scaler's factors over steps, lowest and highest over the dimensions; their squares sum to 1."""
    if config.model.head not in SCALED:
        return
    records = [record for record in history.steps if record.gamma_mean and record.gamma_std]
    series = []
    for name, colour, values in (
        ("γ of the mean,", GAMMA_COLOURS[0], [record.gamma_mean or [] for record in records]),
        ("γ of the std,", GAMMA_COLOURS[1], [record.gamma_std or [] for record in records]),
    ):
        series.append(Series(name=f"{name} lowest", values=[min(row) for row in values], colour=colour))
        series.append(Series(name=f"{name} highest", values=[max(row) for row in values], colour=colour))
    curves(
        key=f"gamma-{key}-{run.id}",
        x=[record.step for record in records],
        series=series,
        x_label="step",
        y_label="factor",
        title="The Scaler's factors γ",
        y_range=(0, 1),
        height_px=180,
    )


def decoded(shown: Mapping[str, tuple[Run, Tensor]], *, key: str, label: str) -> None:
    """What several models made, side by side under their titles: sentences row by row, pictures as grids of equal size.

    `shown` maps a title to a run, whose vocabulary is used, and its pixels or tokens.
    """
    texts = {title: cache.sentences(run, rows) for title, (run, rows) in shown.items() if rows.dim() == 2}
    grids = {title: rows for title, (_, rows) in shown.items() if rows.dim() == 4}
    st.markdown(f"##### {label}")
    if texts:
        sentence_columns(key=f"sentences-{key}", columns=texts, label=label)
    if grids:
        wide = 4 if len(grids) > 2 else 8
        for column, (title, pixels) in zip(st.columns(len(grids), gap="large"), grids.items(), strict=True):
            with column:
                st.text(title)
                scale = max(3.0, LEGIBLE_PX / pixels.shape[3])
                image_grid(
                    key=f"grid-{key}-{title}",
                    pixels=pixels.numpy(),
                    columns=wide,
                    alt=f"{label}, {title}",
                    scale=scale,
                )


def previews(found: Sequence[tuple[Run, RunConfig]], *, key: str, count: int = 8) -> None:
    """What the models made at their last evaluation: prior samples, and reconstructions beside their originals."""
    made = {}
    for run, config in found:
        try:
            preview = cache.preview(run)
            if preview is not None and config.data.modality == "text":
                cache.vocabulary(run)
        except ValueError as error:
            say_broken(run, error)
            continue
        if preview is not None:
            made[run] = preview
    if not made:
        st.caption("Prior samples and reconstructions appear at the first evaluation, after 100 steps.")
        return
    names = {run: f"{run.id} at step {preview.step:,}" for run, preview in made.items()}
    decoded(
        {names[run]: (run, preview.samples[:count]) for run, preview in made.items()},
        key=f"samples-{key}",
        label="Decoded from the same prior samples",
    )
    originals = distinct([(run, preview.originals[:count]) for run, preview in made.items()])
    rebuilt = {names[run]: (run, preview.reconstructions[:count]) for run, preview in made.items()}
    decoded(originals | rebuilt, key=f"rebuilt-{key}", label="Test examples and their reconstructions")


def distinct(originals: Sequence[tuple[Run, Tensor]]) -> dict[str, tuple[Run, Tensor]]:
    """Test examples under their titles, once for all the runs that were given the same."""
    shown: dict[str, tuple[Run, Tensor]] = {}
    for run, rows in originals:
        if not any(torch.equal(rows, others) for _, others in shown.values()):
            shown[f"test example of {run.id}" if shown else "test example"] = run, rows
    return shown


def shown_record(run: Run, config: RunConfig, history: HistoryReader) -> Record | None:
    """The newest step there is to see: of the history, or the very step at which a training waits."""
    last, live = last_record(history), cache.live(run, config.model.latent_dimensions)
    return live if live is not None and (last is None or live.step > last.step) else last


def last_record(history: HistoryReader) -> Record | None:
    """The newest step of a history; None before the first."""
    return history.steps[-1] if history.steps else None


def sentence_on(config: RunConfig, record: Record | None) -> None:
    """What the bars of a record say, in words."""
    if record is not None:
        st.markdown(seen(config, record))
