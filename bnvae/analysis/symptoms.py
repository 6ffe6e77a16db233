"""Signs of an illness of the latent space: each looks at a run's figures and finds something, or nothing."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from bnvae.analysis.figure_values import number, values

Severity = Literal["bad", "note", "good"]

NOTHING_NATS = 0.1
"""a rate, an information or a rise below this is nothing"""
DEAD_NATS = 0.01
"""a dimension with less KL carries nothing"""
SOME_DEAD = 0.1
"""of the dimensions: more are an illness, fewer a remark"""
FLOOR_TOLERANCE = 0.03
"""moments of 10,000 of the training examples are not quite those of all"""
STALE_TOLERANCE = 0.05
MANY_HOLES = 0.2
"""of prior draws; a model whose q(z) is the prior has next to none"""
SEEN_BY_SAMPLES_NATS = 3.0
"""ln of the posteriors that overlap at a point, from which on their mixture stands for q(z)"""
LOOSE_NATS = 0.5
FEW_DISTINCT = 0.3


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
    """figures of both splits, as an evaluation keeps them"""
    thorough: Mapping[str, Any] | None
    """thorough figures of the same weights"""
    modality: Literal["text", "image"]
    fixed_floor: Sequence[float]
    """guaranteed KL of each dimension (nats); zeros for a head without a floor"""
    unit_moments: bool
    """whether the head fixes E[mean^2 + std^2] = 1 on the training set, as a Scaler does"""


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


def _is_ignored(rise: Evidence | None) -> bool:
    """Whether somebody else's code costs nothing, as far as the noise lets one see."""
    return rise is not None and rise.value < max(NOTHING_NATS, 2 * (rise.error or 0.0))


def collapsed(patient: Patient) -> Finding | None:
    """Every posterior is the prior."""
    if not of_test(patient, "rate") < NOTHING_NATS:
        return None
    rise, advice = rise_of(patient), "Give the head a floor: rms-scaler, or bn-mean. "
    if patient.modality == "text":
        advice += "More dropout in the decoder, or KL annealing, may delay the collapse; neither rules it out."
    else:
        advice += "Also too high a beta does this."
    claim = "Every posterior is the prior: the code carries nothing"
    claim += ", and the decoder ignores it." if _is_ignored(rise) else "."
    return Finding(
        severity="bad",
        name="Collapsed",
        claim=claim,
        evidence=known(rate_of(patient), information_of(patient), rise),
        advice=advice,
    )


def unused(patient: Patient) -> Finding | None:
    """A positive KL, and a code that tells nothing, or that nobody reads."""
    rise, information, rate = rise_of(patient), information_of(patient), of_test(patient, "rate")
    if not rate >= NOTHING_NATS:
        return None
    tells_nothing = information.value < NOTHING_NATS
    if not (_is_ignored(rise) or (rise is None and tells_nothing)):
        return None
    if tells_nothing:
        claim = "The KL is positive and means nothing: all examples have the same posterior, only not the prior."
        advice = "Do not read a KL as information. Use a head that normalises over the batch, not over dimensions."
    else:
        claim = "The encoder writes something into the code and the decoder ignores it."
        advice = "Weaken the decoder (more dropout, fewer units), or feed it z at every step."
    return Finding(
        severity="bad",
        name="Code not used",
        claim=claim,
        evidence=known(rate_of(patient), information, rise),
        advice=advice,
    )


def partly_collapsed(patient: Patient) -> Finding | None:
    """Some dimensions carry nothing."""
    kl = values(patient.evaluation, "test", "kl_per_dimension")
    dead = sum(value < DEAD_NATS for value in kl)
    if not dead or not of_test(patient, "rate") >= NOTHING_NATS:
        return None
    alive = len(kl) - dead
    evidence = Evidence(
        figure="kl_per_dimension", label=f"of {len(kl)} dimensions with {DEAD_NATS} nats or more", value=alive
    )
    verb = "carries" if alive == 1 else "carry"
    return Finding(
        severity="bad" if dead > SOME_DEAD * len(kl) else "note",
        name="Partly collapsed",
        claim=f"{alive} of {len(kl)} dimensions {verb} anything; the others are noise to the decoder.",
        evidence=known(evidence, rate_of(patient)),
        advice=(
            "For weak decoders, as of pictures, this is how a VAE saves rate: fewer latent dimensions give the same "
            "model. If you need all of them, use a head with a floor and pay its price in ELBO."
        ),
    )


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


def capped_information(patient: Patient) -> Finding | None:
    """The estimate of the mutual information cannot be larger."""
    count = number(patient.evaluation, "test", "mutual_information_examples")
    information = information_of(patient)
    if not count or not information.value > math.log(count) - LOOSE_NATS:
        return None
    label = f"ln N, its largest value at N = {count:,.0f}"
    return Finding(
        severity="note",
        name="Information capped",
        claim="Mutual information is as large as this estimate can be: it may be more, and the marginal KL less.",
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
    if test is None or training is None or training - test < max(1.0, 0.1 * abs(test)):
        return None
    return Finding(
        severity="note",
        name="Overfitted",
        claim="Training examples are modelled much better than test examples.",
        evidence=known(
            Evidence(figure="elbo", label="test ELBO", value=test, unit="nats"),
            Evidence(figure="elbo", label="training ELBO", value=training, unit="nats"),
        ),
        advice="Fewer epochs, more data, a smaller network, or more dropout.",
    )


RULES: tuple[Rule, ...] = (
    floor_breached,
    collapsed,
    unused,
    stale_moments,
    partly_collapsed,
    holes,
    wrong_width,
    same_outputs,
    capped_information,
    loose_likelihood,
    overfitted,
)
"""In the order of their weight."""
