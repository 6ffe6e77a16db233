"""From a run's folder to what the tau page draws of it."""

import numpy as np
import streamlit as st

from bnvae.analysis import tau as closed_form
from bnvae.analysis.tau import LARGEST_TAU, Shares, Unscaled, UnscaledMoments
from bnvae.config import RunConfig
from bnvae.palette import HEAD_COLOURS
from bnvae.posterior import ScalerHead
from bnvae.runs import BrokenRunError, Run
from pages.components.tau_explorer import TauRun
from pages.shared import cache
from pages.shared.words import head_words


def tau_in_url() -> float | None:
    """The tau in the URL, or None where there is none that a slider can stand at."""
    try:
        written = float(st.query_params.get("tau", ""))
    except ValueError:
        return None
    return written if 0 <= written <= LARGEST_TAU else None


def rescaled(run: Run, config: RunConfig) -> TauRun:
    """The posteriors of a run with a Scaler, trained at one tau, for every other.

    Raises:
        BrokenRunError: weights or encodings are missing, damaged, or hold no numbers.
    """
    head = cache.model(run).head
    assert isinstance(head, ScalerHead)
    theta, trained = head.scaler.theta.numpy(), head.scaler.tau
    shares = closed_form.shares(theta, trained)
    unscaled, labels = _unscaled(run, shares)
    moments = UnscaledMoments.of(unscaled)
    return TauRun(
        title=run.id,
        caption=head_words(config),
        colour=HEAD_COLOURS[config.model.head],
        taus=[trained],
        thetas=theta[None],
        unscaled=[unscaled],
        moments=[moments],
        labels=labels.tolist(),
        label_names=run.card.label_names,
        largest_tau=LARGEST_TAU,
        axes=_widest(shares),
        marks=[(trained, f"trained at {trained:g}")],
    )


def _unscaled(run: Run, shares: Shares) -> tuple[Unscaled, np.ndarray]:
    posterior, labels = run.encodings()
    unscaled = Unscaled.of(posterior.mean.numpy(), posterior.std.numpy(), shares)
    kept = closed_form.finite_rows(unscaled.mean, unscaled.std)
    if not kept.any():
        raise BrokenRunError(f"{run.id}/encodings.npz holds no example whose posterior is made of numbers.")
    return Unscaled(mean=unscaled.mean[kept], std=unscaled.std[kept]), labels.numpy()[kept]


def _widest(shares: Shares) -> tuple[int, int]:
    """The two dimensions whose means are given most; the only one twice."""
    order = np.argsort(-shares.mean, kind="stable")
    return int(order[0]), int(order[min(1, len(order) - 1)])
