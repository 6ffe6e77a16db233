"""What a doctor goes by and says: a patient's figures, findings, and the numbers behind each."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from bnvae.metrics.diagnostics.code_use import CodeUse
from bnvae.metrics.figures.figure_values import number
from bnvae.training.records import EvaluationRecord

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
    recorded: EvaluationRecord | None = None
    """the last evaluation of its training, for what the figures lack; None of a run that was brought in"""
    forces_active: bool = False
    """whether the head makes units active whatever was learned, so that their number is no evidence"""
    has_model: bool = True
    """whether there is a model to evaluate; False for arrays of posteriors alone"""


def use_of(patient: Patient) -> CodeUse:
    return CodeUse.evaluated(patient.evaluation, patient.thorough, patient.recorded)


Rule = Callable[[Patient], Finding | None]


def of_test(patient: Patient, name: str) -> float:
    found = number(patient.evaluation, "test", name)
    return math.nan if found is None else found


def rate_of(patient: Patient) -> Evidence:
    return Evidence(figure="rate", label="rate", value=of_test(patient, "rate"), unit="nats")


def information_of(patient: Patient) -> Evidence:
    found, error = of_test(patient, "mutual_information"), use_of(patient).information_error
    return Evidence(figure="mutual_information", label="mutual information", value=found, unit="nats", error=error)


def rise_of(patient: Patient) -> Evidence | None:
    use = use_of(patient)
    if use.rise is None:
        return None
    label = "rise of the distortion when z is permuted"
    return Evidence(figure="permuted_rise", label=label, value=use.rise, unit="nats", error=use.rise_error)


def floor_of(patient: Patient) -> Evidence | None:
    """What the floor alone costs; None for a head without one."""
    floor, rate = sum(patient.fixed_floor), of_test(patient, "rate")
    if not floor > 0:
        return None
    label = f"of it the floor alone, {floor / rate:.0%}".replace("%", " %") if rate > 0 else "the floor alone"
    return Evidence(figure="fixed_floor", label=label, value=floor, unit="nats")


def known(*evidence: Evidence | None) -> tuple[Evidence, ...]:
    return tuple(each for each in evidence if each is not None and math.isfinite(each.value))
