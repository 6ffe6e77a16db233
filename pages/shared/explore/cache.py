"""Cached wrappers for the Explore page. What a visitor draws or types never comes here: caches are shared by all."""

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from bnvae.data.datasets.known_factors import known_factors
from bnvae.metrics.factors import factor_information as analysis
from bnvae.metrics.factors.factor_information import FactorInformation
from bnvae.metrics.generation import decode_codes
from bnvae.nn.posterior import Posterior
from bnvae.runs import BrokenRunError, Run
from pages.shared import cache
from pages.shared.map import cache as map_cache
from pages.shared.state import store


def encodings(run: Run) -> tuple[Posterior, Tensor]:
    """Posteriors and labels of the test examples kept with the run: never to be changed.

    Raises:
        BrokenRunError: they are missing or damaged.
    """
    kept = map_cache.encoded(run)
    return Posterior(kept.mean, kept.std), kept.labels


def kl_per_dimension(run: Run) -> list[float]:
    """Mean KL of each dimension over the test examples (nats)."""
    kl: list[float] = map_cache.encoded(run).kl.double().mean(0).tolist()
    return kl


def typical_distance(run: Run) -> float:
    """Median distance between neighbouring posterior means (prior standard deviations)."""
    return map_cache.encoded(run).usual_distance


@st.cache_data(max_entries=256, show_spinner=False)
def _decoded(run_id: str, weights: tuple[int, int], codes: np.ndarray) -> Tensor:
    run = store().get(run_id)
    return decode_codes(cache.model(run), run.card.shape, torch.from_numpy(codes))


def decoded(run: Run, codes: Tensor, *, private: bool = False) -> Tensor:
    """Pixels or tokens of each code; `private` codes, of a visitor's own input, are decoded anew each time."""
    if private:
        return decode_codes(cache.model(run), run.card.shape, codes)
    return _decoded(run.id, cache.version(run, "weights.safetensors"), codes.numpy())


@st.cache_data(max_entries=16, show_spinner="Measuring what each dimension tells")
def _factor_information(run_id: str, files: tuple[tuple[int, int], ...]) -> FactorInformation | None:
    run = store().get(run_id)
    posterior, labels = encodings(run)
    rows = run.encoded_rows()
    known = known_factors(run.config.data, int(rows.max()) + 1 if len(rows) else 0)
    factors = {name: values[rows] for name, (values, _) in known.items()}
    if factors and not torch.equal(factors[next(iter(factors))].long(), labels.long()):
        raise BrokenRunError(
            f"{run_id}/encodings.npz: its labels are not those of the data that config.json describes."
        )
    if not factors and run.card.label_names and bool((labels >= 0).all()) and len(labels):
        factors = {"label": labels}
    return analysis.factor_information(posterior, factors) if factors else None


def factor_information(run: Run) -> FactorInformation | None:
    """What each dimension tells of each known factor, or else of the label; None where neither is known.

    Raises:
        BrokenRunError: the encodings are damaged, or of other data than the configuration describes.
    """
    return _factor_information(run.id, tuple(cache.version(run, name) for name in ("encodings.npz", "config.json")))
