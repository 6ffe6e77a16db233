"""Every run in the folder: look, rename, delete, take home, bring in."""

from functools import partial

import streamlit as st

from bnvae.runs import BrokenRunError
from bnvae.runs.archive import export_run, import_run
from pages.shared.frame import frame
from pages.shared.run_table import run_table
from pages.shared.state import link_params, select, store

frame("Runs", "What has been trained, and how good is it?")

runs = store().runs()
chosen = run_table(runs)
if chosen is not None:
    st.subheader(chosen.id, anchor=False)
    look, name, rename, download, delete = st.columns([1, 2, 1, 1, 1], vertical_alignment="bottom")
    with look:
        if st.button("Open", icon=":material/open_in_new:", width="stretch"):
            select([chosen.id])
            st.switch_page("pages/train.py", query_params=link_params())
    with name:
        new_id = st.text_input("Name", chosen.id, key=f"name-{chosen.id}", max_chars=64)
    with rename:
        renamed = st.button("Rename", width="stretch", disabled=new_id == chosen.id)
    with download:
        if chosen.has_weights:
            st.download_button("Download", partial(export_run, chosen), f"{chosen.id}.zip", width="stretch")
    with delete, st.popover("Delete", icon=":material/delete:", width="stretch"):
        st.write("The run's folder is removed for good.")
        deleted = st.button("Delete it", type="primary", key=f"delete-{chosen.id}")
    try:
        if renamed:
            select([store().rename(chosen.id, new_id).id])
            st.rerun()
        if deleted:
            store().delete(chosen.id)
            select([])
            st.rerun()
    except (ValueError, OSError) as error:
        st.error("That did not work:")
        st.text(str(error))

with st.expander("Bring in a run", expanded=not runs):
    upload = st.file_uploader("A .zip that this app or `python -m bnvae export` wrote", type="zip", key="upload")
    if upload is not None and st.button("Take it in", type="primary"):
        try:
            run = import_run(store(), upload.getvalue())
        except (ValueError, OSError, BrokenRunError) as error:
            st.error("This archive is refused:")
            st.text(str(error))
        else:
            select([run.id])
            st.rerun()
