"""The panels that pages are put together from; each shows one thing of one or more runs."""

from collections.abc import Sequence

import streamlit as st
from torch import Tensor

from bnvae.config import RunConfig
from bnvae.figures import DISTORTION_COLOUR, HEAD_COLOURS, RATE_COLOUR
from bnvae.launcher import state, stop, submit
from bnvae.posterior import fixed_floors
from bnvae.records import Record
from bnvae.runs import BrokenRunError, Run, Status
from bnvae.runs.history import HistoryReader
from pages.components.curves import Series, curves
from pages.components.image_grid import image_grid
from pages.components.kl_bars import kl_bars
from pages.components.sentence_list import sentence_list
from pages.shared import cache
from pages.shared.words import head_words, seen, status_words

HEAD_FLOORS = {
    "bn-mean": "floor γ²/2",
    "bn-scaler": "floor −½ ln(1−τ)",
    "rms-scaler": "floor −½ ln(1−τ)",
}
GAMMA_COLOURS = ("#0072B2", "#D55E00")


def readable(runs: Sequence[Run]) -> list[tuple[Run, RunConfig]]:
    """The runs whose configuration can be read; for each other one the page says what is wrong with it."""
    found = []
    for run in runs:
        try:
            found.append((run, run.config))
        except BrokenRunError as error:
            say_broken(run, error)
    return found


def say_broken(run: Run, error: Exception) -> None:
    """What is wrong with a run, as plain text: its words may come from a stranger's file."""
    st.error("This run cannot be shown. Delete it on the Runs page, or put its folder right.")
    st.text(f"{run.id}: {error}")


def bars(run: Run, config: RunConfig, record: Record | None, *, key: str, caption: str = "", group: str = "kl") -> None:
    """KL per dimension of one record, with both floors."""
    head = config.model.head
    fixed = None
    if head in HEAD_FLOORS:
        model = config.model
        fixed = fixed_floors(head, model.latent_dimensions, tau=model.tau, gamma=model.gamma)
    kl_bars(
        key=f"bars-{key}-{run.id}",
        kl=None if record is None else record.kl_per_dimension,
        fixed_floor=None if record is None else fixed,
        current_floor=getattr(record, "current_floor", None) if fixed else None,
        title=run.id,
        caption=caption or head_words(config),
        colour=HEAD_COLOURS[head],
        scale_group=group,
        fixed_floor_label=HEAD_FLOORS.get(head, ""),
        y_max=max(fixed) if fixed else 0.1,
    )


def live_status(run: Run, *, key: str) -> Status:
    """One line on what the run is doing, and what can be done about it."""
    status = state(run)
    words, buttons = st.columns([5, 2], vertical_alignment="center")
    with words:
        st.progress(status.step / status.total_steps if status.total_steps else 0.0)
        st.caption(status_words(status))
        if status.state in ("failed", "interrupted", "broken"):
            st.text(status.message)
    with buttons:
        if status.state == "training" and st.button("Stop", key=f"stop-{key}", icon=":material/stop:", width="stretch"):
            stop(run)
        if status.resumable and st.button("Go on", key=f"resume-{key}", icon=":material/resume:", width="stretch"):
            try:
                submit(run, threads=1)
            except (OSError, ValueError) as error:
                st.text(str(error))
            st.rerun()
    return status


def elbo_curves(run: Run, history: HistoryReader, *, key: str) -> None:
    """−ELBO as distortion + rate, stacked, over steps."""
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
        title="−ELBO = distortion + rate (training, lower is better)",
        total_label="−ELBO",
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
        title="active units (variance of the posterior mean at least 0.01)",
        y_range=(0, config.model.latent_dimensions + 0.5),
        height_px=180,
    )


def gamma_curves(run: Run, history: HistoryReader, *, key: str) -> None:
    """The scaler's factors over steps, mean over dimensions, with their extremes."""
    records = [record for record in history.steps if record.gamma_mean and record.gamma_std]
    series = []
    for name, colour, values in (
        ("γ_μ", GAMMA_COLOURS[0], [record.gamma_mean or [] for record in records]),
        ("γ_σ", GAMMA_COLOURS[1], [record.gamma_std or [] for record in records]),
    ):
        series.append(Series(name=f"{name} lowest", values=[min(row) for row in values], colour=colour))
        series.append(Series(name=f"{name} highest", values=[max(row) for row in values], colour=colour))
    curves(
        key=f"gamma-{key}-{run.id}",
        x=[record.step for record in records],
        series=series,
        x_label="step",
        y_label="factor",
        title="γ_μ and γ_σ over the dimensions (squares sum to 1)",
        y_range=(0, 1),
        height_px=180,
    )


def decoded(run: Run, examples: Tensor, *, key: str, title: str, columns: int = 8) -> None:
    """Pixels as a crisp grid, or tokens as sentences, under their title."""
    if examples.dim() == 4:
        if title:
            st.markdown(f"**{title}**")
        image_grid(key=f"grid-{key}", pixels=examples.numpy(), columns=columns, alt=f"{title} of {run.id}")
    else:
        sentence_list(key=f"list-{key}", sentences=cache.sentences(run, examples), title=title, label=title)


def previews(run: Run, *, key: str, count: int = 8) -> None:
    """What the model made at its last evaluation: prior samples, and reconstructions beside their originals."""
    preview = cache.preview(run)
    if preview is None:
        st.caption("Prior samples and reconstructions appear at the first evaluation, after 100 steps.")
        return
    decoded(run, preview.samples[:count], key=f"samples-{key}", title=f"Prior samples at step {preview.step:,}")
    decoded(run, preview.originals[:count], key=f"originals-{key}", title="Test examples")
    decoded(run, preview.reconstructions[:count], key=f"rebuilt-{key}", title="Their reconstructions")


def last_record(history: HistoryReader) -> Record | None:
    return history.steps[-1] if history.steps else None


def sentence_on(config: RunConfig, history: HistoryReader) -> None:
    """What the bars say, in words."""
    if record := last_record(history):
        st.markdown(seen(config, record))
