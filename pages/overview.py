"""The first page: the bundled pair, one collapsed and one not, and the way to everything else."""

import streamlit as st

from pages.shared.film import film
from pages.shared.frame import frame
from pages.shared.links import RACE, REPLAY, RUNS, SAMPLES, TAU, TRAIN, link_to
from pages.shared.panels import histories, last_record, previews, readable, sentence_on
from pages.shared.state import choose_runs, link_params

NEXT = (TRAIN, RACE, REPLAY, TAU, SAMPLES, RUNS)

frame("Posterior collapse, seen", "Does the latent code of a VAE carry anything? One bar per latent dimension says it.")

found = histories(readable(choose_runs()))
if found:
    film(found)
    for column, (_, config, history) in zip(st.columns(len(found), gap="large"), found, strict=True):
        with column:
            st.caption("At the end of what was recorded:")
            sentence_on(config, last_record(history))
            if history.evaluations:
                tested = history.evaluations[-1]
                active, price = st.columns(2)
                active.metric("active units", f"{tested.active_units} of {len(tested.kl_per_dimension)}", border=True)
                price.metric("test ELBO, nats (higher is better)", f"{tested.elbo:.1f}", border=True)
    previews([(run, config) for run, config, _ in found], key="overview")
    st.divider()
    for column, page in zip(st.columns(len(NEXT)), NEXT, strict=True):
        with column:
            link_to(page, link_params(), page.invitation)
