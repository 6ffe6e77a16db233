"""What can be done with a run, or with a sweep: open, rename, take home, delete."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from bnvae.runs import Run
from bnvae.runs.export.archive import export_run
from bnvae.runs.groups import differ_in_tau_alone
from pages.shared.colours import MOST_IN_A_VIEW
from pages.shared.links import COMPARE, MAP, TAU, TRAIN, link_to
from pages.shared.notices import say_failed
from pages.shared.presses import pressed
from pages.shared.state import follow, store
from pages.shared.tau.meanings import RETRAINED
from pages.shared.visitor import may_steer


def offer(run: Run) -> None:
    """All that can be done with a run."""
    st.subheader("Chosen run", anchor=False)
    st.text(run.id)
    look, download = st.columns(2)
    with look:
        link_to(MAP if run.is_brought else TRAIN, {"runs": [run.id]}, "Open")
    with download:
        if run.has_weights or run.is_arrays:
            # Nothing here has to be drawn anew for it, and a file that is on its way is not taken from under it.
            st.download_button(
                "Download", partial(export_run, run), f"{run.id}.zip", width="stretch", on_click="ignore"
            )
    if may_steer(run):
        _change(run)


def offer_one_of(sweep: Sequence[Run]) -> None:
    """What can be done with a sweep, and with a run of it."""
    st.subheader("Chosen sweep", anchor=False)
    together, apart = st.columns(2)
    with together:
        if differ_in_tau_alone(sweep):
            link_to(TAU, {"runs": [sweep[0].id], "meaning": [RETRAINED]}, "Put it under the slider for τ")
    with apart:
        link_to(COMPARE, {"runs": [run.id for run in sweep[:MOST_IN_A_VIEW]]}, "Compare its runs")
    ids = [run.id for run in sweep]
    chosen = st.selectbox("One of its runs", ids, index=None, key="member-" + ids[0])
    if chosen is not None:
        offer(sweep[ids.index(chosen)])


def _change(run: Run) -> None:
    """Rename or delete a run."""
    rename, delete = st.columns([3, 1], vertical_alignment="bottom")
    with rename, st.form(f"rename-{run.id}", border=False):
        name, submit = st.columns([2, 1], vertical_alignment="bottom")
        new_id = name.text_input("Name", run.id, key=f"name-{run.id}", max_chars=64)
        renamed = submit.form_submit_button("Rename", width="stretch")
    with delete, st.popover("Delete", icon=":material/delete:", width="stretch"):
        st.write("The run's folder is removed for good.")
        deleted = pressed("Delete it", type="primary", key=f"delete-{run.id}")
    try:
        if renamed and new_id != run.id:
            follow(run.id, store().rename(run.id, new_id).id)
            st.rerun()
        if deleted:
            store().delete(run.id)
            follow(run.id, None)
            st.rerun()
    except (ValueError, OSError) as error:
        say_failed(error)
