"""The live part of the Train and Race pages: all about the runs on show, again and again while one of them trains."""

from collections.abc import Callable, Sequence

import streamlit as st

from bnvae.config import SCALED, RunConfig
from bnvae.launcher import state
from bnvae.runs import Run
from bnvae.runs.history import HistoryReader
from pages.shared.condition import condition
from pages.shared.panels import (
    active_unit_curves,
    bars,
    elbo_curves,
    gamma_curves,
    histories,
    previews,
    readable,
    sentence_on,
    shared_top,
    shown_record,
)
from pages.shared.transport import transport

SECONDS_PER_TICK = 0.4


def watch(runs: Sequence[Run]) -> None:
    """One column a run; ticks only while a worker lives, and draws into nodes that stay."""
    if not runs:
        return
    alive = any(state(run).alive for run in runs)

    @st.fragment(run_every=SECONDS_PER_TICK if alive else None)
    def tick() -> None:
        whole = readable(runs)
        with st.container():  # its children come and go: what follows keeps its place
            transport([run for run, _ in whole])
        if found := histories(whole):
            _rows(found)
        # A fragment can't end its own clock: the page does, once nothing lives any more.
        if alive != any(state(run).alive for run in runs):
            st.rerun()

    tick()


def _rows(found: Sequence[tuple[Run, RunConfig, HistoryReader]]) -> None:
    """Row by row, so that what belongs together stands level."""

    def row(panel: Callable[[Run, RunConfig, HistoryReader], object]) -> None:
        for column, (run, config, history) in zip(st.columns(len(found), gap="large"), found, strict=True):
            with column:
                panel(run, config, history)

    row(lambda run, config, history: bars(run, config, shown_record(run, config, history), key="live"))
    row(lambda run, config, history: condition(run))
    row(lambda run, config, history: sentence_on(config, shown_record(run, config, history)))
    top = shared_top([history for _, _, history in found])
    row(lambda run, config, history: elbo_curves(run, history, key="live", top=top))
    row(lambda run, config, history: active_unit_curves(run, history, config, key="live"))
    if any(config.model.head in SCALED for _, config, _ in found):
        row(lambda run, config, history: gamma_curves(run, config, history, key="live"))
    with st.container():  # here they come and go as well
        previews([(run, config) for run, config, _ in found], key="live")
