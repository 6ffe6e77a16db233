"""Maps of latent codes in two or three dimensions: PCA at once, UMAP and t-SNE with time, several models in one frame.

A single map is laid out by `umap_layout`, several together by umap-learn, which takes seconds to import and longer to
compile its first fit. It is imported where it is used, and no page calls what uses it.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from bnvae.latent.neighbours import FIDELITY_EXAMPLES, NEIGHBOURS, Fidelity, fidelity, place
from bnvae.latent.projection.umap_layout import EPOCHS, laid_out, placed, settled

Method = Literal["pca", "umap", "tsne"]

ALIGNED_EPOCHS = 200
UMAP_MIN_DIST = 0.1
PERPLEXITY = 30.0
FITTED = {"pca": 70_000, "umap": 10_000, "tsne": 4_000}
"""codes that a method is fitted on at most; the others are placed afterwards"""
ALIGNED_FITTED, ALIGNED_IN_ALL = 2_000, 8_000
"""codes of each model, and of all together, that an aligned map is fitted on at most"""
SETTLING_EPOCHS, SETTLING_RATE = 30, 0.25
"""of UMAP, from where an aligned map put all codes: on MNIST 24 % instead of 18 % of the neighbours are kept, and an
example's two places are 0.21 instead of 0.18 of the map's width apart"""
FEWEST = 4
"""codes with which UMAP and t-SNE can do something"""


@final
@dataclass(frozen=True, kw_only=True)
class Projection:
    """A map: one point for each code, in the codes' order; NaN for a code that is not finite."""

    method: Method
    points: Float[Tensor, "N d"]
    fitted: int
    """codes that the map was fitted on; the others were placed on it"""
    parameters: dict[str, float]
    """what decides the map: seed, neighbours, epochs, ..."""
    fidelity: Fidelity | None
    """None for too few points"""

    @property
    def dimensions(self) -> int:
        return int(self.points.shape[1])


@final
@dataclass(frozen=True)
class Axes:
    """Principal axes of codes: a linear map, which every other code can be put on as well."""

    centre: Float[Tensor, "D"]
    directions: Float[Tensor, "d D"]
    """unit vectors, the widest first; each one's largest number is positive"""
    explained: Float[Tensor, "d"]
    """share of the codes' variance along each, 0 to 1"""

    def points(self, codes: Float[Tensor, "N D"]) -> Float[Tensor, "N d"]:
        return (codes - self.centre) @ self.directions.T

    def codes(self, points: Float[Tensor, "N d"]) -> Float[Tensor, "N D"]:
        """The codes of these points that lie in the plane of the axes."""
        return points @ self.directions + self.centre


def principal_axes(codes: Float[Tensor, "N D"], dimensions: int = 2) -> Axes:
    """The orthogonal directions along which the codes vary most; Pearson 1901."""
    finite = codes[torch.isfinite(codes).all(1)].double()
    width = codes.shape[1]
    if not len(finite):
        return Axes(torch.zeros(width), torch.eye(dimensions, width), torch.zeros(dimensions))
    centre = finite.mean(0)
    variances, vectors = torch.linalg.eigh((finite - centre).T @ (finite - centre) / len(finite))
    kept = min(dimensions, width)
    directions = vectors.T.flip(0)[:kept]
    signs = directions.gather(1, directions.abs().argmax(1, keepdim=True)).sign()
    explained = variances.flip(0)[:kept].clamp_min(0) / variances.clamp_min(0).sum().clamp_min(1e-300)
    missing = dimensions - kept  # a code of one dimension on a map of two: the second is 0 everywhere
    return Axes(
        centre.float(),
        torch.nn.functional.pad((directions * signs).float(), (0, 0, 0, missing)),
        torch.nn.functional.pad(explained.float(), (0, missing)),
    )


