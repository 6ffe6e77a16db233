"""Whether the codes of data are where the prior is: holes, and the width of q(z)."""

import math

from bnvae.metrics.diagnostics.finding import Evidence, Finding, Patient, known, of_test
from bnvae.metrics.figures.figure_values import number, values

MANY_HOLES = 0.2
"""of prior draws; a model whose q(z) is the prior has next to none"""
SEEN_BY_SAMPLES_NATS = 3.0
"""ln of the posteriors that overlap at a point, from which on their mixture stands for q(z)"""


def holes(patient: Patient) -> Finding | None:
    """Prior samples land where the decoder was never trained."""
    share, count = number(patient.thorough, "hole_share"), number(patient.thorough, "hole_examples")
    information = of_test(patient, "mutual_information")
    if share is None or not count:
        return None
    if not information < math.log(count) - SEEN_BY_SAMPLES_NATS:
        return None  # so few posteriors overlap that their mixture has gaps of its own
    if share < MANY_HOLES:
        return None
    return Finding(
        severity="bad",
        name="Posterior holes",
        claim="Much of the prior lies where no posterior is: samples from it come from places the decoder never saw.",
        evidence=known(
            Evidence(figure="hole_share", label="share of prior draws in holes, over all dimensions", value=share),
            Evidence(figure="marginal_kl", label="KL(q(z) ‖ p(z))", value=of_test(patient, "marginal_kl"), unit="nats"),
        ),
        advice=(
            "Sample from the encodings of data instead of from the prior, raise beta, or learn a prior. A Scaler fixes "
            "each dimension's second moment and no more than that."
        ),
    )


def wrong_width(patient: Patient) -> Finding | None:
    """q(z) is wider or narrower than the prior."""
    second = values(patient.evaluation, "test", "second_moment_per_dimension")
    if not second:
        return None
    mean = sum(second) / len(second)
    if 0.85 <= mean <= 1.15:
        return None
    word = "wider" if mean > 1 else "narrower"
    label = "E[μ²+σ²], mean over dimensions; the prior's is 1"
    return Finding(
        severity="note",
        name=f"q(z) {word}",
        claim=f"Codes of data are {word} than the prior, so prior samples are not quite like them.",
        evidence=known(Evidence(figure="second_moment_per_dimension", label=label, value=mean)),
        advice="Scaler heads fix this to 1; with others, shrink or spread the codes on the Samples page.",
    )
