"""Whether a head's normalisation holds what it promises, and at what price."""

from bnvae.metrics.diagnostics.code_use import NOTHING_NATS, is_dear
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
from bnvae.metrics.figures.figure_values import number, values
from bnvae.metrics.scaler_curves import BINDING_SHARE

FLOOR_TOLERANCE = 0.03
"""moments of 10,000 of the training examples are not quite those of all"""
STALE_TOLERANCE = 0.05
MOMENT_TOLERANCE = 0.03
"""of E[mean_d^2 + std_d^2] in each dimension, which is 1 where the moments are those of the training set"""
OTHER_MOMENTS_ARE_ILL = 0.1
"""an ELBO is off by nats then: 5 of 108 on MNIST, where one dimension was off by 0.2 (measured)"""


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


def dear_floor(patient: Patient) -> Finding | None:
    """Most of the rate is the floor's, and the code tells far less than that costs."""
    floor, rate, cost = floor_of(patient), of_test(patient, "rate"), -of_test(patient, "elbo")
    if floor is None or not is_dear(floor=floor.value, rate=rate, use=use_of(patient)):
        return None
    of_cost = f" and {_percent(floor.value / cost)} of −ELBO" if cost > floor.value else ""
    return Finding(
        severity="bad",
        name="Floor too dear",
        claim=(
            f"The floor alone costs {floor.value:.3g} nats, {_percent(floor.value / rate)} of the rate{of_cost}, and "
            "the code tells far less: the head keeps up a KL that the data has no use for."
        ),
        evidence=known(
            rate_of(patient),
            floor,
            information_of(patient),
            rise_of(patient),
            _bound_of(patient),
            Evidence(figure="elbo", label="test ELBO", value=-cost, unit="nats"),
        ),
        advice="Give the head fewer latent dimensions, or a smaller floor: a smaller τ, or of bn-mean a smaller γ.",
    )


def binding_floor(patient: Patient) -> Finding | None:
    """The floor binds: it, and not what the data ask for, decides a rate that is put to use."""
    floor, rate = floor_of(patient), of_test(patient, "rate")
    if floor is None or not floor.value >= BINDING_SHARE * rate or use_of(patient).use != "used":
        return None
    if is_dear(floor=floor.value, rate=rate, use=use_of(patient)):
        return None
    elbo = Evidence(figure="elbo", label="test ELBO", value=of_test(patient, "elbo"), unit="nats")
    return Finding(
        severity="note",
        name="Floor binds",
        claim=(
            f"The floor alone is {_percent(min(1.0, floor.value / rate))} of the rate: the code is used, and the head, "
            "not the data, decides what it costs."
        ),
        evidence=known(rate_of(patient), floor, elbo),
        advice="Read the ELBO beside the plain model's; where the code need not tell so much, give a smaller floor.",
    )


def _bound_of(patient: Patient) -> Evidence | None:
    """What decides where the estimate is at its cap."""
    use = use_of(patient)
    if not use.is_capped or use.information_bound is None:
        return None
    label = "what it is at most, by the spread of the codes"
    return Evidence(figure="mutual_information_bound", label=label, value=use.information_bound, unit="nats")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def other_moments(patient: Patient) -> Finding | None:
    """The moments in the head are not those of the training examples, in some dimension."""
    second = values(patient.evaluation, "training", "second_moment_per_dimension") if patient.unit_moments else []
    off = [value for value in second if abs(value - 1) > MOMENT_TOLERANCE]
    if not off:
        return None
    worst = max(second, key=lambda value: abs(value - 1))
    label = "E[μ²+σ²] on training examples, of the dimension farthest from 1"
    verb = "is" if len(off) == 1 else "are"
    return Finding(
        severity="bad" if abs(worst - 1) > OTHER_MOMENTS_ARE_ILL else "note",
        name="Moments are not the data's",
        claim=(
            f"A Scaler makes E[μ²+σ²] 1 in each dimension, and {len(off)} of {len(second)} {verb} off by more than "
            f"{MOMENT_TOLERANCE} on training examples: the head divides by moments of other examples."
        ),
        evidence=known(Evidence(figure="second_moment_per_dimension", label=label, value=worst)),
        advice="Evaluate it again: that takes the moments from the training examples. Until then the ELBO is too low.",
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