def check_codes(codes: Float[Tensor, "N D"]) -> Tensor:
    """Which codes are finite.

    Raises:
        ValueError: there are too few, or they are all equal: only PCA, which then shows one place, has an answer.
    """
    finite = torch.isfinite(codes).all(1)
    count = int(finite.sum())
    if count < FEWEST:
        raise ValueError(f"codes has {count} finite rows: this map needs at least {FEWEST}; look at PCA.")
    chosen = codes[finite]
    if bool((chosen == chosen[0]).all()):
        raise ValueError(f"codes has {count} rows and all are equal: there is nothing to tell apart on a map.")
    return finite


def project(codes: Float[Tensor, "N D"], method: Method, *, dimensions: int = 2, seed: int = 0) -> Projection:
    """A map of codes; equal arguments give equal maps on an equal machine.

    Raises:
        ValueError: UMAP or t-SNE of codes that they cannot work on; see `check_codes`.
    """
    if method == "pca":
        axes = principal_axes(codes, dimensions)
        shares: dict[str, float] = {
            f"explained_{place}": float(share) for place, share in enumerate(axes.explained, start=1)
        }
        points = axes.points(codes)
        return _measured("pca", codes, points, int(torch.isfinite(codes).all(1).sum()), shares)
    finite = check_codes(codes)
    chosen = codes[finite]
    rows = _sample(len(chosen), FITTED[method], seed)
    fit = _umap if method == "umap" else _tsne
    mapped, parameters = fit(chosen, rows, dimensions, seed)
    points = torch.full((len(codes), dimensions), math.nan)
    points[finite] = mapped
    return _measured(method, codes, points, len(rows), parameters | {"seed": seed})


def _measured(method: Method, codes: Tensor, points: Tensor, fitted: int, parameters: dict[str, float]) -> Projection:
    # PCA is there at once, and so are its figures: half as many examples are looked up in half the time.
    looked_up = FIDELITY_EXAMPLES // 2 if method == "pca" else FIDELITY_EXAMPLES
    return Projection(
        method=method,
        points=points,
        fitted=fitted,
        parameters=parameters,
        fidelity=fidelity(codes, points, examples=looked_up),
    )


def _umap(codes: Tensor, rows: Tensor, dimensions: int, seed: int) -> tuple[Tensor, dict[str, float]]:
    count = min(NEIGHBOURS, len(rows) - 1)
    fitted, points = codes[rows], torch.empty(len(codes), dimensions)
    # A start of PCA needs as many dimensions as the map has: what is missing is drawn.
    start = principal_axes(fitted, dimensions).points(fitted)
    drawn = torch.randn(start.shape, generator=torch.Generator().manual_seed(seed))
    start = torch.where(start.std(0) > 0, start, drawn * start.std(0).max())
    points[rows] = laid_out(fitted, start, count=count, seed=seed)
    others = _others(len(codes), rows)
    if len(others):
        points[others] = placed(codes[others], fitted, points[rows], count=count, seed=seed)
    return points, {"neighbours": count, "min_dist": UMAP_MIN_DIST, "epochs": EPOCHS}


def _tsne(codes: Tensor, rows: Tensor, dimensions: int, seed: int) -> tuple[Tensor, dict[str, float]]:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(rows) - 1) / 3)
    start = "pca" if min(codes.shape[1], len(rows)) >= dimensions else "random"
    with _quiet():
        model = TSNE(n_components=dimensions, perplexity=perplexity, init=start, random_state=seed, n_jobs=1)
        fitted = torch.from_numpy(np.asarray(model.fit_transform(codes[rows].double().numpy()), dtype=np.float32))
    return _with_the_others(codes, rows, fitted), {"perplexity": perplexity}


