"""The moments of trainings as films: points that move, on the axes of the last moment or as aligned UMAPs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.latent.projection.fit_projection import Projection, principal_axes, turned_onto
from bnvae.runs import Run
from bnvae.runs.artifacts.snapshots import Snapshot
from bnvae.runs.derived.stored_projection_films import FILM, read_film
from pages.shared import cache
from pages.shared.map import cache as map_cache
from pages.shared.map.panels import frame_of
from pages.shared.state import store

REACH = 3.5
"""prior standard deviations from the middle to an edge: a collapsed run has to look collapsed"""


@final
@dataclass(frozen=True, kw_only=True)
class Film:
    """The same examples of one run at each of several moments."""

    run: Run
    moments: list[Float[Tensor, "N 2"]]
    """within about -1 to 1"""
    axes: str
    words: str


@st.cache_resource(max_entries=8, show_spinner=False)
def _film(run_id: str, file: tuple[int, int], steps: tuple[int, ...]) -> dict[int, Projection] | None:
    run = store().get(run_id)
    return read_film(run, cache.snapshots(run))


def _kept_film(run: Run, album: Sequence[Snapshot]) -> dict[int, Projection] | None:
    return _film(run.id, cache.version(run, FILM), tuple(moment.step for moment in album))


def umap_films(
    runs: Sequence[Run], albums: Sequence[list[Snapshot]], steps: Sequence[int], count: int
) -> list[Film] | None:
    """Every run's aligned UMAPs at every step, as it was at its latest moment until then; None while one has none.

    The second and further runs are turned as a whole to lie on the first one's last moment.

    Raises:
        BrokenRunError: a film is damaged.
    """
    kept = [_kept_film(run, album) for run, album in zip(runs, albums, strict=True)]
    films: list[Film] = []
    same = len({map_cache.encoded(run).data for run in runs}) == 1
    frame: Tensor | None = None
    for run, album, maps in zip(runs, albums, kept, strict=True):
        if not maps:
            return None
        points = [maps[_until(maps, step)].points[:count] for step in steps]
        if frame is not None and same:
            points = _turned(points, frame)
        frame = points[-1] if frame is None else frame
        centre, reach = frame_of(torch.cat(points))
        films.append(
            Film(
                run=run,
                moments=[(one - centre) / reach for one in points],
                axes="AlignedUMAP: axes have no unit",
                words=_said(maps, album, count, map_cache.unused(run)),
            )
        )
    return films


def cannot_be_mapped(runs: Sequence[Run], albums: Sequence[list[Snapshot]]) -> list[str]:
    """Names of the runs of which it is known that they have no two moments for a film."""
    return [run.id for run, album in zip(runs, albums, strict=True) if _kept_film(run, album) == {}]


def _until(maps: dict[int, Projection], step: int) -> int:
    """The latest step of a map until this one, or the first."""
    return max((one for one in maps if one <= step), default=min(maps))


def _said(maps: dict[int, Projection], album: Sequence[Snapshot], count: int, unused: str) -> str:
    ends = [maps[step].fidelity for step in (min(maps), max(maps))]
    words = f"AlignedUMAP of {count} test examples at {len(maps)} moments: each keeps its place where its codes let it."
    if unused:
        words += f" In the end the code is not used: {unused}."
    elif ends[0] is not None and ends[1] is not None:
        words += (
            f" Trustworthiness {ends[0].trustworthiness:.2f} at the first, {ends[1].trustworthiness:.2f} at the last."
        )
    if left_out := len(album) - len(maps):
        words += f" {left_out} more could not be mapped, and look like the one before."
    return words


def pca_films(runs: Sequence[Run], albums: Sequence[list[Snapshot]], steps: Sequence[int], count: int) -> list[Film]:
    """Every run at every step, as it was at its latest moment until then; the runs turned onto the first."""
    films: list[Film] = []
    same = len({map_cache.encoded(run).data for run in runs}) == 1
    for run, album in zip(runs, albums, strict=True):
        axes = principal_axes(album[-1].mean[:count])
        latest = [max((one for one in album if one.step <= step), key=_step, default=album[0]) for step in steps]
        points = [axes.points(moment.mean[:count]) for moment in latest]
        if films and same:
            points = _turned(points, films[0].moments[-1] * REACH)
        films.append(
            Film(
                run=run,
                moments=[one / REACH for one in points],
                axes=f"PCA of the last moment, ±{REACH:g}",
                words=f"{count} test examples on the two widest axes of the last moment; the edges are {REACH:g} prior "
                "standard deviations from the middle, whatever the codes are.",
            )
        )
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
