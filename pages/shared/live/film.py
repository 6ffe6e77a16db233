"""The film of some runs as it is now, and the Replay page's part that shows it: it grows while they are trained."""

import hashlib
import json
from collections.abc import Sequence

import streamlit as st

from bnvae.runs import Run
from pages.components.time_film import apart, draw_time_film
from pages.shared.live.following import Source, follow
from pages.shared.live.moment import Moment, Moments, States
from pages.shared.notices import say
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
    follow(runs, FILM, "film", seconds_per_tick=SECONDS_PER_TICK, show=_show)


def _show(moment: Moment, source: Source) -> None:
    with st.container():  # its children come and go: what follows keeps its place
        _say(moment)
    if "film" not in moment.light:
        return
    feed = source("film")
    chosen = draw_time_film(key="replay", data=feed.data if feed else moment.panels["film"], step=step_in_url())
    if chosen is not None:
        st.query_params[STEP] = str(chosen)
    else:
        st.query_params.pop(STEP, None)  # the end needs no step, and an old one would come back at a reload


def _say(moment: Moment) -> None:
    for run, error in moment.problems:
        say_broken(run, error)
    shown = {run.id for run, _ in moment.shown}
    for run in moment.readable:
        if run.id not in shown:
            say("info", "This run has recorded nothing yet: its film begins with its first steps.", run.id)


def step_in_url() -> int | None:
    """The step in the URL, or None for the end."""
    written = st.query_params.get(STEP, "")
    return int(written) if written.isdecimal() and len(written) < 12 else None
