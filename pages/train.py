"""Choose data, network and head; train a run, or it and its plain twin; watch."""

import streamlit as st

from pages.shared.frame import frame
from pages.shared.live.trainings import watch
from pages.shared.mode import may_change, say_demonstration
from pages.shared.presses import pressed
from pages.shared.start import start
from pages.shared.state import begun_ids, choose_runs, say_refused
from pages.shared.train.method_sweep import offer_methods
from pages.shared.train.settings import choose_config

frame("Train", "What happens to the KL of each latent dimension while a VAE learns?")

controls, live = st.columns([2, 5], gap="large")
with controls:
    if not may_change():
        say_demonstration()
    else:
        config, twin = choose_config()
        ready = config is not None
        icon = ":material/play_arrow:"
        go = pressed("Train", key="train-go", once=True, type="primary", icon=icon, width="stretch", disabled=not ready)
        if go and config is not None and start(config, twin=twin):
            st.rerun()
        say_refused(begun_ids())
        offer_methods(config)
with live:
    watch(choose_runs("Runs on show", invite=False))
