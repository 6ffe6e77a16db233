"""The film of some runs as it is now, and the Replay page's part that shows it: it grows while they are trained."""

import hashlib
import json
from collections.abc import Sequence

import streamlit as st

from bnvae.launcher import state
from bnvae.runs import Run
from pages.components.feed import Feed
from pages.components.live_pulse import live_pulse
from pages.components.time_film import apart, draw_time_film
from pages.shared import live_feed
from pages.shared.live_moment import Moment, Moments, States
from pages.shared.panels import histories, readable, say_broken
from pages.shared.replaying import films

SECONDS_PER_TICK = 2.0
STEP = "step"


def film_moment(runs: Sequence[Run], states: States) -> Moment:
    """The film of those of the runs that have recorded something."""
    problems: list[tuple[Run, Exception]] = []

    def blame(run: Run, error: Exception) -> None:
        problems.append((run, error))

    found = histories(readable(runs, blame), blame)
    shown = tuple((run, config) for run, config, history in found if history.steps)
    alive = any(status.alive for status in states.values())
    light, heavy = {}, {}
    if reel := films(found, blame):
        sent, albums = apart(reel)
        light, heavy = {"film": {"runs": sent, "live": alive}}, {"film": {"albums": albums}}
    said = json.dumps([alive, [run.id for run, _ in shown], [(run.id, str(error)) for run, error in problems]])
    standing = hashlib.sha256(said.encode()).hexdigest()[:16]
    return Moment(
        light=light | {"pulse": {"standing": standing}},
        heavy=heavy,
        problems=tuple(problems),
        readable=tuple(run for run, _, _ in found),
        shown=shown,
        standing=standing,
        alive=alive,
    )


FILM = Moments(film_moment)


def replay(runs: Sequence[Run]) -> None:
    """All of the runs under one slider; its end is now, and goes on with a training unless a visitor holds a step."""
    if not runs:
        return
    is_fed = live_feed.is_open()
    alive = any(state(run).alive for run in runs)

    @st.fragment(run_every=SECONDS_PER_TICK if alive and not is_fed else None)
    def tick() -> None:
        moment = FILM.of(runs)
        with st.container():  # its children come and go: what follows keeps its place
            _say(moment)
        run_ids = tuple(run.id for run in runs)
        if "film" in moment.light:
            chosen = draw_time_film(
                key="replay",
                data=Feed(run_ids, "film", "film").data if is_fed else moment.panels["film"],
                step=step_in_url(),
            )
            if chosen is not None:
                st.query_params[STEP] = str(chosen)
            else:
                st.query_params.pop(STEP, None)  # the end needs no step, and an old one would come back at a reload
        if is_fed:
            if live_pulse(key="pulse", feed=Feed(run_ids, "film", "pulse"), drawn=moment.standing):
                live_feed.give_up()
                st.rerun()
        elif alive != moment.alive:  # a fragment can't end its own clock: the page does
            st.rerun()

    tick()


def _say(moment: Moment) -> None:
    for run, error in moment.problems:
        say_broken(run, error)
    shown = {run.id for run, _ in moment.shown}
    for run in moment.readable:
        if run.id not in shown:
            st.info("This run has recorded nothing yet: its film begins with its first steps.")
            st.text(run.id)


def step_in_url() -> int | None:
    """The step in the URL, or None for the end."""
    written = st.query_params.get(STEP, "")
    return int(written) if written.isdecimal() and len(written) < 12 else None
