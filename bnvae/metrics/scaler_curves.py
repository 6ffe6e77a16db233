"""Everything that tau moves in a Scaler's posteriors, in closed form: shares, KL, budget, floors, rate.

    mean_d(tau) = gamma_mean(tau) mean_hat_d,  std_d(tau) = gamma_std(tau) std_hat_d

where mean_hat and std_hat do not depend on tau. Hence KL_d(tau) needs three averages over examples, and no model.
The browser computes the same from pages/components/tau_closed_form.js; a test holds the two together.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float

from bnvae.nn.posterior import VARIANCE_FLOOR

BINDING_SHARE = 0.9
"""of the rate: where a floor is that much of it, the floor binds"""
LARGEST_TAU = 0.99
"""The end of every axis of tau: at 1 no posterior has a spread left, and the KL is infinite."""


@final
@dataclass(frozen=True, kw_only=True)
class Shares:
    """What the Scaler gives of one unit of second moment; the two sum to 1 in each dimension."""

    mean: Float[np.ndarray, " D"]
    """gamma_mean^2 = tau + (1 - tau) sigmoid(theta)"""
    std: Float[np.ndarray, " D"]
    """gamma_std^2 = (1 - tau) sigmoid(-theta)"""


@final
@dataclass(frozen=True, kw_only=True)
class Unscaled:
    """Posteriors before the Scaler, one row an example: what stays while tau moves."""

    mean: Float[np.ndarray, "N D"]
    """mean_hat: second moment 1 over the training set"""
    std: Float[np.ndarray, "N D"]
    """|std_hat|: second moment 1 over the training set"""

    @classmethod
    def of(cls, mean: Float[np.ndarray, "N D"], std: Float[np.ndarray, "N D"], shares: Shares) -> "Unscaled":
        """From posteriors that a Scaler with these shares has made."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return cls(mean=mean / np.sqrt(shares.mean), std=np.abs(std) / np.sqrt(shares.std))


@final
@dataclass(frozen=True, kw_only=True)
class UnscaledMoments:
    """The three averages over examples from which KL and budget follow at every tau."""

    mean_square: Float[np.ndarray, " D"]
    """E[mean_hat_d^2]"""
    std_square: Float[np.ndarray, " D"]
    """E[std_hat_d^2]"""
    log_std_square: Float[np.ndarray, " D"]
    """E[ln std_hat_d^2]"""

    @classmethod
    def of(cls, unscaled: Unscaled) -> "UnscaledMoments":
        mean, std = unscaled.mean.astype(np.float64), unscaled.std.astype(np.float64)
        # The KL's own floor, so that one posterior of no width does not make the average infinite.
        log_square = np.log(np.maximum(np.square(std), VARIANCE_FLOOR))
        return cls(
            mean_square=np.square(mean).mean(0), std_square=np.square(std).mean(0), log_std_square=log_square.mean(0)
        )


@final
@dataclass(frozen=True, kw_only=True)
class Budget:
    """Where the second moment of q(z) comes from, per dimension; the prior's is 1."""

    mean: Float[np.ndarray, " D"]
    """E[mean_d^2]: what z tells apart"""
    std: Float[np.ndarray, " D"]
    """E[std_d^2]: noise"""


def shares(theta: Float[np.ndarray, " D"], tau: float) -> Shares:
    """The Scaler's two shares at `tau`, each in [0, 1]; Su 2020, kexue.fm/archives/7381.

    Raises:
        ValueError: tau is outside [0, 1).
    """
    check_tau(tau)
    theta = np.asarray(theta, dtype=np.float64)
    return Shares(mean=tau + (1 - tau) * _sigmoid(theta), std=(1 - tau) * _sigmoid(-theta))


def kl_per_dimension(moments: UnscaledMoments, at: Shares) -> Float[np.ndarray, " D"]:
    """E[KL_d] at these shares, in nats, >= 0.

    (g_m^2 E[mean_hat^2] + g_s^2 E[std_hat^2] - ln g_s^2 - E[ln std_hat^2] - 1) / 2. Above the model's own where a
    variance at this tau is below `VARIANCE_FLOOR`, which limits each example's and not their average.
    """
    spent = budget(moments, at)
    with np.errstate(divide="ignore"):
        log_variance = np.log(at.std) + moments.log_std_square
    kl: Float[np.ndarray, " D"] = 0.5 * (spent.mean + spent.std - log_variance - 1)
    return kl


def budget(moments: UnscaledMoments, at: Shares) -> Budget:
    """E[mean_d^2] and E[std_d^2] at these shares; with the training set's own moments they sum to 1."""
    return Budget(mean=at.mean * moments.mean_square, std=at.std * moments.std_square)


def current_floor(at: Shares) -> Float[np.ndarray, " D"]:
    """-ln(gamma_std_d^2) / 2: the least E[KL_d] at these shares (nats); tight where std_d is the same for every x."""
    with np.errstate(divide="ignore"):
        floor: Float[np.ndarray, " D"] = -0.5 * np.log(at.std)
    return floor


def rate_curve(
    moments: UnscaledMoments, thetas: Float[np.ndarray, "T D"], taus: Float[np.ndarray, " T"]
) -> Float[np.ndarray, " T"]:
    """Total rate at each tau, in nats per example, with the theta that belongs to it."""
    return np.array(
        [kl_per_dimension(moments, shares(row, float(tau))).sum() for row, tau in zip(thetas, taus, strict=True)]
    )


@final
@dataclass(frozen=True, kw_only=True)
class Unbound:
    """Values of tau, from the smallest on, at which the rate is what was learned and not what the floor enforces."""

    until: float
    """tau from which on the floor binds; the largest where it never does"""
    bound: bool
    """whether it ever does"""
    lowest: float
    """the least rate below `until` (nats per example)"""
    highest: float


def unbound(
    rates: Float[np.ndarray, " T"], taus: Float[np.ndarray, " T"], dimensions: int, *, fewest: int = 2
) -> Unbound | None:
    """Where the total floor -D ln(1 - tau) / 2 is well below the rate; None where it binds from the first tau on.

    `taus` ascend. The floor binds where it is at least `BINDING_SHARE` of the rate. Fewer than `fewest` values of tau
    are no range.
    """
    floors = -0.5 * dimensions * np.log1p(-np.asarray(taus, dtype=np.float64))
    binding = np.flatnonzero(floors >= BINDING_SHARE * np.asarray(rates))
    end = int(binding[0]) if len(binding) else len(taus)
    if end < fewest:
        return None
    free = rates[:end]
    until = float(taus[min(end, len(taus) - 1)])
    return Unbound(until=until, bound=end < len(taus), lowest=float(free.min()), highest=float(free.max()))


def finite_rows(*tables: Float[np.ndarray, "N D"]) -> Bool[np.ndarray, " N"]:
    """Which examples have a number everywhere in all tables."""
    kept: Bool[np.ndarray, " N"] = np.logical_and.reduce([np.isfinite(t).all(axis=1) for t in tables])
    return kept


def check_tau(tau: float) -> float:
    """Raises ValueError unless 0 <= tau < 1."""
    if not 0 <= tau < 1:
        raise ValueError(f"tau is {tau}: give 0 <= tau < 1; at 1 every posterior would have no spread left.")
    return tau


def _sigmoid(values: Float[np.ndarray, " D"]) -> Float[np.ndarray, " D"]:
    sigmoid: Float[np.ndarray, " D"] = np.exp(-np.logaddexp(0.0, -values))
    return sigmoid
