"""Which runs a visitor looks at: kept in the URL and, from page to page, in the session."""

import math
import time
from collections.abc import Sequence

import streamlit as st

from bnvae.jobs.launch import state
from bnvae.runs import Run, RunStore
from pages.shared.links import TRAIN, link_to
from pages.shared.notices import say

RUNS = "runs"
MOST_RUNS = 4
NO_TRAINING = "This run was brought in: there is no training of it to watch. See it on the Map and Compare pages."
COUNTED = {4: "four", 12: "twelve"}
BEGUN_SECONDS = 3.0
"""for which the address of before is not believed: a press that met a training's beginning carries it"""
NOTHING_BEGUN: tuple[float, list[str], list[str]] = (-math.inf, [], [])
BUNDLED_PAIR = ("storybook-plain", "storybook-scaler")


def store() -> RunStore:
    return RunStore()


def selected_ids(most: int = MOST_RUNS) -> list[str]:
    """Ids in the URL, else those looked at before, else the bundled pair, at most so many; they need not exist."""
    return _asked_ids()[:most]


def _asked_ids() -> list[str]:
    """The same, however many there are."""
    ids = _ids_in_url()
    then, before, begun = st.session_state.get("_begun", NOTHING_BEGUN)
    if ids == before and time.monotonic() - then < BEGUN_SECONDS:
        ids = begun
    if not ids:
        ids = st.session_state["_selected"] if "_selected" in st.session_state else _first_choice()
    return list(dict.fromkeys(ids))


def _ids_in_url() -> list[str]:
    return [run_id for part in st.query_params.get_all(RUNS) for run_id in part.split(",") if run_id]


def _first_choice() -> list[str]:
    """The bundled pair where it is, else the two runs that changed last."""
    bundled = [run_id for run_id in BUNDLED_PAIR if run_id in store()]
    return bundled or [run.id for run in store().runs()[:2]]


def select(ids: Sequence[str], most: int = MOST_RUNS) -> None:
    """Look at these runs from now on, here and on the pages visited next; those show the first four.

    An address that names these and, beyond `most`, others stays as it is: what it asks for and has not got is said.
    """
    chosen = list(dict.fromkeys(ids))[:most]
    st.session_state["_selected"] = chosen
    asked = list(dict.fromkeys(_ids_in_url()))
    if st.query_params.get_all(RUNS) != chosen and not (len(asked) > most and asked[:most] == chosen):
        st.query_params[RUNS] = chosen


def show_begun(ids: Sequence[str]) -> None:
    """`select` runs that were begun just now, whatever address a press brings that was already under way."""
    st.session_state["_begun"] = time.monotonic(), _ids_in_url(), list(ids)
    select(ids)


def follow(run_id: str, new_id: str | None) -> None:
    """A run was renamed, or deleted (None): where it was selected, its new name is, or nothing."""
    st.query_params.pop(RUNS, None)
    chosen = [new_id if one == run_id else one for one in st.session_state.get("_selected", [])]
    if kept := [one for one in chosen if one]:
        select(kept)
    else:
        st.session_state.pop("_selected", None)


def begun_ids() -> list[str]:
    """Ids of the runs that this visitor began last; they need not be there any more."""
    return list(st.session_state.get("_begun", NOTHING_BEGUN)[2])


def say_refused(ids: Sequence[str]) -> None:
    """Why trainings of this visitor came to nothing: their data or settings were refused, and no run of them is kept.

    A large data set is read by the training's own process: only there can be seen that two of its files are the same.
    """
    there = store()
    reasons = [there.refusal(run_id) for run_id in ids if run_id not in there]
    for why in dict.fromkeys(filter(None, reasons)):
        say("error", "This cannot be trained on. No run was kept:", why)


def link_params() -> dict[str, list[str]]:
    return {RUNS: selected_ids()}


def choose_runs(
    label: str = "Runs", *, trained: bool = False, brought: bool = False, invite: bool = True, most: int = MOST_RUNS
) -> list[Run]:
    """A selector of up to four runs, or `most`, in step with the URL; what can't be shown is said, not dropped.

    With `trained`, only runs that have weights are returned, else only those trained here; with `brought`, also what
    was brought in and lacks the one or the other.
    """
    runs = {run.id: run for run in store().runs()}
    asked = _asked_ids()
    wanted, too_many = asked[:most], asked[most:]
    if too_many and _ids_in_url():
        say("info", _too_many_words(most), ", ".join(too_many))
    for missing in [run_id for run_id in wanted if run_id not in runs]:
        if missing in begun_ids() and store().refusal(missing):
            continue  # said where it was begun
        say("warning", "A run in this address is not here. It may have been deleted or renamed:", missing)
    here = [run_id for run_id in wanted if run_id in runs]
    if not runs:
        st.info("There are no runs yet. Train a pair and watch: it takes seconds until the bars move.")
        if invite:
            link_to(TRAIN, {}, "Train a pair")
        return []
    key = "choose-" + ",".join(here)  # a new key when the URL changed, so that the widget follows it
    chosen = st.multiselect(
        label,
        list(runs),
        default=here,
        max_selections=most,
        key=key,
        placeholder=f"Choose up to {COUNTED.get(most, most)} runs",
    )
    if chosen != here:
        select(chosen, most)
        st.rerun()
    select(chosen, most)
    if not chosen:
        if most == MOST_RUNS:
            st.info("Choose up to four runs above to see them side by side.")
        else:
            st.info("Choose runs above to see them side by side.")
    found = [runs[run_id] for run_id in chosen]
    usable = [
        run for run in found if (run.has_weights if trained else not run.is_brought) or (brought and run.is_brought)
    ]
    for run in found:
        if run not in usable:
            say("info", _why_not(run, trained=trained), run.id)
    return usable


def _too_many_words(most: int) -> str:
    """What stands over the runs of an address that are too many for the page."""
    elsewhere = " Compare takes up to twelve." if most == MOST_RUNS else ""
    return f"This page shows at most {COUNTED.get(most, most)} runs.{elsewhere} Not shown, of those in its address:"


def _why_not(run: Run, *, trained: bool) -> str:
    """Why a page that wants weights, or else a training, can't show this run."""
    if not trained:
        return NO_TRAINING
    if run.is_arrays:
        return (
            "This run is arrays alone: nothing can be decoded without its model. See it on the Map and Compare pages."
        )
    if state(run).alive:
        return "This run has no weights yet: they appear at its first evaluation, after 100 steps. Look again then."
    return "This run has no weights: it ended before its first evaluation. Let it go on from the Train page."
