"""How far the figures can be trusted: capped and loose estimates, and training examples modelled too well."""

import math
from collections.abc import Mapping

from bnvae.metrics.diagnostics.code_use import CAPPED_NATS
from bnvae.metrics.diagnostics.finding import Evidence, Finding, Patient, information_of, known
from bnvae.metrics.figures.figure_values import number

LOOSE_NATS = 0.5


def capped_information(patient: Patient) -> Finding | None:
    """The estimate of the mutual information cannot be larger."""
    count = number(patient.evaluation, "test", "mutual_information_examples")
    information = information_of(patient)
    if not count or not information.value > math.log(count) - CAPPED_NATS:
        return None
    label = f"ln N, its largest value at N = {count:,.0f}"
    return Finding(
        severity="note",
        name="Information capped",
        claim="The estimate is near ln N, its largest value: the information may be more, and the marginal KL less.",
        evidence=known(information, Evidence(figure="mutual_information_examples", label=label, value=math.log(count))),
        advice="Compare it only between runs with the same N.",
    )


def loose_likelihood(patient: Patient) -> Finding | None:
    """More draws would still lower the NLL."""
    samples, effective = (number(patient.thorough, name) for name in ("importance_samples", "effective_samples"))
    nll, fewer = number(patient.thorough, "nll"), _nll_from_fewer(patient)
    if samples is None or effective is None or nll is None or fewer is None:
        return None
    if fewer.value - nll < LOOSE_NATS:
        return None
    return Finding(
        severity="note",
        name="NLL still falls",
        claim="The likelihood's bound still falls with more draws of z: the true NLL is lower.",
        evidence=known(
            fewer,
            Evidence(figure="nll", label=f"NLL at K = {samples:,.0f}", value=nll, unit="nats"),
            Evidence(figure="effective_samples", label="draws that count", value=effective),
        ),
        advice=f"Evaluate with more, up to {10 * samples:,.0f}.",
    )


def _nll_from_fewer(patient: Patient) -> Evidence | None:
    """The bound at the largest K of at most half the draws: what doubling them still gains is to be seen there."""
    samples, thorough = number(patient.thorough, "importance_samples"), patient.thorough
    stored = thorough.get("nll_by_samples") if thorough else None
    if samples is None or not isinstance(stored, Mapping):
        return None
    counts = [int(name) for name in stored if str(name).isdecimal() and len(str(name)) < 9 and int(name) <= samples / 2]
    if not counts or (bound := number(stored, str(max(counts)))) is None:
        return None
    return Evidence(figure="nll_by_samples", label=f"NLL at K = {max(counts):,}", value=bound, unit="nats")


def overfitted(patient: Patient) -> Finding | None:
    """Training examples are modelled much better than test examples."""
    test, training = (number(patient.evaluation, split, "elbo") for split in ("test", "training"))
    errors = [number(patient.evaluation, split, "elbo_standard_error") for split in ("test", "training")]
    if test is None or training is None or training - test < max(1.0, 0.1 * abs(test)):
        return None
    return Finding(
        severity="note",
        name="Overfitted",
        claim="Training examples are modelled much better than test examples.",
        evidence=known(
            Evidence(figure="elbo", label="test ELBO", value=test, unit="nats", error=errors[0]),
            Evidence(figure="elbo", label="training ELBO", value=training, unit="nats", error=errors[1]),
        ),
        advice="Fewer epochs, more data, a smaller network, or more dropout.",
    )
