"""Maps that are not there yet: started in a process of their own, watched without waiting."""

from collections.abc import Sequence

import streamlit as st

from bnvae.jobs.launch import draw_maps, state
from bnvae.jobs.project_runs import FILM, automatic, is_mapped_now, progress_of
from bnvae.runs import Run
from pages.shared.map.cache import digest
from pages.shared.mode import may_change
from pages.shared.notices import say

GLANCE_SECONDS = 1.0
STARTED = "_maps_started"


def ask_for_maps(runs: Sequence[Run], methods: Sequence[str] = ("umap",)) -> None:
    """Start what is missing, once for these encodings and visitor: a map that failed is not tried again and again."""
    wish = (*(digest(run) for run in runs), *methods)
    started: set[tuple[str, ...]] = st.session_state.setdefault(STARTED, set())
    if wish in started or not automatic() or not may_change() or any(state(run).alive for run in runs):
        return
    started.add(wish)
    try:
        draw_maps(*runs, methods=methods)
    except OSError as error:
        say("error", "No process can be started for the map:", str(error))


def watch_maps(runs: Sequence[Run], waiting_for: str) -> None:
    """One line on the map that is being made; the page is drawn anew when it is there."""

    @st.fragment(run_every=GLANCE_SECONDS)
    def watch() -> None:
        first = next((run for run in runs if is_mapped_now(run)), None)
        if first is not None:
            told = progress_of(first)
            st.progress(float(told.get("share", 0.0)), text="The map is being refined in the background.")
            st.text(str(told.get("message", "")))
            st.session_state[STARTED + "-seen"] = True
        elif st.session_state.pop(STARTED + "-seen", False):
            st.rerun()
        else:
            _say_why_not(runs, waiting_for)

    watch()


def _say_why_not(runs: Sequence[Run], waiting_for: str) -> None:
    told = progress_of(runs[0])
    if told.get("state") == "failed":
        say("warning", "The last attempt at this map ended without one:", str(told["message"]))
    elif any(state(run).alive for run in runs):
        st.caption("The map is made when the training has ended; until then it is PCA of the last evaluation.")
    else:
        st.caption("There is no such map of these runs yet. A terminal makes one with this command:")
        method = f" --method {waiting_for}" if waiting_for in ("tsne", FILM) else ""
        st.code(f"python -m bnvae project {' '.join(run.id for run in runs)}{method}", language="sh")
