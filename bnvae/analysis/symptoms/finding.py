"""What a doctor goes by and says: a patient's figures, findings, and the numbers behind each."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from bnvae.analysis.figure_values import number

Severity = Literal["bad", "note", "good"]


@final
@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One number behind a claim."""

    figure: str
    """its name in the figures, or the path there"""
    label: str
    value: float
    unit: str = ""
    error: float | None = None
    """standard error, same unit"""


@final
@dataclass(frozen=True, kw_only=True)
class Finding:
    severity: Severity
    name: str
    """in one or two words"""
    claim: str
    evidence: tuple[Evidence, ...]
    advice: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Patient:
    """All that a verdict is made of."""

    evaluation: Mapping[str, Any]
    """figures of each split, as an evaluation keeps them"""
    thorough: Mapping[str, Any] | None
    """thorough figures of the same weights"""
    modality: Literal["text", "image"]
    fixed_floor: Sequence[float]
    """guaranteed KL of each dimension (nats); zeros for a head without a floor"""
    unit_moments: bool
    """whether the head fixes E[mean^2 + std^2] = 1 on the training set, as a Scaler does"""
    has_model: bool = True
    """whether there is a model to evaluate; False for arrays of posteriors alone"""


Rule = Callable[[Patient], Finding | None]


def of_test(patient: Patient, name: str) -> float:
    found = number(patient.evaluation, "test", name)
    return math.nan if found is None else found


def rate_of(patient: Patient) -> Evidence:
    return Evidence(figure="rate", label="rate", value=of_test(patient, "rate"), unit="nats")


def information_of(patient: Patient) -> Evidence:
    found = of_test(patient, "mutual_information")
    return Evidence(figure="mutual_information", label="mutual information", value=found, unit="nats")


def rise_of(patient: Patient) -> Evidence | None:
    rise = number(patient.thorough, "permuted_rise")
    if rise is None:
        return None
    error = number(patient.thorough, "permuted_rise_standard_error")
    label = "rise of the distortion when z is permuted"
    return Evidence(figure="permuted_rise", label=label, value=rise, unit="nats", error=error)


def known(*evidence: Evidence | None) -> tuple[Evidence, ...]:
    return tuple(each for each in evidence if each is not None and math.isfinite(each.value))