def aligned(
    models: Sequence[Float[Tensor, "N D"]],
    *,
    seed: int = 0,
    most: int = ALIGNED_FITTED,
) -> list[Projection]:
    """One map for each model's codes of the same examples, in one frame: an example keeps its place where it can.

    AlignedUMAP (McInnes et al.) on at most `most` of the examples; the others are placed by their neighbours, and a
    few gentle epochs of each model's own UMAP let all of them settle.

    Raises:
        ValueError: fewer than two models, other numbers of examples, or codes that UMAP cannot work on.
    """
    if len(models) < 2 or len({len(codes) for codes in models}) != 1:
        counts = ", ".join(str(len(codes)) for codes in models)
        raise ValueError(f"models have {counts or 'no'} examples: give two or more with the same examples.")
    finite = torch.stack([torch.isfinite(codes).all(1) for codes in models]).all(0)
    chosen = [codes[finite] for codes in models]
    for codes in chosen:
        check_codes(codes)
    rows = _sample(len(chosen[0]), max(FEWEST, min(most, ALIGNED_IN_ALL // len(models))), seed)
    neighbours = min(NEIGHBOURS, len(rows) - 1)
    fitted = _aligned_umap([codes[rows] for codes in chosen], neighbours, seed)
    parameters: dict[str, float] = {"neighbours": neighbours, "min_dist": UMAP_MIN_DIST, "epochs": ALIGNED_EPOCHS}
    parameters |= {"seed": seed}
    parameters |= {"settling_epochs": SETTLING_EPOCHS} if len(rows) < len(chosen[0]) else {}
    maps = []
    for codes, original, points in zip(chosen, models, fitted, strict=True):
        everywhere = torch.full((len(original), 2), math.nan)
        at = _with_the_others(codes, rows, points)
        if len(rows) < len(codes):
            count = min(NEIGHBOURS, len(codes) - 1)
            at = settled(codes, at, count=count, epochs=SETTLING_EPOCHS, rate=SETTLING_RATE, seed=seed)
        everywhere[finite] = at
        maps.append(_measured("umap", original, everywhere, len(rows), parameters))
    return maps


def _aligned_umap(models: list[Tensor], neighbours: int, seed: int) -> list[Tensor]:
    same = {row: row for row in range(len(models[0]))}
    with _quiet():
        from umap import AlignedUMAP

        model = AlignedUMAP(n_neighbors=neighbours, min_dist=UMAP_MIN_DIST, n_epochs=ALIGNED_EPOCHS, random_state=seed)
        model.fit([codes.numpy() for codes in models], relations=[same] * (len(models) - 1))
    return [torch.from_numpy(np.asarray(points, dtype=np.float32)) for points in model.embeddings_]


def turned_onto(points: Float[Tensor, "N d"], frame: Float[Tensor, "N d"]) -> Float[Tensor, "N d"]:
    """Points turned and mirrored as a whole to lie as near as they can to the same examples in `frame`, as wide as it.

    Orthogonal Procrustes; Schoenemann 1966. Distances keep their proportions, so nothing about the map is changed. Its
    own best scale would shrink a map that has nothing in common with the frame to a dot.
    """
    both = torch.isfinite(points).all(1) & torch.isfinite(frame).all(1)
    if not both.any():
        return points
    here, there = points[both].double(), frame[both].double()
    centre, aim = here.mean(0), there.mean(0)
    left, _, right = torch.linalg.svd((here - centre).T @ (there - aim))
    spread, wanted = (here - centre).square().sum(), (there - aim).square().sum()
    scale = (wanted / spread).sqrt() if spread > 0 and wanted > 0 else torch.ones((), dtype=torch.float64)
    turned: Tensor = (points.double() - centre) @ (left @ right) * scale + aim
    return turned.float()


def _with_the_others(codes: Tensor, rows: Tensor, fitted: Tensor) -> Float[Tensor, "N d"]:
    points = torch.empty(len(codes), fitted.shape[1])
    points[rows] = fitted
    others = _others(len(codes), rows)
    if len(others):
        points[others] = place(codes[others], codes[rows], fitted)
    return points


def _sample(count: int, most: int, seed: int) -> Int[Tensor, "n"]:
    if count <= most:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:most].sort().values


def _others(count: int, rows: Tensor) -> Int[Tensor, "n"]:
    left_out = torch.ones(count, dtype=torch.bool)
    left_out[rows] = False
    return left_out.nonzero()[:, 0]


@contextmanager
def _quiet() -> Iterator[None]:
    """What umap and scikit-learn warn of (one thread for a fixed seed, small graphs, no tensorflow) is meant so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
