"""The recorded history of one to four trainings under one slider."""

import streamlit as st

from pages.components.time_film import time_film
from pages.shared.frame import frame
from pages.shared.panels import histories, readable
from pages.shared.replaying import films, step_in_url
from pages.shared.state import choose_runs

frame("Replay", "How did it come to this? Drag through the training and watch every panel move.")

found = films(histories(readable(choose_runs())))
if found:
    chosen = time_film(key="replay", runs=found, step=step_in_url())
    if chosen is not None:
        st.query_params["step"] = str(chosen)
    else:
        st.query_params.pop("step", None)  # the end needs no step, and an old one would come back at a reload
