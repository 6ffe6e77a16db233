"""The maps on the page, and what is told of a choice: redrawn together at every click."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from bnvae.runs import Run
from pages.components.latent_scatter import Panel, View, chosen_before, latent_scatter
from pages.shared.map import cache as map_cache
from pages.shared.map.answers import chosen_code, tell
from pages.shared.map.colours import Colouring
from pages.shared.map.layers import cloud_marks, prior_layers
from pages.shared.map.links import link_to_explore
from pages.shared.map.panels import Chart
from pages.shared.map.search import WANTED
from pages.shared.map.selection import selection_words, tell_selection
from pages.shared.map.url import ADDRESS, keep_in_url, view_in_url
from pages.shared.map.words import METHODS, belief_words, made_words, verdict
from pages.shared.words import caption_words

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

WIDTHS, WIDTHS_OF_SEVERAL = [3, 2], [3, 1]
"""of the maps and of what is told of a choice beside them; on a phone it comes under them"""
SEVERAL = "several-maps"
STYLE = f"""
<style>
  /* Two maps beside each other and an answer beside both take such a width; in a narrower window it goes under. */
  @media (max-width: 1199px) {{
    .st-key-{SEVERAL} > div > [data-testid="stHorizontalBlock"] {{ flex-wrap: wrap; }}
    .st-key-{SEVERAL} > div > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] {{ min-width: 100%; }}
  }}
</style>
"""


def stage(charts: Sequence[Chart], colours: Colouring, wanted_layers: Sequence[str]) -> None:
    """One to four maps; beside them what the visitor chose, under them what tells a selection from the rest."""
    key = stage_key([chart.run for chart in charts])
    count = len(charts[0].points)
    before = chosen_before(key, count)
    wanted = _wanted(key, count, fresh=before is None)
    view = wanted if before is None or before.id != wanted.id else before
    maps, beside = _columns(several=len(charts) > 1)
    with maps:
        latent_scatter(
            key=key,
            panels=[_panel(chart, colours, place, wanted_layers) for place, chart in enumerate(charts)],
            legend=colours.legend,
            view=wanted,
            classes=colours.classes,
            names=colours.names,
            texts=map_cache.sentences(charts[0].run),
            thumbnails=map_cache.thumbnails(charts[0].run),
            common=all(chart.common for chart in charts),
        )
    keep_in_url(view)
    answers = [chosen_code(chart, view, place) for place, chart in enumerate(charts)]
    with beside:
        tell(
            key,
            charts,
            answers,
            view,
            marks=[cloud_marks(chart, wanted_layers, view) for chart in charts],
            chosen=selection_words(charts, colours, view.lasso) if view.lasso else "",
        )
        link_to_explore([chart.run for chart in charts], view)
    if view.lasso:
        tell_selection(charts, colours, view.lasso, answers)


def _columns(*, several: bool) -> "tuple[DeltaGenerator, DeltaGenerator]":
    if not several:
        maps, beside = st.columns(WIDTHS, gap="large")
        return maps, beside
    st.html(STYLE)
    with st.container(key=SEVERAL):
        maps, beside = st.columns(WIDTHS_OF_SEVERAL, gap="medium")
    return maps, beside


def _wanted(key: str, count: int, *, fresh: bool) -> View:
    """What the page asks the map to choose: what the address names, or what was searched for.

    A map that is drawn for the first time, or again after another page or the album, takes up the address; later it
    keeps what it was asked for, so that its data stay the same from click to click.
    """
    every: dict[str, View] = st.session_state.setdefault(WANTED, {})
    if key not in every or (fresh and every[key].id == ADDRESS):
        every[key] = view_in_url(count)
    return every[key]


def stage_key(runs: Sequence[Run]) -> str:
    """What the maps of these runs are called in the session."""
    return "latent-map-" + ",".join(run.id for run in runs)


def _panel(chart: Chart, colours: Colouring, place: int, wanted_layers: Sequence[str]) -> Panel:
    layers, words = prior_layers(chart, wanted_layers)
    return Panel(
        title=chart.run.id,
        caption=caption_words(chart.run.config),
        verdict=verdict(chart.encoded, map_cache.told(chart.run)),
        words=f"{made_words(chart.projection, common=chart.common)}: "
        + belief_words(chart.projection, chart.encoded, map_cache.unused(chart.run))
        + words,
        layers=layers,
        axes=_axes(chart),
        points=chart.points.numpy(),
        colours=colours.colours[place],
        values=colours.values[place],
    )


def _axes(chart: Chart) -> str:
    if chart.projection.method != "pca":
        return f"{METHODS[chart.projection.method]}: axes have no unit"
    shares = [value for name, value in chart.projection.parameters.items() if name.startswith("explained")]
    return f"PCA: these axes hold {sum(shares):.0%} of the variance"
