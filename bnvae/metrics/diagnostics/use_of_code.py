"""Whether the code carries anything, and whether the decoder reads it."""

from bnvae.metrics.diagnostics.code_use import NOTHING_NATS, is_noise
from bnvae.metrics.diagnostics.finding import (
    Evidence,
    Finding,
    Patient,
    information_of,
    known,
    of_test,
    rate_of,
    rise_of,
    use_of,
)
from bnvae.metrics.figures.figure_values import number, values

DEAD_NATS = 0.01
"""a dimension with less KL carries nothing; one with more may carry nothing as well"""
SOME_DEAD = 0.1
"""of the dimensions: more are an illness, fewer a remark"""
FEW_DISTINCT = 0.3


def collapsed(patient: Patient) -> Finding | None:
    """Every posterior is the prior: a code tells no more than its rate, so that here the KL does prove something."""
    if not of_test(patient, "rate") < NOTHING_NATS:
        return None
    rise, advice = rise_of(patient), "Give the head a floor: rms-scaler, or bn-mean. "
    if patient.modality == "text":
        advice += "More dropout in the decoder, or KL annealing, may delay the collapse; neither rules it out."
    else:
        advice += "Also too high a beta does this."
    claim = "Every posterior is the prior: the code carries nothing"
    claim += ", and the decoder ignores it." if rise and is_noise(rise.value, rise.error) else "."
    return Finding(
        severity="bad",
        name="Collapsed",
        claim=claim,
        evidence=known(rate_of(patient), information_of(patient), rise),
        advice=advice,
    )


def unused(patient: Patient) -> Finding | None:
    """A positive KL, and a code that tells nothing, or that no decoder reads."""
    use = use_of(patient).use
    if not of_test(patient, "rate") >= NOTHING_NATS or use not in ("tells nothing", "not read"):
        return None
    if use == "tells nothing":
        claim = "The KL is positive and means nothing: all examples have the same posterior, only not the prior."
        advice = "Do not read a KL as information. Use a head that normalises over the batch, not over dimensions."
    else:
        claim = "The encoder writes something into the code and the decoder ignores it."
        advice = "Weaken the decoder (more dropout, fewer units), or feed it z at every step."
    return Finding(
        severity="bad",
        name="Code not used",
        claim=claim,
        evidence=known(rate_of(patient), information_of(patient), rise_of(patient)),
        advice=advice,
    )


def not_a_number(patient: Patient) -> Finding | None:
    """Codes of other examples make the decoder overflow."""
    if use_of(patient).use != "not a number":
        return None
    return Finding(
        severity="bad",
        name="Diverged",
        claim="Mutual information, or the rise of the distortion when z is permuted, is not a number.",
        evidence=known(rate_of(patient)),
        advice="Train with a lower learning rate, or with a limit of the gradient's norm.",
    )


def partly_collapsed(patient: Patient) -> Finding | None:
    """Some dimensions carry nothing, as far as their KL, which is what each may tell at most, shows it."""
    kl = values(patient.evaluation, "test", "kl_per_dimension")
    dead = sum(value < DEAD_NATS for value in kl)
    if not dead or not of_test(patient, "rate") >= NOTHING_NATS:
        return None
    alive = len(kl) - dead
    evidence = Evidence(
        figure="kl_per_dimension", label=f"of {len(kl)} dimensions with {DEAD_NATS} nats or more", value=alive
    )
    verb = "carries" if dead == 1 else "carry"
    return Finding(
        severity="bad" if dead > SOME_DEAD * len(kl) else "note",
        name="Partly collapsed",
        claim=f"{dead} of {len(kl)} dimensions {verb} nothing: noise to the decoder.",
        evidence=known(evidence, rate_of(patient)),
        advice=(
            "For weak decoders, as of pictures, this is how a VAE saves rate: fewer latent dimensions give the same "
            "model. If you need all of them, use a head with a floor and pay its price in ELBO."
        ),
    )


def same_outputs(patient: Patient) -> Finding | None:
    """Ten codes give nearly one output."""
    share = number(patient.thorough, "distinct_share")
    if share is None or share > FEW_DISTINCT:
        return None
    return Finding(
        severity="note",
        name="Same outputs",
        claim="Whatever the code, the decoder makes nearly the same of it.",
        evidence=known(
            Evidence(figure="distinct_share", label="distinct among the outputs of ten codes, share", value=share)
        ),
        advice="See them on the Samples page.",
    )
