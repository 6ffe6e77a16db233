"""What training reports: one record every few steps, one at each evaluation; numbers and lists of numbers."""

import json
import math
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, ClassVar, final, get_type_hints

from torch import Tensor

SIGNIFICANT_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class _Record:
    kind: ClassVar[str]

    step: int
    """optimiser steps taken"""
    epoch: float
    """passes over the training examples"""
    distortion: float
    """-E ln p(x|z), summed over pixels or tokens (nats per example)"""
    rate: float
    """KL(q(z|x) || p(z)), summed over dimensions (nats per example)"""
    kl_per_dimension: list[float]
    """D values (nats per example)"""
    active_units: int
    """dimensions whose posterior mean has a variance of at least 0.01 over the examples"""
    mean_second_moment: list[float]
    """E[mean_d^2], D values (1 is the prior's whole second moment)"""
    std_second_moment: list[float]
    """E[std_d^2], D values"""

    @property
    def elbo(self) -> float:
        """-(distortion + rate), nats per example, higher is better."""
        return -(self.distortion + self.rate)

    def to_json(self) -> str:
        # Not `asdict`, which copies every number first: two thirds of the time (measured).
        return json.dumps({"kind": self.kind, **vars(self)}, separators=(",", ":"))


@final
@dataclass(frozen=True, kw_only=True)
class StepRecord(_Record):
    """Means over the training batches since the record before, in training mode."""

    kind: ClassVar[str] = "step"

    loss: float
    """the minimised scalar: distortion + kl_weight * rate, free bits considered (nats per example)"""
    kl_weight: float
    """weight of the rate at this step"""
    gamma_mean: list[float] | None = None
    """the scaler's factor on the mean, D values; None without a scaler"""
    gamma_std: list[float] | None = None
    """the scaler's factor on the std, D values; None without a scaler"""
    current_floor: list[float]
    """floor under each E[KL_d] at the present parameters (nats)"""


@final
@dataclass(frozen=True, kw_only=True)
class EvaluationRecord(_Record):
    """Means over validation examples, in eval mode, with the moments of the training set."""

    kind: ClassVar[str] = "evaluation"

    examples: int
    """validation examples averaged over; test examples in a run whose data has no validation split"""
    mutual_information: float | None = None
    """between x and z under q, against the mixture of the posteriors of these examples (nats); None in histories that
    were written before it was taken, as the figures below"""
    mutual_information_examples: int | None = None
    """N of that mixture: the estimate cannot exceed ln N"""
    mutual_information_bound: float | None = None
    """what the mutual information is at most (nats), also where the estimate is at its cap"""
    permuted_rise: float | None = None
    """rise of the distortion when z is permuted among examples (nats per example); about 0 where z is ignored"""
    permuted_rise_standard_error: float | None = None
    """of that mean over the examples (nats per example)"""

    @property
    def most_information(self) -> float | None:
        """ln N (nats): the estimate of the mutual information cannot be larger."""
        return math.log(self.mutual_information_examples) if self.mutual_information_examples else None


Record = StepRecord | EvaluationRecord
_KINDS: dict[str, type[Record]] = {record.kind: record for record in (StepRecord, EvaluationRecord)}
_TYPES: dict[type[Record], dict[str, Any]] = {record: get_type_hints(record) for record in _KINDS.values()}


def record_from_json(line: str) -> Record:
    """A record from one line of a history.

    Raises:
        ValueError: the line is not a record.
    """
    try:
        stored: dict[str, Any] = json.loads(line)
        kind = _KINDS[stored.pop("kind")]
        for name, value in stored.items():
            if not _fits(value, _TYPES[kind][name]):
                raise ValueError(f"{name} is {value!r:.40}")
        return kind(**stored)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a training record: {line[:80]!r} ({error})") from None


def _fits(value: object, wanted: object) -> bool:
    """Whether a stored value is of a field's type; a history may come from a stranger, and figures trust it."""
    if wanted is int:
        return type(value) is int and 0 <= value < 2**63
    if wanted is float:
        return is_number(value)
    if isinstance(wanted, UnionType):
        return value is None or _fits(value, next(kind for kind in wanted.__args__ if kind is not NoneType))
    return isinstance(value, list) and all(map(is_number, value))


def is_number(value: object) -> bool:
    """Whether a value read from JSON can be reckoned with: a whole number there may be too large for a float."""
    return type(value) is float or (type(value) is int and -(2**63) <= value < 2**63)


def rounded(value: float) -> float:
    """`value` to six significant digits: all that a figure shows, at a third of the bytes."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else value


def numbers(values: Tensor) -> list[float]:
    return [rounded(value) for value in values.detach().tolist()]
