"""The live part of the Train page: everything about the runs on show, again and again while one of them trains."""

from collections.abc import Sequence

import streamlit as st

from bnvae.config import SCALED, RunConfig
from bnvae.launcher import state
from bnvae.runs import Run
from pages.shared import cache
from pages.shared.panels import (
    active_unit_curves,
    bars,
    elbo_curves,
    gamma_curves,
    last_record,
    live_status,
    previews,
    readable,
    say_broken,
    sentence_on,
)

SECONDS_PER_TICK = 0.4


def watch(runs: Sequence[Run]) -> None:
    """One column a run; ticks only while a worker lives, and draws into nodes that stay."""
    if not runs:
        st.info("Press Train: the bars appear here within seconds.")
        return
    alive = any(state(run).alive for run in runs)

    @st.fragment(run_every=SECONDS_PER_TICK if alive else None)
    def tick() -> None:
        found = readable(runs)
        if not found:
            return
        for column, (run, config) in zip(st.columns(len(found), gap="large"), found, strict=True):
            with column:
                _run(run, config)
        # A fragment can't end its own clock: the page does, once nothing lives any more.
        if alive != any(state(run).alive for run, _ in found):
            st.rerun()

    tick()


def _run(run: Run, config: RunConfig) -> None:
    try:
        history = cache.history(run)
    except ValueError as error:
        say_broken(run, error)
        return
    bars(run, config, last_record(history), key="live")
    live_status(run, key=run.id)
    sentence_on(config, history)
    elbo_curves(run, history, key="live")
    active_unit_curves(run, history, config, key="live")
    if config.model.head in SCALED:
        gamma_curves(run, history, key="live")
    try:
        previews(run, key=f"live-{run.id}")
    except ValueError as error:
        say_broken(run, error)
