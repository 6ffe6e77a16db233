"""The posterior means of one to four runs as maps: looked at, clicked, lassoed."""

import streamlit as st

from pages.shared.frame import frame
from pages.shared.map.album import through_training
from pages.shared.map.choices import choose_map, mappable
from pages.shared.map.colours import choose_colour, colouring
from pages.shared.map.layers import choose_layers
from pages.shared.map.panels import charts
from pages.shared.map.search import search
from pages.shared.map.stage import stage, stage_key
from pages.shared.map.start import ask_for_maps, watch_maps
from pages.shared.map.tau import offer_tau_film, through_tau
from pages.shared.state import choose_runs

TRAINING_HELP = (
    "150 test examples at up to 24 moments of the training: aligned UMAPs, in which each keeps its place where it can, "
    "or PCA on one pair of axes."
)

# Of map, axes, colour and search: the narrowest window that has them in one row cuts none of the buttons off.
WIDTHS = [5, 2.3, 4, 4.5]

frame("Map", "Where do the examples lie in latent space, and what lies between them?")

runs = mappable(choose_runs(trained=True, brought=True))
if runs:
    controls = st.columns(WIDTHS, vertical_alignment="bottom")
    with controls[0]:
        wish = choose_map()
    with controls[1]:
        dimensions = st.segmented_control(
            "Axes", [2, 3], default=2, required=True, key="axes", bind="query-params", format_func=str
        )
    with controls[2]:
        colours = colouring(runs, choose_colour(runs))
    with controls[3]:
        search(runs[0], stage_key(runs))
    maps = st.container()
    left, right = st.columns([5, 3], vertical_alignment="bottom")
    with left:
        shown_layers = choose_layers()
    with right:
        moving = st.toggle("Through the training", key="training", bind="query-params", help=TRAINING_HELP)
        sweep = offer_tau_film(runs[0])
    found, granted = charts(runs, wish, dimensions)
    with maps:
        if sweep:
            through_tau(sweep, wish)
        elif moving:
            through_training(found, colours, wish)
        else:
            stage(found, colours, shown_layers)
            if not granted:
                ask_for_maps(runs, [wish])
                watch_maps(runs, wish)
