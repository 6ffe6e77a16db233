"""Bringing in what was trained elsewhere: a run's archive, weights with their description, arrays."""

import streamlit as st

from bnvae.importers.upload import ENDINGS, bring_in
from pages.shared.notices import say
from pages.shared.presses import pressed
from pages.shared.state import select, store
from pages.shared.visitor import claim

WHAT = "A run's .zip, a model's .safetensors with its .json, or an .npz of arrays"
HELP = (
    "Weights and their description may also be packed into one .zip. A description is a short JSON of the model's "
    "layers, in the names of its own weights. An .npz holds means and stds, and if you like labels, pictures or "
    "sentences. An example of each is in docs/own-checkpoints.md. A state dict of torch.save is converted in a "
    "terminal, by python -m bnvae convert."
)


def take_in(*, expanded: bool) -> None:
    """Take in what is uploaded; what is refused is said, and nothing of it is kept."""
    with st.expander("Bring in a run, a model or arrays", expanded=expanded):
        types = [ending.removeprefix(".") for ending in ENDINGS]
        uploads = st.file_uploader(WHAT, type=types, accept_multiple_files=True, key="upload", help=HELP)
        if not uploads or not pressed("Take it in", key="take-in", type="primary"):
            return
        try:
            with st.spinner("Reading, and evaluating what is a model"):
                run = claim(bring_in(store(), [(upload.name, upload.getvalue()) for upload in uploads]))
        except (ValueError, OSError) as error:
            say("error", "This is refused:", str(error))
        else:
            select([run.id])
            st.rerun()
