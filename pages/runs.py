"""Every run in the folder: look, rename, delete, take home, bring in."""

import streamlit as st

from bnvae.runs.archive import import_run
from pages.shared.frame import frame
from pages.shared.mode import may_change, say_demonstration
from pages.shared.run_actions import offer, offer_one_of
from pages.shared.run_table import run_table
from pages.shared.state import select, store
from pages.shared.visitor import claim


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
ticked = run_table(runs)
if len(ticked) == 1:
    offer(ticked[0])
elif ticked:
    offer_one_of(ticked)

if may_change():
    bring_in(expanded=not runs)
else:
    say_demonstration()
