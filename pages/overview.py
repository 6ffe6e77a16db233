"""The first page: the bundled pair, one collapsed and one not, and the way to everything else."""

import streamlit as st

from pages.shared import cache
from pages.shared.film import film
from pages.shared.frame import frame
from pages.shared.panels import decoded, last_record, readable, sentence_on
from pages.shared.state import choose_runs

frame("Posterior collapse, seen", "Does the latent code of a VAE carry anything? One bar per latent dimension says it.")

found = readable(choose_runs())
if found:
    film(found)
    columns = st.columns(len(found), gap="large")
    for column, (run, config) in zip(columns, found, strict=True):
        with column:
            history = cache.history(run)
            sentence_on(config, history)
            if (record := last_record(history)) is not None:
                st.metric("active units", f"{record.active_units} of {len(record.kl_per_dimension)}", border=True)
            if (preview := cache.preview(run)) is not None:
                decoded(run, preview.samples[:8], key=f"overview-{run.id}", title="Decoded from the same prior samples")
