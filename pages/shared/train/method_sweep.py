"""Begin a sweep over methods from the form's settings, and go to their comparison."""

import dataclasses

import streamlit as st

from bnvae.config.display_names import short_title
from bnvae.config.methods import METHODS
from bnvae.config.schema import RunConfig
from bnvae.jobs.launch import state, submit
from bnvae.jobs.sweep_members import method_configs, method_members
from bnvae.runs import Run
from pages.shared.colours import MOST_IN_A_VIEW
from pages.shared.links import COMPARE, link_to
from pages.shared.notices import say, say_failed
from pages.shared.presses import pressed, whole
from pages.shared.state import say_refused, store
from pages.shared.visitor import check_room, claim

BEGUN, MEMBERS = "_methods", "_methods-members"
"""the sweep that this visitor began last, and the ids of its runs, in the session"""


def offer_methods(config: RunConfig | None) -> None:
    """Which remedies, at one strength or four; then a link to the page that compares them."""
    # Another label is another popover: the open one would hide what it started.
    label = "Train all methods again" if BEGUN in st.session_state else "Train all methods"
    with st.popover(label, icon=":material/stacks:", width="stretch", disabled=config is None):
        if config is not None:
            _form(config)
    say_refused(st.session_state.get(MEMBERS, []))
    members = store().groups().get(st.session_state.get(BEGUN, ""), [])
    if members:
        finished = sum(state(member).state == "finished" for member in members)
        st.text(f"{finished} of {len(members)} trainings of the sweep over methods are finished.")
        link_to(COMPARE, {"runs": [member.id for member in members[:MOST_IN_A_VIEW]]}, "Compare the methods")


def _form(config: RunConfig) -> None:
    st.caption("One run for each remedy against collapse, from these data, network and seed, one after the other.")
    chosen = st.multiselect(
        "Methods",
        list(METHODS),
        list(METHODS),
        format_func=lambda name: METHODS[name].title,
        key="methods",
        persist_state="session",
        help="  \n".join(f"**{method.title}**: {method.description}" for method in METHODS.values()),
    )
    ladder = st.toggle(
        "Each at four strengths",
        key="methods-ladder",
        persist_state="session",
        help="So that they can be compared at equal rate: at one strength each has a rate of its own.",
    )
    try:
        count = len(method_configs("sweep", config, chosen, ladder=ladder))
    except ValueError as error:  # such as a batch too small for BatchNorm
        say("warning", "One setting has to change before these can start:", str(error))
        return
    st.text(f"{count} trainings, epochs of each: {config.training.epochs:,}")
    if pressed(
        "Train them", type="primary", icon=":material/play_arrow:", key="methods-go", once=True, disabled=not chosen
    ):
        try:
            whole(lambda: _begin(config, chosen, ladder=ladder))
        except (OSError, ValueError) as error:
            say_failed(error)
        else:
            st.rerun()


def _begin(config: RunConfig, methods: list[str], *, ladder: bool) -> None:
    """Start the worker of a sweep, and note its name.

    Raises:
        ValueError, OSError: it could not be; what was made of it stays.
    """
    check_room(1)  # one after the other
    group = _free_group(f"{short_title(config.data)}-methods")
    threads = config.training.threads or 1
    one = dataclasses.replace(config, training=dataclasses.replace(config.training, threads=threads))
    runs: list[Run] = [claim(run) for run in method_members(store(), group, one, methods, ladder=ladder)]
    submit(*runs, threads=threads, sweep=group)
    st.session_state[BEGUN], st.session_state[MEMBERS] = group, [run.id for run in runs]


def _free_group(wish: str) -> str:
    there, number, name = store().groups(), 1, wish
    while name in there:
        number += 1
        name = f"{wish}-{number}"
    return name


def follow_methods(runs: list[Run]) -> None:
    """Take in further figures of runs that are being trained, as they come."""
    if any(state(run).alive for run in runs):
        _show_anew_with_each_evaluation([run.id for run in runs], _evaluated(runs))


@st.fragment(run_every=3.0)
def _show_anew_with_each_evaluation(run_ids: list[str], seen: int) -> None:
    # Compared with what this view has seen: to run the page anew for what it shows already would never end.
    if _evaluated([store().get(run_id) for run_id in run_ids if run_id in store()]) > seen:
        st.rerun()


def _evaluated(runs: list[Run]) -> int:
    return sum((run.folder / "evaluation.json").is_file() for run in runs)
