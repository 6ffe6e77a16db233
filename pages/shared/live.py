"""The live part of the Train and Race pages: all about the runs on show, and again and again while one of them trains.

Where the server has a route for it, the components fetch their numbers themselves, and this script runs again only when
a button has to come or go; elsewhere it runs at every tick.
"""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from bnvae.config import SCALED
from bnvae.launcher import state
from bnvae.runs import Run
from pages.components.curves import draw_curves
from pages.components.feed import Feed
from pages.components.kl_bars import draw_kl_bars
from pages.components.live_pulse import live_pulse
from pages.components.preview_sections import draw_preview_sections
from pages.components.run_state import draw_run_state
from pages.shared import live_feed
from pages.shared.condition import condition
from pages.shared.frame import name_on_phones
from pages.shared.live_moment import TRAINING, Moment
from pages.shared.panels import say_broken
from pages.shared.transport import transport

SECONDS_PER_TICK = 0.4
Draw = Callable[..., None]


def watch(runs: Sequence[Run]) -> None:
    """One column a run; what is drawn is drawn into nodes that stay."""
    if not runs:
        return
    is_fed = live_feed.is_open()
    alive = any(state(run).alive for run in runs)

    @st.fragment(run_every=SECONDS_PER_TICK if alive and not is_fed else None)
    def tick() -> None:
        moment = TRAINING.of(runs)
        with st.container():  # its children come and go: what follows keeps its place
            for run, error in moment.problems:
                say_broken(run, error)
            transport(moment.readable)
        _rows(moment, runs if is_fed else ())
        if is_fed:
            pulse = Feed(tuple(run.id for run in runs), "training", "pulse")
            if live_pulse(key="pulse", feed=pulse, drawn=moment.standing):
                live_feed.give_up()
                st.rerun()
        # A fragment can't end its own clock: the page does, once nothing lives any more.
        elif alive != moment.alive:
            st.rerun()

    tick()


def _rows(moment: Moment, fed: Sequence[Run]) -> None:
    """Row by row, so that what belongs together stands level; from the feed of the runs `fed`, if there are any."""
    if not moment.shown:
        return
    panels, run_ids = moment.panels, tuple(run.id for run in fed)

    def data(panel: str) -> dict[str, Any]:
        return Feed(run_ids, "training", panel).data if run_ids else panels[panel]

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
    drawn("elbo", draw_curves)
    drawn("active", draw_curves)
    if any(config.model.head in SCALED for _, config in moment.shown):
        drawn("gamma", draw_curves)
    draw_preview_sections(key="previews-live", data=data("previews"))
