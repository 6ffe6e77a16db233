"""The map of a run's album: the same 150 examples at every moment of the training, on the axes of the last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.analysis.projection import principal_axes, turned_onto
from bnvae.runs import Run
from bnvae.runs.snapshots import Snapshot
from pages.components.latent_scatter import Panel, View, chosen_before, latent_scatter
from pages.shared import cache, map_cache
from pages.shared.map_answers import chosen_code, tell
from pages.shared.map_colours import Colouring
from pages.shared.map_panels import Chart
from pages.shared.panels import say_broken
from pages.shared.words import head_words

REACH = 3.5
"""prior standard deviations from the middle to an edge: a collapsed run has to look collapsed"""


@final
@dataclass(frozen=True)
class Film:
    """One run's moments on one pair of axes."""

    run: Run
    moments: list[Float[Tensor, "N 2"]]
    """in prior standard deviations"""


@st.fragment
def through_training(charts: Sequence[Chart], colours: Colouring) -> None:
    """Maps of the albums side by side under one slider, and what is told of an example that is clicked."""
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
    films = _films(runs, albums, steps, count)
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
    moments = [moment.numpy() / REACH for moment in film.moments]
    return Panel(
        title=film.run.id,
        caption=head_words(chart.run.config),
        words=f"{count} test examples on the two widest axes of the last moment; the edges are {REACH:g} prior "
        "standard deviations from the middle, whatever the codes are.",
        axes=f"PCA of the last moment, ±{REACH:g}",
        points=moments[-1],
        colours=colours.colours[place][:count],
        values=None if values is None else values[:count],
        moments=moments,
    )


def _films(runs: Sequence[Run], albums: Sequence[list[Snapshot]], steps: Sequence[int], count: int) -> list[Film]:
    """Every run at every step, as it was at its latest moment until then; the runs turned onto the first."""
    films: list[Film] = []
    same = len({map_cache.encoded(run).data for run in runs}) == 1
    for run, album in zip(runs, albums, strict=True):
        axes = principal_axes(album[-1].mean[:count])
        latest = [max((one for one in album if one.step <= step), key=_step, default=album[0]) for step in steps]
        points = [axes.points(moment.mean[:count]) for moment in latest]
        if films and same:
            points = _turned(points, films[0].moments[-1])
        films.append(Film(run, points))
    return films


def _step(snapshot: Snapshot) -> int:
    return snapshot.step


def _turned(points: list[Tensor], frame: Tensor) -> list[Tensor]:
    """All moments turned as the last one has to be, their width kept."""
    last = points[-1]
    turned = turned_onto(last, frame)
    if int(torch.isfinite(last).all(1).sum()) < 2:
        return points
    there = torch.isfinite(last).all(1)
    known = torch.nn.functional.pad(last[there].double(), (0, 1), value=1.0)
    width = last[there].std(0).norm() / turned[there].std(0).norm().clamp_min(1e-12)
    aim = (turned[there] - turned[there].mean(0)).double() * width
    linear = torch.linalg.lstsq(known, aim, driver="gelsd").solution
    return [(torch.nn.functional.pad(one.double(), (0, 1), value=1.0) @ linear).float() for one in points]
