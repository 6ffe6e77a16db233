"""The figures of one tau as plain plotly, to take away: each has its tau in the title."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from bnvae.metrics import scaler_curves as closed_form
from bnvae.metrics.scaler_curves import Budget, Shares
from pages.components.tau_explorer import Beside, TauRun

PICTURES = {"SVG": "svg", "PNG": "png"}


def offer_figures(run: TauRun, beside: Beside, tau: float) -> None:
    """What follows the release of the slider; only when asked for, since importing plotly takes a second."""
    if not st.toggle("Plain figures of this τ, to take away", key="figures", bind="query-params"):
        return
    figures = figures_at(run, beside, tau)
    st.download_button("Download as one HTML file", as_html(figures), f"tau-{tau:.3f}.html", "text/html")
    kind = st.radio("The camera above each figure saves it as", list(PICTURES), horizontal=True, key="figure-kind")
    options = {"displaylogo": False, "toImageButtonOptions": {"format": PICTURES[kind], "scale": 2}}
    for name, figure in figures.items():
        st.plotly_chart(figure, key=f"figure-{name}-{kind}", config=options)


def figures_at(run: TauRun, beside: Beside, tau: float) -> dict[str, Any]:
    """KL, budget and price at tau."""
    from bnvae.plotting.plotly_figures import RatePoint, kl_bars_figure, rate_distortion_figure, second_moments_figure

    row, at, kl, spent = numbers_at(run, tau)
    own = run.titles[min(row, len(run.titles) - 1)]
    where = f"{own}, τ = {tau:.3f}"
    fixed = -0.5 * np.log1p(-tau)
    floors = {
        f"floor −½ ln(1−τ) = {fixed:.3f}": np.full(len(kl), fixed),
        "floor −½ ln γ_σ² at the present θ": closed_form.current_floor(at),
    }
    figures = {
        "kl": kl_bars_figure(kl, floors, f"KL per dimension, {where}", colour=run.colour),
        "budget": second_moments_figure(spent.mean, spent.std, f"Second moments, {where}"),
    }
    if len(beside.distortion):
        distortion = float(np.interp(tau, beside.priced_taus, beside.distortion))
        points = [RatePoint(name=where, rate=float(kl.sum()), distortion=distortion, colour=run.colour)]
        points += [
            RatePoint(name=rival.title, rate=rival.rate, distortion=rival.distortion, colour=rival.colour)
            for rival in beside.rivals
            if np.isfinite([rival.rate, rival.distortion]).all()
        ]
        figures["rate"] = rate_distortion_figure(points, f"Rate and distortion, {where}")
    return figures


def numbers_at(run: TauRun, tau: float) -> tuple[int, Shares, Any, Budget]:
    """The row of the run's table that belongs to tau, and what follows from it: shares, KL (nats) and budget."""
    row = int(np.abs(np.asarray(run.taus) - tau).argmin())
    moments = run.moments[row if run.snaps else 0]
    at = closed_form.shares(run.thetas[row], tau)
    return row, at, closed_form.kl_per_dimension(moments, at), closed_form.budget(moments, at)


def as_html(figures: dict[str, Any]) -> bytes:
    """One page that needs no network."""
    parts: Sequence[str] = [
        figure.to_html(full_html=False, include_plotlyjs=not place) for place, figure in enumerate(figures.values())
    ]
    return f'<!doctype html><meta charset="utf-8"><title>tau</title>{"".join(parts)}'.encode()
