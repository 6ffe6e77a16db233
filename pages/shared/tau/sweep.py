"""Begin a sweep over tau from a run's recipe, or go on with it."""

import dataclasses
from collections.abc import Sequence

import streamlit as st

from bnvae.config.schema import RunConfig
from bnvae.jobs.launch import state, submit
from bnvae.jobs.sweep_members import members
from bnvae.runs import Run
from bnvae.runs.groups import group_of
from pages.shared.mode import may_change
from pages.shared.notices import say_failed
from pages.shared.presses import pressed, whole
from pages.shared.state import store
from pages.shared.visitor import check_room, claim, may_steer

TAUS = (0.1, 0.3, 0.5, 0.7, 0.9)
LOOK_SECONDS = 2.0


def offer_sweep(run: Run, config: RunConfig) -> None:
    """There are not two models to snap to: how to get them, and how far they are if they are on their way."""
    group = f"{run.id[:48].rstrip('.-_')}-sweep"
    there = store().groups().get(group, [])
    if any(state(member).alive for member in there):
        st.info("A sweep from this run is being trained: the slider snaps to its models as soon as two have weights.")
        _show_anew_with_each_model(group, _explorable(group))
        return
    st.info("There are not two runs here that differ in τ alone. A sweep trains them, one after the other.")
    if not may_change() or not all(may_steer(member) for member in there):
        return
    if pressed(
        "Train a sweep: τ = 0.1, 0.3, 0.5, 0.7, 0.9", icon=":material/play_arrow:", key=f"sweep-{run.id}", once=True
    ):
        try:
            whole(lambda: _begin(config, group, there))
        except (OSError, ValueError) as error:
            say_failed(error)
        else:
            st.rerun()


def _begin(config: RunConfig, group: str, there: Sequence[Run]) -> None:
    """Make what is missing of the sweep, and start the worker of what is unfinished."""
    one_tau = dataclasses.replace(config, model=dataclasses.replace(config.model, amortised=False))
    known = {member.id for member in there}
    check_room(1)  # one after the other
    runs = members(store(), group, one_tau, TAUS)
    for member in runs:
        if member.id not in known:
            claim(member)
    unfinished = [member for member in runs if state(member).state != "finished"]
    if unfinished:
        submit(*unfinished, threads=config.training.threads or None, sweep=group)


def follow_sweep(run: Run) -> None:
    """Take in further models of the run's sweep as they come."""
    group = group_of(run)
    if group is not None and any(state(member).alive for member in store().groups().get(group, [])):
        st.caption("More models of this sweep are being trained, and join the slider as they come.")
        _show_anew_with_each_model(group, _explorable(group))


@st.fragment(run_every=LOOK_SECONDS)
def _show_anew_with_each_model(group: str, seen: int) -> None:
    # Compared with what this view has seen: to run the page anew for what it shows already would never end.
    if _explorable(group) > seen:
        st.rerun()


def _explorable(group: str) -> int:
    return sum(member.has_weights and member.has_encodings for member in store().groups().get(group, []))
