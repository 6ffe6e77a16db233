"""A verdict on a run's latent code, in plain words, from its figures."""

from bnvae.analysis.figure_values import number
from bnvae.analysis.symptoms import (
    RULES,
    Evidence,
    Finding,
    Patient,
    information_of,
    known,
    of_test,
    rate_of,
    rise_of,
)


def diagnose(patient: Patient) -> list[Finding]:
    """Findings, the gravest first; at least one."""
    examples = number(patient.evaluation, "test", "examples")
    if number(patient.evaluation, "test", "rate") is None:
        return [_unknown("There are no figures of test examples.", "Evaluate this run.")]
    if examples is not None and examples < 2:
        advice = "Hold back more of the data for testing."
        return [_unknown("One test example says nothing about a latent space.", advice)]
    found = [finding for rule in RULES if (finding := rule(patient)) is not None]
    if not any(finding.severity == "bad" for finding in found):
        found.insert(0, _healthy(patient))
    found.sort(key=lambda finding: ("bad", "good", "note").index(finding.severity))
    if patient.thorough is None:
        advice = "Evaluate it thoroughly: whether the decoder uses the code, and the likelihood, are known only then."
        found.append(_unknown("Only the quick figures are known.", advice))
    return found


def _unknown(claim: str, advice: str) -> Finding:
    return Finding(severity="note", name="Not known", claim=claim, evidence=(), advice=advice)


def _healthy(patient: Patient) -> Finding:
    rise = rise_of(patient)
    if rise is None:
        claim = "No illness shows in the quick figures."
    else:
        claim = "The code tells examples apart, and the decoder uses it."
    active = Evidence(figure="active_units", label="active units", value=of_test(patient, "active_units"))
    evidence = known(rate_of(patient), information_of(patient), rise, active)
    return Finding(severity="good", name="Healthy", claim=claim, evidence=evidence)
