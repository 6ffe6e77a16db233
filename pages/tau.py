"""One slider for tau: posteriors, KL, budget and decoded samples move while it is dragged."""

import streamlit as st

from bnvae.config import SCALED
from pages.components.tau_explorer import tau_explorer
from pages.shared.frame import frame
from pages.shared.panels import readable
from pages.shared.state import choose_runs
from pages.shared.tau_runs import rescaled, tau_in_url

frame("Tau", "What does τ buy, and what does it cost? Drag it and watch everything move.")

found = readable(choose_runs(trained=True))
for run, config in [(run, config) for run, config in found if config.model.head in SCALED][:1]:
    shown = rescaled(run, config)
    tau = tau_explorer(key="tau", run=shown, tau=tau_in_url() or shown.taus[0])
    st.query_params["tau"] = f"{tau:.3f}"
