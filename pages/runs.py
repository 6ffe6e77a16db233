"""Every run in the folder: look, rename, delete, take home, bring in."""

from functools import partial

import streamlit as st

from bnvae.runs import Run
from bnvae.runs.archive import export_run, import_run
from pages.shared.frame import frame
from pages.shared.links import TRAIN, link_to
from pages.shared.mode import may_change, say_demonstration
from pages.shared.run_table import run_table
from pages.shared.state import follow, select, store
from pages.shared.visitor import claim, may_steer


def change(run: Run) -> None:
    """Rename or delete a run."""
    rename, delete = st.columns([3, 1], vertical_alignment="bottom")
    with rename, st.form(f"rename-{run.id}", border=False):
        name, submit = st.columns([2, 1], vertical_alignment="bottom")
        new_id = name.text_input("Name", run.id, key=f"name-{run.id}", max_chars=64)
        renamed = submit.form_submit_button("Rename", width="stretch")
    with delete, st.popover("Delete", icon=":material/delete:", width="stretch"):
        st.write("The run's folder is removed for good.")
        deleted = st.button("Delete it", type="primary", key=f"delete-{run.id}")
    try:
        if renamed and new_id != run.id:
            follow(run.id, store().rename(run.id, new_id).id)
            st.rerun()
        if deleted:
            store().delete(run.id)
            follow(run.id, None)
            st.rerun()
    except (ValueError, OSError) as error:
        st.error("That did not work:")
        st.text(str(error))


def bring_in(*, expanded: bool) -> None:
    """Take in a run from a .zip."""
    with st.expander("Bring in a run", expanded=expanded):
        upload = st.file_uploader("A .zip that this app or `python -m bnvae export` wrote", type="zip", key="upload")
        if upload is None or not st.button("Take it in", type="primary"):
            return
        try:
            run = claim(import_run(store(), upload.getvalue()))
        except (ValueError, OSError) as error:
            st.error("This archive is refused:")
            st.text(str(error))
        else:
            select([run.id])
            st.rerun()


frame("Runs", "What has been trained, and how good is it?")

runs = store().runs()
chosen = run_table(runs)
if chosen is not None:
    st.subheader("Chosen run", anchor=False)
    st.text(chosen.id)
    look, download = st.columns(2)
    with look:
        link_to(TRAIN, {"runs": [chosen.id]}, "Open")
    with download:
        if chosen.has_weights:
            st.download_button("Download", partial(export_run, chosen), f"{chosen.id}.zip", width="stretch")
    if may_steer(chosen):
        change(chosen)

if may_change():
    bring_in(expanded=not runs)
else:
    say_demonstration()
