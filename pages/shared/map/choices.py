"""Which runs can be mapped together, and by which method."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from bnvae.config.display_names import data_title
from bnvae.runs import Run
from pages.shared.map import cache as map_cache
from pages.shared.map.panels import Wish
from pages.shared.map.words import METHODS
from pages.shared.notices import say
from pages.shared.panels import readable, say_broken
from pages.shared.presses import press
from pages.shared.state import select

WISHES: tuple[Wish, ...] = ("umap", "pca", "tsne")
METHOD_HELP = "PCA is there at once; UMAP and t-SNE are computed in the background and kept with the run."


def mappable(runs: Sequence[Run]) -> list[Run]:
    """The runs whose codes can be read and that encoded the examples of the first; of others it is said why not."""
    groups: dict[tuple[str, int], list[Run]] = {}
    for run, _ in readable(runs):
        try:
            encoded = map_cache.encoded(run)
            map_cache.mapped(run)
            map_cache.maps(run)
            map_cache.sentences(run)
        except ValueError as error:
            say_broken(run, error)
            continue
        if not len(encoded):
            say("info", "This run encoded no examples: there is nothing to map.", run.id)
        else:
            groups.setdefault((encoded.data, len(encoded)), []).append(run)
    shown, *others = groups.values() or [[]]
    for left_out in others:
        _offer_instead(left_out, shown[0])
    return shown


def _offer_instead(left_out: Sequence[Run], first: Run) -> None:
    """Which runs are left out, why, and a button that shows them in place of those of the first data set."""
    theirs, ours = data_title(left_out[0].config), data_title(first.config)
    which = theirs if theirs != ours else f"other examples of {theirs}"
    names = [run.id for run in left_out]
    box = say(
        "info",
        "Maps side by side are of the same examples. Left out, being of others than those on the map:",
        f"{', '.join(names)}: {which}; on the map: {ours}",
    )
    label = "Show this one instead" if len(names) == 1 else "Show these instead"
    with box:
        press(label, partial(select, names), icon=":material/swap_horiz:", key=f"instead-{','.join(names)}")


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
