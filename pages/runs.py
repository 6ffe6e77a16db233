"""Every run in the folder: look, rename, delete, take home, bring in."""

from functools import partial

import streamlit as st

from bnvae.runs.archive import export_run, import_run
from pages.shared.frame import frame
from pages.shared.links import TRAIN, link_to
from pages.shared.run_table import run_table
from pages.shared.state import follow, select, store

frame("Runs", "What has been trained, and how good is it?")

runs = store().runs()
chosen = run_table(runs)
if chosen is not None:
    st.subheader("Chosen run", anchor=False)
    st.text(chosen.id)
    look, rename, download, delete = st.columns([1, 3, 1, 1], vertical_alignment="bottom")
    with look:
        link_to(TRAIN, {"runs": [chosen.id]}, "Open")
    with rename, st.form(f"rename-{chosen.id}", border=False):
        name, submit = st.columns([2, 1], vertical_alignment="bottom")
        new_id = name.text_input("Name", chosen.id, key=f"name-{chosen.id}", max_chars=64)
        renamed = submit.form_submit_button("Rename", width="stretch")
    with download:
        if chosen.has_weights:
            st.download_button("Download", partial(export_run, chosen), f"{chosen.id}.zip", width="stretch")
    with delete, st.popover("Delete", icon=":material/delete:", width="stretch"):
        st.write("The run's folder is removed for good.")
        deleted = st.button("Delete it", type="primary", key=f"delete-{chosen.id}")
    try:
        if renamed and new_id != chosen.id:
            follow(chosen.id, store().rename(chosen.id, new_id).id)
            st.rerun()
        if deleted:
            store().delete(chosen.id)
            follow(chosen.id, None)
            st.rerun()
    except (ValueError, OSError) as error:
        st.error("That did not work:")
        st.text(str(error))

with st.expander("Bring in a run", expanded=not runs):
    upload = st.file_uploader("A .zip that this app or `python -m bnvae export` wrote", type="zip", key="upload")
    if upload is not None and st.button("Take it in", type="primary"):
        try:
            run = import_run(store(), upload.getvalue())
        except (ValueError, OSError) as error:
            st.error("This archive is refused:")
            st.text(str(error))
        else:
            select([run.id])
            st.rerun()
