"""The map of a run's album: the same 150 examples at every moment of the training, under one slider."""

from collections.abc import Sequence

import streamlit as st

from bnvae.jobs.project_runs import FILM
from pages.components.latent_scatter import Panel, View, chosen_before, latent_scatter
from pages.shared import cache
from pages.shared.map import cache as map_cache
from pages.shared.map.answers import chosen_code, tell
from pages.shared.map.colours import Colouring
from pages.shared.map.film import Film, cannot_be_mapped, pca_films, umap_films
from pages.shared.map.panels import Chart, Wish
from pages.shared.map.start import ask_for_maps, watch_maps
from pages.shared.map.words import verdict
from pages.shared.notices import say
from pages.shared.panels import say_broken
from pages.shared.words import caption_words


def through_training(charts: Sequence[Chart], colours: Colouring, wish: Wish) -> None:
    """Maps of the albums side by side under one slider, and what is told of an example that is clicked.

    PCA is there at once; aligned UMAPs are made in the background if UMAP is wished for.
    """
    runs = [chart.run for chart in charts]
    albums = []
    for run in runs:
        try:
            albums.append(cache.snapshots(run))
        except ValueError as error:
            say_broken(run, error)
            return
    steps = sorted({snapshot.step for album in albums for snapshot in album})
    count = min((len(album[-1].mean) for album in albums if album), default=0)
    if len(steps) < 2 or not all(albums) or not count:
        st.info("Not all of these runs kept moments of their training: choose others, or train a run anew.")
        return
    try:
        aligned = umap_films(runs, albums, steps, count) if wish == "umap" else None
        without = cannot_be_mapped(runs, albums) if wish == "umap" else []
    except ValueError as error:
        say("warning", "The aligned maps cannot be read; PCA is shown instead:", str(error))
        aligned, without = None, []
    films = aligned or pca_films(runs, albums, steps, count)
    key = "album-" + ",".join(run.id for run in runs)
    before = chosen_before(key, count)
    view = View(id="first") if before is None else before
    answers = [chosen_code(chart, view, place) for place, chart in enumerate(charts)]
    shown = enumerate(zip(films, charts, strict=True))
    latent_scatter(
        key=key,
        panels=[_panel(film, chart, colours, place, count) for place, (film, chart) in shown],
        legend=colours.legend,
        view=View(id="first"),
        classes=None if colours.classes is None else colours.classes[:count],
        names=colours.names,
        steps=steps,
    )
    if without:
        st.caption("No two moments of this training can be mapped by UMAP, equal or broken as they are:")
        st.text(", ".join(without))
    elif wish == "umap" and aligned is None:
        ask_for_maps(runs, [FILM])
        watch_maps(runs, FILM)
    example = view.pick is not None and "example" in view.pick
    tell(
        key,
        charts,
        answers if example else [None] * len(charts),
        view if example else View(),
        hint="Press Play, or drag. Click a point to see its example as the finished model has it.",
    )


def _panel(film: Film, chart: Chart, colours: Colouring, place: int, count: int) -> Panel:
    values = colours.values[place]
    moments = [moment.numpy() for moment in film.moments]
    return Panel(
        title=film.run.id,
        caption=caption_words(chart.run.config),
        verdict=verdict(chart.encoded, map_cache.told(chart.run)),
        words=film.words,
        axes=film.axes,
        points=moments[-1],
        colours=colours.colours[place][:count],
        values=None if values is None else values[:count],
        moments=moments,
    )
