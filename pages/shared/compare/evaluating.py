"""Thorough evaluations started from the page: processes of their own, with progress and a way to stop them."""

from collections.abc import Sequence

import streamlit as st

from bnvae.jobs.launch import examine
from bnvae.runs.evaluation_state import Evaluating, EvaluationDesk
from pages.shared.compare.entries import Compared
from pages.shared.mode import may_change
from pages.shared.notices import say, say_failed
from pages.shared.presses import press, pressed

SECONDS_PER_TICK = 1.0
BUSY = ("starting", "running")


def evaluate_more(runs: Sequence[Compared]) -> None:
    """A form to start, and a line for each evaluation that is under way."""
    if not may_change():
        return
    looks = {one.run.id: EvaluationDesk(one.run.folder).look() for one in runs}
    busy = [one for one in runs if looks[one.run.id].state in BUSY]
    waiting = [one for one in runs if one not in busy and one.run.has_weights]
    missing = [one for one in waiting if one.entry.thorough is None]
    with st.container(horizontal=True, vertical_alignment="center"):
        if waiting:
            # Another label is another popover: the open one would hide the progress of what it started.
            label = "Evaluate others thoroughly" if busy else "Evaluate thoroughly"
            with st.popover(label, icon=":material/labs:"):
                _form(waiting, missing)
        if missing:
            st.caption("NLL, the price of permuted codes and holes are known only after a thorough evaluation.")
    for one in waiting:
        if looks[one.run.id].state == "failed":
            say("warning", "An evaluation failed:", f"{one.run.id}: {looks[one.run.id].what}")
    for one in busy:
        _watch(one)


def _form(waiting: Sequence[Compared], missing: Sequence[Compared]) -> None:
    names = [one.run.id for one in waiting]
    chosen = st.multiselect("Runs", names, default=[one.run.id for one in missing or waiting], key=f"evaluate-{names}")
    samples = st.select_slider(
        "Draws of z an example (K)",
        [10, 50, 100, 200, 500, 1000, 5000],
        100,
        key="evaluate-samples",
        help="More draws tighten the bound on the likelihood; papers use 500. The time is proportional.",
    )
    examples = st.select_slider(
        "Test examples",
        [100, 500, 1000, 2000, 10_000, 0],
        500,
        format_func=lambda count: f"{count:,}" if count else "all",
        key="evaluate-examples",
    )
    if pressed("Start", type="primary", key="evaluate-go", of=names, disabled=not chosen):
        try:
            for one in waiting:
                if one.run.id in chosen:
                    examine(one.run, samples=samples, examples=examples)
        except OSError as error:
            say_failed(error)
        else:
            st.rerun()


def _watch(one: Compared) -> None:
    """How far an evaluation is, second by second, and beside that clock, not in it, the button that stops it."""
    desk = EvaluationDesk(one.run.folder)
    words, stop = st.columns([6, 1], vertical_alignment="center")

    @st.fragment(run_every=SECONDS_PER_TICK)
    def tick() -> None:
        now = desk.look()
        if now.state not in BUSY:
            st.rerun()
        _line(one, now)

    with words:
        tick()
    with stop:
        press("Stop", desk.request_stop, key=f"stop-evaluation-{one.run.id}", icon=":material/stop:", width="stretch")


def _line(one: Compared, now: Evaluating) -> None:
    st.progress(now.share)
    st.text(f"{one.run.id}: {now.what}" + (f" {now.share:.0%}" if now.share else ""))
