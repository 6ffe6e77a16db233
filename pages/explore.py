"""The latent space under the hand: move one coordinate, walk from one example to another, put in your own."""

import streamlit as st

from pages.shared.explore.factors import show_factors
from pages.shared.explore.interpolate import ends_from_address, show_interpolate
from pages.shared.explore.own import show_own
from pages.shared.explore.start import keep_choices
from pages.shared.explore.traverse import show_traverse
from pages.shared.frame import frame
from pages.shared.panels import readable
from pages.shared.state import choose_runs

TABS = {"Traverse": show_traverse, "Interpolate": show_interpolate, "Your own": show_own, "Factors": show_factors}

frame("Explore", "What does each coordinate of a latent code do, and what lies between two examples?")
keep_choices()
ends_from_address()

found = readable(choose_runs(trained=True))
if found:
    for tab, show in zip(st.tabs(list(TABS), key="tab", bind="query-params"), TABS.values(), strict=True):
        if tab.open:
            with tab:
                show(found)
