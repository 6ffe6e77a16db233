"""What the map is drawn from, read once for all visitors; keys change when a file does."""

import hashlib
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import final

import streamlit as st
import torch
from jaxtyping import Float, Int
from torch import Tensor

from bnvae.data.random_subset import random_subset
from bnvae.latent.interpolation import typical_distance
from bnvae.latent.neighbours import nearest
from bnvae.latent.projection.fit_projection import Projection, project
from bnvae.metrics.diagnostics.code_use import NOTHING_NATS, why_unused
from bnvae.metrics.factors.factor_information import factor_information
from bnvae.metrics.figures.figure_values import number
from bnvae.metrics.generation import decode_codes
from bnvae.nn.posterior import Posterior
from bnvae.runs import Run
from bnvae.runs.derived.projected_rows import MAPPED, Mapped, read_mapped
from bnvae.runs.derived.stored_projection import (
    ENCODINGS,
    PROJECTION,
    aligned_name,
    encodings_digest,
    in_order,
    read_aligned,
    read_maps,
)
from bnvae.runs.evaluation_state import kept_thorough
from pages.components.image_grid import sprite
from pages.components.latent_scatter import Thumbnails
from pages.shared import cache
from pages.shared.state import store

AGREEMENT_EXAMPLES = 500
NEIGHBOURS = 15
MOST_THUMBNAILS = 1_500


@final
@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Posteriors of a run's test examples and what follows from them."""

    mean: Float[Tensor, "N D"]
    std: Float[Tensor, "N D"]
    labels: Int[Tensor, "N"]
    label_names: tuple[str, ...]
    kl: Float[Tensor, "N D"]
    """of each example and dimension (nats)"""
    data: str
    """digest of the data set and of the encoded rows: two runs with one digest encoded the same examples"""
    usual_distance: float
    """median distance between a posterior mean and its nearest neighbour; infinite where there is none"""
    agreement: float | None
    """share of the 15 nearest codes that have an example's own label; None without labels"""
    chance: float
    """that share if the neighbours were drawn blindly"""

    @property
    def rate(self) -> float:
        """Mean KL of the finite posteriors, summed over dimensions (nats)."""
        rates = self.kl.sum(1)
        return float(rates[torch.isfinite(rates)].mean()) if bool(torch.isfinite(rates).any()) else float("nan")

    def __len__(self) -> int:
        return len(self.mean)


@st.cache_resource(max_entries=8, show_spinner="Reading the codes")
def _encoded(run_id: str, encodings: tuple[int, int], card: tuple[int, int]) -> Encoded:
    run = store().get(run_id)
    posterior, labels = run.encodings()
    described = run.card
    finite = torch.isfinite(posterior.mean).all(1)
    there = finite.nonzero()[:, 0]
    rows = there[random_subset(len(there), AGREEMENT_EXAMPLES)]
    agreement = None
    if len(rows) > 1 and described.label_names:
        indices, _ = nearest(posterior.mean[rows], posterior.mean, NEIGHBOURS + 1)
        agreement = float((labels[indices[:, 1:]] == labels[rows, None]).float().mean())
    counts = torch.bincount(labels[labels >= 0]).double()
    return Encoded(
        mean=posterior.mean,
        std=posterior.std,
        labels=labels,
        label_names=described.label_names,
        kl=posterior.kl_per_dimension(),
        data=f"{described.digest} {hashlib.sha256(run.encoded_rows().numpy().tobytes()).hexdigest()[:16]}",
        usual_distance=typical_distance(posterior.mean),
        agreement=agreement,
        chance=float((counts / counts.sum()).square().sum()) if len(counts) else 0.0,
    )


