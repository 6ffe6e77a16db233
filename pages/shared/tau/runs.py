"""From a run's folder to what the slider over tau moves of it."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch
from jaxtyping import Int
from torch import Tensor

from bnvae.config.schema import RunConfig
from bnvae.metrics import scaler_curves as closed_form
from bnvae.metrics.scaler_curves import LARGEST_TAU, Budget, Shares, Unscaled, UnscaledMoments
from bnvae.nn.posterior import Posterior, ScalerHead
from bnvae.nn.vae import VAE
from bnvae.runs import BrokenRunError, Run
from pages.components.tau_explorer import TauRun
from pages.shared import cache
from pages.shared.colours import colour_of
from pages.shared.state import store
from pages.shared.words import caption_words

FINE_STEP, COARSE_STEP = 0.001, 0.005
"""tau from one row of thetas to the next; the fine one is the slider's own, so that every place of it is exact"""
FINE_DIMENSIONS = 64


def slid(run: Run, config: RunConfig) -> TauRun:
    """A run whose model is one for all tau: trained so, or trained at one tau and rescaled.

    Raises:
        BrokenRunError: weights or encodings are missing, damaged, or hold no numbers.
    """
    model = cache.model(run)
    unscaled, labels = _unscaled(run, model)
    taus = _rows(model)
    thetas = _thetas(model, taus)
    own = _own_tau(model)
    return TauRun(
        titles=[run.id],
        caption=caption_words(config),
        colour=colour_of(run),
        taus=taus,
        thetas=thetas,
        unscaled=[unscaled],
        moments=[UnscaledMoments.of(unscaled)],
        labels=labels.tolist(),
        label_names=run.card.label_names,
        largest_tau=LARGEST_TAU if model.amortised is None else model.amortised.tau_max,
        axes=_widest(closed_form.shares(_thetas(model, [own])[0], own)),
        marks=[(own, f"trained at {own:g}")] if model.amortised is None else [],
    )


def snapped(members: Sequence[tuple[Run, RunConfig]]) -> TauRun:
    """Runs that differ in tau alone, each shown at its own.

    Raises:
        BrokenRunError: as `slid`.
    """
    each = sorted((slid(run, config) for run, config in members), key=lambda one: one.taus[0])
    first = each[0]
    return TauRun(
        titles=[one.titles[0] for one in each],
        caption=first.caption.rpartition(", τ")[0] + f", a sweep of {len(each)} runs",
        colour=first.colour,
        taus=[one.taus[0] for one in each],
        thetas=np.concatenate([one.thetas for one in each]),
        unscaled=[one.unscaled[0] for one in each],
        moments=[one.moments[0] for one in each],
        labels=first.labels,
        label_names=first.label_names,
        largest_tau=max(one.taus[0] for one in each),
        axes=first.axes,
    )


@st.cache_data(max_entries=16, show_spinner=False)
def _encodings(run_id: str, encodings: tuple[int, int]) -> tuple[Posterior, Tensor]:
    return store().get(run_id).encodings()


def encodings(run: Run) -> tuple[Posterior, Tensor]:
    """Posteriors and labels of the encoded test examples.

    Raises:
        BrokenRunError: they are missing or damaged.
    """
    return _encodings(run.id, cache.version(run, "encodings.npz"))


def plain_budget(run: Run) -> Budget:
    """E[mean_d^2] and E[std_d^2] of any run over its encoded test examples that are numbers."""
    posterior, _ = encodings(run)
    mean, std = posterior.mean.double().numpy(), posterior.std.double().numpy()
    kept = closed_form.finite_rows(mean, std)
    return Budget(mean=np.square(mean[kept]).mean(0), std=np.square(std[kept]).mean(0))


def left_out(run: Run) -> tuple[int, int]:
    """How many encoded test examples hold something that is not a number, and how many there are."""
    posterior, _ = encodings(run)
    kept = closed_form.finite_rows(posterior.mean.numpy(), posterior.std.numpy())
    return int((~kept).sum()), len(kept)


def _own_tau(model: VAE) -> float:
    assert model.tau is not None, "a run without a Scaler has no tau"
    return model.tau


def _rows(model: VAE) -> list[float]:
    if model.amortised is None:
        return [_own_tau(model)]
    step = FINE_STEP if model.latent_dimensions <= FINE_DIMENSIONS else COARSE_STEP
    count = round(model.amortised.tau_max / step)
    return [round(min(row * step, model.amortised.tau_max), 6) for row in range(count + 1)]


def _thetas(model: VAE, taus: Sequence[float]) -> np.ndarray:
    assert isinstance(model.head, ScalerHead)
    with torch.no_grad():
        return model.head.theta(torch.tensor(taus, dtype=torch.float32)).numpy()


def _unscaled(run: Run, model: VAE) -> tuple[Unscaled, Int[np.ndarray, " N"]]:
    posterior, labels = encodings(run)
    own = _own_tau(model)
    shares = closed_form.shares(_thetas(model, [own])[0], own)
    unscaled = Unscaled.of(posterior.mean.numpy(), posterior.std.numpy(), shares)
    kept = closed_form.finite_rows(unscaled.mean, unscaled.std)
    if not kept.any():
        raise BrokenRunError(f"{run.id}/encodings.npz holds no example whose posterior is made of numbers.")
    return Unscaled(mean=unscaled.mean[kept], std=unscaled.std[kept]), labels.numpy()[kept]


def _widest(shares: Shares) -> tuple[int, int]:
    """The two dimensions whose means are given most; the only one twice."""
    order = np.argsort(-shares.mean, kind="stable")
    return int(order[0]), int(order[min(1, len(order) - 1)])
