"""The first page: the bundled pair, one collapsed and one not, and the way to everything else."""

import streamlit as st

from pages.components.preview_sections import draw_preview_sections
from pages.shared.code_price import say_price
from pages.shared.film import film
from pages.shared.frame import frame, name_on_phones
from pages.shared.gains import code_gains
from pages.shared.links import OVERVIEW, PAGES, invite
from pages.shared.panels import draw_sections, histories, preview_sections, readable, sentence_on, watched_words
from pages.shared.state import choose_runs, link_params
from pages.shared.words import ACTIVE_UNITS, forced_words

frame(
    "Posterior collapse, seen",
    "Does the latent code of a VAE carry anything? See what each model tells again, and what its code costs.",
)

found = histories(readable(choose_runs()))
if found:
    made = preview_sections([(run, config) for run, config, _ in found])
    *above, rebuilt = made["sections"] or [None]
    # Sentences say at a glance what bars have to be explained for.
    told_first = rebuilt is not None and rebuilt["table"] is not None
    if told_first:
        draw_sections(key="told-again-overview", sections=[rebuilt])
    film(found)
    for column, (run, config, history) in zip(st.columns(len(found), gap="large"), found, strict=True):
        with column:
            name_on_phones(run, "seen")
            st.caption("At the end of what was recorded:")
            sentence_on(config, history)
            if history.evaluations:
                tested = history.evaluations[-1]
                # Of three runs or more a column has no room for two figures side by side.
                active, price = st.columns(2) if len(found) < 3 else (st.container(), st.container())
                count = f"{tested.active_units} of {len(tested.kl_per_dimension)}"
                active.metric("active units", count, border=True, help=ACTIVE_UNITS)
                if forced := forced_words(config):
                    active.caption(f"{forced}: proves nothing")
                elbo = f"{tested.elbo:.1f}".replace("-", "−")
                label = f"{watched_words(run)} ELBO, nats"
                price.metric(label, elbo, border=True, help="per example, higher is better")
    say_price(found)
    code_gains([(run, config) for run, config, _ in found])
    draw_preview_sections(key="previews-overview", data={**made, "sections": above} if told_first else made)
    st.divider()
    invite([page for page in PAGES if page is not OVERVIEW], link_params())