def encoded(run: Run) -> Encoded:
    """The run's posteriors.

    Raises:
        BrokenRunError: they are missing or damaged.
    """
    return _encoded(run.id, cache.version(run, ENCODINGS), cache.version(run, "data.json"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _pca(run_id: str, encodings: tuple[int, int], dimensions: int) -> Projection:
    return project(encoded(store().get(run_id)).mean, "pca", dimensions=dimensions)


def pca(run: Run, dimensions: int) -> Projection:
    """The map that is there at once."""
    return _pca(run.id, cache.version(run, ENCODINGS), dimensions)


@st.cache_resource(max_entries=8, show_spinner=False)
def _maps(run_id: str, projection: tuple[int, int], encodings: tuple[int, int]) -> dict[str, Projection]:
    run = store().get(run_id)
    return read_maps(run, count=len(encoded(run)))


def maps(run: Run) -> dict[str, Projection]:
    """Maps kept with the run.

    Raises:
        BrokenRunError: their file is damaged.
    """
    return _maps(run.id, cache.version(run, PROJECTION), cache.version(run, ENCODINGS))


@st.cache_data(max_entries=32, show_spinner=False)
def _unused(run_id: str, evaluation: tuple[int, int], weights: tuple[int, int], encodings: tuple[int, int]) -> str:
    run = store().get(run_id)
    with suppress(ValueError):
        kept = run.evaluation() or {}
        thorough = kept_thorough(run) if run.has_weights else None
        if number(kept, "test", "mutual_information") is not None:
            return why_unused(kept, thorough)
    rate = encoded(run).rate
    return f"a rate of {rate:.3f} nats is less than {NOTHING_NATS:g}" if rate < NOTHING_NATS else ""


def unused(run: Run) -> str:
    """Why the run's code does not count as used, in words; empty if it does.

    By the run's own figures, or, before any, by the rate of its encodings, which bounds what they carry.
    """
    files = ("evaluation.json", "weights.safetensors", ENCODINGS)
    return _unused(run.id, *(cache.version(run, name) for name in files))


@st.cache_data(max_entries=32, show_spinner=False)
def _digest(run_id: str, encodings: tuple[int, int]) -> str:
    return encodings_digest(store().get(run_id))


def digest(run: Run) -> str:
    """sha256 of the run's encodings."""
    return _digest(run.id, cache.version(run, ENCODINGS))


@st.cache_resource(max_entries=8, show_spinner=False)
def _aligned(run_ids: tuple[str, ...], digests: tuple[str, ...], file: tuple[int, int]) -> dict[str, Projection] | None:
    runs = [store().get(run_id) for run_id in run_ids]
    return read_aligned(runs, count=len(encoded(runs[0])))


def aligned(runs: Sequence[Run]) -> dict[str, Projection] | None:
    """The common map of these runs by their ids; None while there is none.

    Raises:
        BrokenRunError: its file is damaged.
    """
    ordered = in_order(runs)
    digests = tuple(digest(run) for run in ordered)
    return _aligned(tuple(run.id for run in ordered), digests, cache.version(ordered[0], aligned_name(digests)))


@st.cache_resource(max_entries=8, show_spinner=False)
def _mapped(run_id: str, file: tuple[int, int], encodings: tuple[int, int]) -> Mapped | None:
    run = store().get(run_id)
    return read_mapped(run, count=len(encoded(run)))


def mapped(run: Run) -> Mapped | None:
    """Distortions, known causes and more examples of the run; None where they were not computed.

    Raises:
        BrokenRunError: their file is damaged.
    """
    return _mapped(run.id, cache.version(run, MAPPED), cache.version(run, ENCODINGS))


def examples(run: Run) -> Tensor:
    """The first test examples, as many as are kept: those of the map, else the few of the run."""
    kept = mapped(run)
    return cache.examples(run).examples if kept is None else kept.examples


@st.cache_data(max_entries=32, show_spinner=False)
def _told(run_id: str, files: tuple[tuple[int, int], ...]) -> dict[str, float]:
    run = store().get(run_id)
    known, codes = mapped(run), encoded(run)
    if known is None or not known.factors:
        return {}
    factors = {name: factor.values.long() if factor.names else factor.values for name, factor in known.factors.items()}
    found = factor_information(Posterior(codes.mean, codes.std), factors, shuffles=1)
    nats = torch.minimum(found.information.sum(0), found.entropy)
    shares = torch.where(found.entropy > 0, nats / found.entropy, torch.zeros_like(nats))
    return dict(zip(found.names, shares.tolist(), strict=True))


def told(run: Run) -> dict[str, float]:
    """Of each known cause, the share of its entropy that the code tells; empty where no causes are known.

    Mutual information of the dimensions one by one, summed, at most all there is to know.
    """
    return _told(run.id, tuple(cache.version(run, name) for name in (MAPPED, ENCODINGS)))


@st.cache_data(max_entries=16, show_spinner=False)
def _thumbnails(run_id: str, files: tuple[tuple[int, int], ...]) -> Thumbnails:
    pictures = examples(store().get(run_id))[:MOST_THUMBNAILS].numpy()
    count, _, height, width = pictures.shape
    columns = max(1, math.isqrt(count))
    return Thumbnails(png=sprite(pictures, columns), count=count, columns=columns, width=width, height=height)


def thumbnails(run: Run) -> Thumbnails | None:
    """Kept examples of a picture run; None for sentences, which are shown as such."""
    if run.config.data.modality != "image":
        return None
    return _thumbnails(run.id, tuple(cache.version(run, name) for name in (MAPPED, "examples.npz")))


@st.cache_data(max_entries=64, show_spinner=False)
def _sentences(run_id: str, files: tuple[tuple[int, int], ...]) -> list[str]:
    run = store().get(run_id)
    return cache.sentences(run, examples(run))


def sentences(run: Run) -> list[str] | None:
    """All kept examples of a text run as text; None for pictures."""
    if run.config.data.modality != "text":
        return None
    files = tuple(cache.version(run, name) for name in (MAPPED, "examples.npz", "tokenizer.json"))
    return _sentences(run.id, files)


def decoded(run: Run, codes: Float[Tensor, "B D"]) -> Tensor:
    """Pixels or tokens that the run's model makes of codes."""
    return decode_codes(cache.model(run), run.card.shape, codes)
