"""The maps on the page, and what is told of a choice: redrawn together at every click, the rest of the page is not."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from bnvae.runs import Run
from pages.components.latent_scatter import Panel, View, chosen_before, latent_scatter
from pages.shared import map_cache
from pages.shared.map_answers import Chosen, chosen_code, tell
from pages.shared.map_colours import Colouring
from pages.shared.map_layers import layers
from pages.shared.map_panels import Chart
from pages.shared.map_search import WANTED
from pages.shared.map_selection import tell_selection
from pages.shared.map_url import keep_in_url, view_in_url
from pages.shared.map_words import METHODS, belief_words, made_words, verdict
from pages.shared.words import head_words

ALONE = [3, 2]
"""widths of a single map and of what is told beside it"""


@st.fragment
def stage(charts: Sequence[Chart], colours: Colouring, wanted_layers: Sequence[str]) -> None:
    """One to four maps; under them what the visitor chose."""
    key = stage_key([chart.run for chart in charts])
    count = len(charts[0].points)
    wanted = _wanted(key, count)
    before = chosen_before(key, count)
    view = wanted if before is None or before.id != wanted.id else before
    answers = [chosen_code(chart, view, place) for place, chart in enumerate(charts)]
    panels = [
        _panel(chart, colours, place, view, found, wanted_layers)
        for place, (chart, found) in enumerate(zip(charts, answers, strict=True))
    ]
    alone = len(charts) == 1
    maps, beside = st.columns(ALONE, gap="large") if alone else (st.container(), st.container())
    with maps:
        latent_scatter(
            key=key,
            panels=panels,
            legend=colours.legend,
            view=replace(view, id=wanted.id),
            classes=colours.classes,
            names=colours.names,
            texts=map_cache.sentences(charts[0].run),
        )
    keep_in_url(view)
    with beside:
        if any(found is not None for found in answers):
            tell(charts, answers)
        else:
            st.caption("Click a point to see its example, or an empty place to have the code there decoded.")
    if view.lasso:
        tell_selection(charts, view.lasso, answers)


def _wanted(key: str, count: int) -> View:
    """What the page asks the map to choose: at first what the address names, later what was searched for."""
    every: dict[str, View] = st.session_state.setdefault(WANTED, {})
    return every.setdefault(key, view_in_url(count))


def stage_key(runs: Sequence[Run]) -> str:
    """What the maps of these runs are called in the session."""
    return "latent-map-" + ",".join(run.id for run in runs)


def _panel(
    chart: Chart, colours: Colouring, place: int, view: View, found: Chosen | None, wanted_layers: Sequence[str]
) -> Panel:
    layered = layers(chart, wanted_layers, view)
    pick = view.pick or {}
    spot = (pick["x"], pick["y"]) if "x" in pick and found is not None else None
    return Panel(
        title=chart.run.id,
        caption=head_words(chart.run.config),
        verdict=verdict(chart.encoded),
        words=f"{made_words(chart.projection, common=chart.common)}: {belief_words(chart.projection, chart.encoded)}"
        + layered.words,
        layers=layered.layers,
        axes=_axes(chart),
        points=chart.points.numpy(),
        colours=colours.colours[place],
        values=colours.values[place],
        linked=[] if found is None else found.near.tolist(),
        spot=spot,
    )


def _axes(chart: Chart) -> str:
    if chart.projection.method != "pca":
        return f"{METHODS[chart.projection.method]}: axes have no unit"
    shares = [value for name, value in chart.projection.parameters.items() if name.startswith("explained")]
    return f"PCA: these axes hold {sum(shares):.0%} of the variance"
