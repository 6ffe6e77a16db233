"""Whether a head's normalisation holds what it promises."""

from bnvae.analysis.code_use import NOTHING_NATS
from bnvae.analysis.figure_values import number, values
from bnvae.analysis.symptoms.finding import Evidence, Finding, Patient, known

FLOOR_TOLERANCE = 0.03
"""moments of 10,000 of the training examples are not quite those of all"""
STALE_TOLERANCE = 0.05


def floor_breached(patient: Patient) -> Finding | None:
    """A guaranteed KL is not there: what the head divides by is larger than the moment."""
    kl = values(patient.evaluation, "training", "kl_per_dimension")
    floors = patient.fixed_floor
    if not kl or len(floors) != len(kl) or not max(floors) > 0:
        return None
    low = [value for value, floor in zip(kl, floors, strict=True) if value < (1 - FLOOR_TOLERANCE) * floor - 1e-3]
    second = values(patient.evaluation, "training", "second_moment_per_dimension") if patient.unit_moments else []
    mean = sum(second) / len(second) if second else 1.0
    is_short = mean < 1 - FLOOR_TOLERANCE
    if not low and not is_short:
        return None
    moment = None
    if is_short:
        label = "E[μ²+σ²], mean over dimensions; should be 1"
        moment = Evidence(figure="second_moment_per_dimension", label=label, value=mean)
    if low:
        plural = "dimension is" if len(low) == 1 else "dimensions are"
        claim = f"{len(low)} {plural} below the guaranteed KL, with exact moments: the normalisation is not exact."
    else:
        claim = "With exact moments E[μ²+σ²] is not 1: the normalisation is not exact, so the floor is not guaranteed."
    return Finding(
        severity="bad",
        name="Floor breached",
        claim=claim,
        evidence=known(
            Evidence(figure="kl_per_dimension", label="smallest KL on training examples", value=min(kl), unit="nats"),
            Evidence(figure="fixed_floor", label="guaranteed floor", value=max(floors), unit="nats"),
            moment,
        ),
        advice=(
            "An eps beside the variance lets the encoder shrink its way under the floor: use an eps of 1e-8 or a lower "
            "limit instead, no weight decay on the head, and no tiny initial weights."
        ),
    )


def stale_moments(patient: Patient) -> Finding | None:
    """The published moments are not those of the training set."""
    stored, exact = (number(patient.thorough, "modes", mode, "rate") for mode in ("stored_moments", "eval_mode"))
    moments = [number(patient.thorough, "modes", mode, "second_moment") for mode in ("stored_moments", "eval_mode")]
    if stored is None or exact is None:
        return None
    apart = abs(stored - exact) > max(NOTHING_NATS, STALE_TOLERANCE * exact)
    if moments[0] is not None and moments[1] is not None:
        apart |= abs(moments[0] - moments[1]) > STALE_TOLERANCE * moments[1]
    if not apart:
        return None
    return Finding(
        severity="bad",
        name="Stale moments",
        claim="The weights were published with running statistics that lag behind the encoder.",
        evidence=known(
            Evidence(
                figure="modes.stored_moments.rate", label="rate with the published moments", value=stored, unit="nats"
            ),
            Evidence(
                figure="modes.eval_mode.rate", label="rate with those of the training set", value=exact, unit="nats"
            ),
        ),
        advice=(
            "Recompute the moments over the training set before every evaluation and before saving "
            "(bnvae.recompute_moments). The other figures here are with recomputed ones."
        ),
    )
