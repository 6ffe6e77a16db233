"""Two to four configurations on the same data, seed and batches, step for step beside each other."""

import streamlit as st

from pages.shared.frame import frame
from pages.shared.live.trainings import watch
from pages.shared.mode import may_change, say_demonstration
from pages.shared.presses import pressed
from pages.shared.start import start_race
from pages.shared.state import begun_ids, choose_runs, say_refused
from pages.shared.train.lessons import choose_race, recorded_races

frame("Race", "Same data, same seed, same batches, one clock: what does each recipe do to the latent code?")

controls, live = st.columns([2, 5], gap="large")
with controls:
    if not may_change():
        say_demonstration()
    else:
        configs = choose_race()
        go = pressed(
            "Start the race", key="race-go", once=True, type="primary", icon=":material/flag:", width="stretch"
        )
        if go and start_race(configs):
            st.rerun()
        say_refused(begun_ids())
    recorded_races()
with live:
    watch(choose_runs("Runs on show", invite=False))
