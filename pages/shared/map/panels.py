"""From runs and a wish to maps in one frame: the best that is there, PCA until a better one is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from bnvae.latent.neighbours import place
from bnvae.latent.projection.fit_projection import Projection, turned_onto
from bnvae.runs import Run
from bnvae.runs.derived.stored_projection import name_of
from pages.shared.map import cache as map_cache

Wish = Literal["umap", "pca", "tsne"]
MARGIN = 1.04
EXTREME = 0.002
"""share of points at each end that may lie outside of the first view"""


@final
@dataclass(frozen=True, kw_only=True)
class Chart:
    """One run's map within -1 to 1, and the way of other codes onto it."""

    run: Run
    encoded: map_cache.Encoded
    projection: Projection
    common: bool
    """made together with the other runs'"""
    points: Float[Tensor, "N d"]
    centre: Float[Tensor, "d"]
    reach: float

    def placed(self, codes: Float[Tensor, "K D"]) -> Float[Tensor, "K d"]:
        """Where other codes belong: exactly for PCA, by the nearest posterior means otherwise."""
        if self.projection.method != "pca":
            return place(codes, self.encoded.mean, self.points)
        finite = torch.isfinite(self.encoded.mean).all(1)
        known = torch.nn.functional.pad(self.encoded.mean[finite].double(), (0, 1), value=1.0)
        linear = torch.linalg.lstsq(known, self.points[finite].double(), driver="gelsd").solution
        placed: Tensor = torch.nn.functional.pad(codes.double(), (0, 1), value=1.0) @ linear
        return placed.float()


def charts(runs: Sequence[Run], wish: Wish, dimensions: int) -> tuple[list[Chart], bool]:
    """A map for each run, and whether each is what was wished for.

    Runs of the same examples are put into one frame: by AlignedUMAP where it is there, else by turning each map as a
    whole onto the first one's.
    """
    encodings = [map_cache.encoded(run) for run in runs]
    same = len({(encoded.data, len(encoded)) for encoded in encodings}) == 1
    together = len(runs) > 1 and same
    if wish == "umap" and dimensions == 2 and together and (common := map_cache.aligned(runs)):
        projections, granted = [common[run.id] for run in runs], True
        points = [found.points for found in projections]
    else:
        projections = [_best(run, wish, dimensions) for run in runs]
        granted = all(found.method == wish for found in projections)
        if not all(found.method == projections[0].method for found in projections):
            projections = [map_cache.pca(run, dimensions) for run in runs]
        points = [found.points for found in projections]
        if together:
            points = [points[0], *(turned_onto(one, points[0]) for one in points[1:])]
        common = None
        granted = granted and not (wish == "umap" and dimensions == 2 and together)
    frames = [frame_of(torch.cat(points))] * len(runs) if together else [frame_of(one) for one in points]
    found = [
        Chart(
            run=run,
            encoded=encoded,
            projection=projection,
            common=common is not None,
            points=(one - centre) / reach,
            centre=centre,
            reach=reach,
        )
        for run, encoded, projection, one, (centre, reach) in zip(
            runs, encodings, projections, points, frames, strict=True
        )
    ]
    return found, granted


def _best(run: Run, wish: Wish, dimensions: int) -> Projection:
    if wish != "pca":
        kept = map_cache.maps(run).get(name_of(wish, dimensions))
        if kept is not None:
            return kept
    return map_cache.pca(run, dimensions)


def frame_of(points: Float[Tensor, "N d"]) -> tuple[Tensor, float]:
    """The middle, and how far from it the view has to reach, of all points but the most extreme ones."""
    finite = points[torch.isfinite(points).all(1)]
    if not len(finite):
        return torch.zeros(points.shape[1]), 1.0
    ordered = finite.sort(0).values
    aside = int(EXTREME * len(ordered))
    low, high = ordered[aside], ordered[len(ordered) - 1 - aside]
    reach = float((high - low).max()) / 2 * MARGIN
    return (low + high) / 2, reach if reach > 0 else 1.0
