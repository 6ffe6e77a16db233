"""What can be done about how one run is doing."""

import streamlit as st

from bnvae.launcher import end, state, stop, submit
from bnvae.pulse import is_silent
from bnvae.runs import Run
from bnvae.runs.control import PLAY
from pages.shared.notices import say_failed
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
        _offer_end(run)
    elif status.alive and st.button("Stop", key=f"stop-{run.id}", icon=":material/stop:"):
        try:
            stop(run)
        except OSError as error:
            say_failed(error)
    if status.resumable and run.can_go_on and st.button("Go on", key=f"resume-{run.id}", icon=":material/resume:"):
        _resume(run)
    if status.state == "failed" and status.not_finite:
        offer_remedies(run, status)


def _last_words(run: Run) -> None:
    """The end of the worker's log: what a process said that could not say it in its status."""
    if lines := run.log_tail.strip().splitlines()[-LAST_LINES:]:
        with st.expander("The worker's last words"):
            st.text("\n".join(lines))


def _offer_end(run: Run) -> None:
    if st.button("End its worker", key=f"end-{run.id}", icon=":material/power_settings_new:", type="primary"):
        try:
            end(run)
        except (OSError, ValueError) as error:
            say_failed(error)


def _resume(run: Run) -> None:
    try:
        check_room(1)
        run.desk.command(PLAY)  # it may have been stopped while it was paused
        submit(run, threads=run.config.training.threads or None)
    except (OSError, ValueError) as error:
        say_failed(error)
    else:
        st.rerun()
