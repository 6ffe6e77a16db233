"""Where on the slider over tau the floor binds, in words."""

import numpy as np
from jaxtyping import Float

from bnvae.metrics.scaler_curves import rate_curve, unbound
from pages.components.tau_explorer import TauRun

ROWS_SKIPPED = 10
"""a curve in words needs no finer tau"""
FLAT = 0.1
"""of a rate: a change that is smaller is hardly one"""


def floor_words(run: TauRun) -> str:
    """From which tau on the floor binds, and what the data take below it, of a model or models trained for each tau.

    Computed on the encoded test examples; "" where the rate is not a number.
    """
    rows = slice(None, None, 1 if run.snaps else ROWS_SKIPPED)
    taus, thetas = np.asarray(run.taus)[rows], run.thetas[rows]
    moments = run.moments if run.snaps else [run.moments[0]] * len(taus)
    each = zip(moments, thetas, taus, strict=True)
    rates = np.array([rate_curve(one, theta[None], tau[None])[0] for one, theta, tau in each])
    if not np.isfinite(rates).all():
        return ""
    free = unbound(rates, taus, thetas.shape[1], fewest=1 if run.snaps else 2)
    if free is None:
        return "The floor binds from the smallest τ on: the slider sets the rate."
    end = int(np.searchsorted(taus, free.until)) if free.bound else len(taus)
    words = (
        f"The floor binds from τ = {free.until:.2f} on, where the slider sets the rate; below it the data take "
        if free.bound
        else "The floor binds at no τ here: the data take "
    )
    words += f"{_span(rates[:end])}, more than the floor asks for."
    first, last = _still(rates[:end])
    if first == last or taus[last] - taus[first] < (taus[end - 1] - taus[0]) / 2:
        return words
    if (first, last) == (0, end - 1):
        return f"{words} Moving the slider {'there' if free.bound else 'here'} hardly changes the rate."
    return (
        f"{words} Between τ = {taus[first]:.2f} and {taus[last]:.2f} moving the slider hardly changes the rate: "
        f"{_span(rates[first : last + 1])}."
    )


def _still(rates: Float[np.ndarray, " T"]) -> tuple[int, int]:
    """The first and last of the longest run of rates that differ by less than a share of `FLAT`."""
    longest = (0, 0)
    for first in range(len(rates)):
        highest, lowest = np.maximum.accumulate(rates[first:]), np.minimum.accumulate(rates[first:])
        moves = np.flatnonzero(highest - lowest >= FLAT * highest)
        last = first + (int(moves[0]) if len(moves) else len(rates) - first) - 1
        longest = max(longest, (first, last), key=lambda ends: ends[1] - ends[0])
    return longest


def _span(rates: Float[np.ndarray, " T"]) -> str:
    low, high = f"{rates.min():.1f}", f"{rates.max():.1f}"
    return f"{low} nats" if low == high else f"{low} to {high} nats"
