"""What can be done about how one run is doing."""

from functools import partial

import streamlit as st

from bnvae.jobs.heartbeat import is_silent
from bnvae.jobs.launch import end, state, stop, submit
from bnvae.runs import Run
from bnvae.runs.progress.control import PLAY
from pages.shared.presses import press
from pages.shared.train.remedies import offer_remedies
from pages.shared.visitor import check_room, may_steer

LAST_LINES = 6


def condition(run: Run) -> None:
    """The last words of a worker in trouble, and buttons for what its visitor may do now."""
    status, silent = state(run), is_silent(run)
    if silent or status.state in ("interrupted", "failed"):
        _last_words(run)
    if not may_steer(run):
        return
    if silent:
        icon = ":material/power_settings_new:"
        press("End its worker", partial(end, run), key=f"end-{run.id}", icon=icon, type="primary")
    elif status.alive:
        press("Stop", partial(stop, run), key=f"stop-{run.id}", icon=":material/stop:")
    if status.resumable and run.can_go_on:
        press("Go on", partial(_resume, run), key=f"resume-{run.id}", icon=":material/resume:")
    if status.state == "failed" and status.not_finite:
        offer_remedies(run, status)


def _last_words(run: Run) -> None:
    """The end of the worker's log: what a process said that could not say it in its status."""
    if lines := run.log_tail.strip().splitlines()[-LAST_LINES:]:
        with st.expander("The worker's last words"):
            st.text("\n".join(lines))


def _resume(run: Run) -> None:
    check_room(1)
    run.desk.command(PLAY)  # it may have been stopped while it was paused
    submit(run, threads=run.config.training.threads or None)
