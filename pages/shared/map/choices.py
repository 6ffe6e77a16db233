"""Which runs can be mapped together, and by which method."""

from collections.abc import Sequence

import streamlit as st

from bnvae.runs import Run
from pages.shared.map import cache as map_cache
from pages.shared.map.panels import Wish
from pages.shared.map.words import METHODS
from pages.shared.notices import say
from pages.shared.panels import readable, say_broken

WISHES: tuple[Wish, ...] = ("umap", "pca", "tsne")
METHOD_HELP = "PCA is there at once; UMAP and t-SNE are computed in the background and kept with the run."


def mappable(runs: Sequence[Run]) -> list[Run]:
    """The runs whose codes can be read and that encoded the examples of the first; of others it is said why not."""
    found: list[Run] = []
    for run, _ in readable(runs):
        try:
            encoded = map_cache.encoded(run)
            map_cache.mapped(run)
            map_cache.maps(run)
            map_cache.sentences(run)
        except ValueError as error:
            say_broken(run, error)
            continue
        first = map_cache.encoded(found[0]) if found else encoded
        if (encoded.data, len(encoded)) != (first.data, len(first)):
            say("info", "This run encoded other examples than the first one: choose it alone to see its map.", run.id)
        elif not len(encoded):
            say("info", "This run encoded no examples: there is nothing to map.", run.id)
        else:
            found.append(run)
    return found


def choose_map() -> Wish:
    """The method that the visitor wants to see."""
    return st.segmented_control(
        "Map",
        list(WISHES),
        default="umap",
        required=True,
        format_func=lambda wish: METHODS[wish],
        key="map",
        bind="query-params",
        help=METHOD_HELP,
    )
