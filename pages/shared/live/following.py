"""What follows trainings on a page: drawn again and again while one of its runs lives.

Where the server has a route for it, the components fetch their numbers themselves, and this script runs again only when
a button has to come or go; elsewhere it runs at every tick.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from bnvae.jobs.launch import state
from bnvae.runs import Run
from pages.components.feed import Feed
from pages.components.live_pulse import live_pulse
from pages.shared.live import feed as live_feed
from pages.shared.live.moment import Moment, Moments
from pages.shared.state import selected_ids

Source = Callable[[str], Feed | None]
"""from a panel's name to where its component fetches its numbers; None: they are handed over, at every tick"""


def follow(
    runs: Sequence[Run],
    moments: Moments,
    kind: str,
    *,
    seconds_per_tick: float,
    show: Callable[[Moment, Source], None],
) -> None:
    """Show the runs as they are now, and go on with them. `kind` is what the route is asked for."""
    if not runs:
        return
    is_fed = live_feed.is_open()
    alive = any(state(run).alive for run in runs)
    run_ids = tuple(run.id for run in runs)
    chosen = selected_ids()

    def source(panel: str) -> Feed | None:
        return Feed(run_ids, kind, panel) if is_fed else None

    def tick() -> None:
        moment = moments.of(runs)
        show(moment, source)
        if pulse := source("pulse"):
            if live_pulse(key="pulse", feed=pulse, drawn=moment.standing):
                live_feed.give_up()
                st.rerun()
        elif alive != moment.alive or chosen != selected_ids():  # a fragment ends neither its clock nor what it is of
            st.rerun()

    if is_fed:  # no fragment, lest a press that waits for a running script is lost or breaks the page
        tick()
    else:
        st.fragment(tick, run_every=seconds_per_tick if alive else None)()
