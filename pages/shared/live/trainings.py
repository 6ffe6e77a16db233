"""The live part of the Train and Race pages: all about the runs on show, and again while one of them trains."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from bnvae.config.schema import SCALED
from bnvae.runs import Run
from pages.components.curves import draw_curves
from pages.components.kl_bars import draw_kl_bars
from pages.components.preview_sections import draw_preview_sections
from pages.components.run_state import draw_run_state
from pages.shared.code_price import say_price
from pages.shared.frame import name_on_phones
from pages.shared.live.following import Source, follow
from pages.shared.live.moment import TRAINING, Moment
from pages.shared.panels import histories, say_broken
from pages.shared.train.condition import condition
from pages.shared.train.transport import transport

SECONDS_PER_TICK = 0.4
Draw = Callable[..., None]


def watch(runs: Sequence[Run]) -> None:
    """One column a run; what is drawn is drawn into nodes that stay."""
    follow(runs, TRAINING, "training", seconds_per_tick=SECONDS_PER_TICK, show=_show)


def _show(moment: Moment, source: Source) -> None:
    with st.container():  # its children come and go: what follows keeps its place
        for run, error in moment.problems:
            say_broken(run, error)
        transport(moment.readable)
    _rows(moment, source)


def _said_above(run: Run, error: Exception) -> None:
    """Nothing: the moment has this problem too."""


def _rows(moment: Moment, source: Source) -> None:
    """Row by row, so that what belongs together stands level."""
    if not moment.shown:
        return
    panels = moment.panels

    def data(panel: str) -> dict[str, Any]:
        feed = source(panel)
        return feed.data if feed else panels[panel]

    def row(show: Callable[[Run], None]) -> None:
        for column, (run, _) in zip(st.columns(len(moment.shown), gap="large"), moment.shown, strict=True):
            with column:
                show(run)

    def drawn(name: str, draw: Draw) -> None:
        def show(run: Run) -> None:
            if f"{name}-{run.id}" in panels:
                if name != "bars":  # they have a title
                    name_on_phones(run, name)
                draw(key=f"{name}-live-{run.id}", data=data(f"{name}-{run.id}"))

        row(show)

    drawn("bars", draw_kl_bars)
    drawn("state", draw_run_state)
    row(condition)
    with st.container():
        say_price(histories(moment.shown, _said_above))
    drawn("elbo", draw_curves)
    drawn("information", draw_curves)
    drawn("rise", draw_curves)
    drawn("active", draw_curves)
    if any(config.model.head in SCALED for _, config in moment.shown):
        drawn("gamma", draw_curves)
    draw_preview_sections(key="previews-live", data=data("previews"))
