"""A verdict on a run's latent code, in plain words, from its figures."""

from bnvae.metrics.diagnostics import RULES
from bnvae.metrics.diagnostics.code_use import IN_USE
from bnvae.metrics.diagnostics.finding import (
    Evidence,
    Finding,
    Patient,
    floor_of,
    information_of,
    known,
    of_test,
    rate_of,
    rise_of,
    use_of,
)
from bnvae.metrics.figures.figure_values import number

EVALUATE = "Evaluate it thoroughly: whether the decoder uses the code, and how likely the data are, is known only then."
BRING = "Bring in its model: arrays alone do not tell whether the decoder uses the code, or how likely the data are."


def diagnose(patient: Patient) -> list[Finding]:
    """Findings, the gravest first; at least one."""
    examples = number(patient.evaluation, "test", "examples")
    if number(patient.evaluation, "test", "rate") is None:
        return [_unknown("There are no figures of test examples.", "Evaluate this run.")]
    if examples is not None and examples < 2:
        advice = "Hold back more of the data for testing."
        return [_unknown("One test example says nothing about a latent space.", advice)]
    found = [finding for rule in RULES if (finding := rule(patient)) is not None]
    found.sort(key=lambda finding: finding.severity != "bad")
    if not found or found[0].severity != "bad":
        # No code is called in use whose decoder was not looked at.
        return [_in_use(patient) if use_of(patient).use == "used" else _not_seen_ill(patient), *found]
    return found if patient.thorough else [*found, _unknown("Only the quick figures are known.", _next(patient))]


def _next(patient: Patient) -> str:
    return EVALUATE if patient.has_model else BRING


def _unknown(claim: str, advice: str) -> Finding:
    return Finding(severity="note", name="Not known", claim=claim, evidence=(), advice=advice)


def _in_use(patient: Patient) -> Finding:
    claim = "The code tells examples apart, and the decoder uses it."
    return Finding(severity="good", name=IN_USE, claim=claim, evidence=_signs_of_life(patient))


def _not_seen_ill(patient: Patient) -> Finding:
    claim = "The quick figures show no illness; whether the decoder uses the code is not known."
    return Finding(
        severity="note", name="No illness seen", claim=claim, evidence=_signs_of_life(patient), advice=_next(patient)
    )


def _signs_of_life(patient: Patient) -> tuple[Evidence, ...]:
    # Of a head that forces units to be active their number is no sign of anything.
    active = Evidence(figure="active_units", label="active units", value=of_test(patient, "active_units"))
    evidence = (rate_of(patient), floor_of(patient), information_of(patient), rise_of(patient))
    return known(*evidence, None if patient.forces_active else active)
