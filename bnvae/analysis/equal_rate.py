"""Methods compared at equal rate: distortions read off the rate-distortion curve that each one's strengths make."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from bnvae.config import FIXED_SCALE, SCALED, ModelConfig, RunConfig, TrainingConfig
from bnvae.methods import Knob, knob_of

MACHINE = ("threads", "device", "precision", "record_every")
"""settings that decide where and how fast a run is computed, not what"""


@final
@dataclass(frozen=True, kw_only=True)
class Member:
    """One trained model in the plane of rate and distortion, test examples, nats per example."""

    run: str
    strength: float
    rate: float
    distortion: float
    others: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """further figures that are read off in the same way, by name"""


@final
@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model, and what decides on whose curve it is."""

    member: Member
    config: RunConfig
    title: str
    """of the method"""
    alone: bool = False
    """whether its configuration does not tell what it is, as that of a run changed while it trained"""


@final
@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a method has at a rate."""

    distortion: float
    """nats per example"""
    others: Mapping[str, float]
    """those figures that the runs it was read from have"""
    runs: tuple[str, ...]
    """the one that has this rate, or the two beside it"""


@final
@dataclass(frozen=True, kw_only=True)
class RateCurve:
    """The models of one method on the same data, equal but for its strength, in the order of their rate."""

    title: str
    knob: Knob
    members: tuple[Member, ...]

    @property
    def extent(self) -> tuple[float, float]:
        """Smallest and largest rate, nats per example."""
        return self.members[0].rate, self.members[-1].rate

    def at(self, rate: float) -> Reading | None:
        """What is known at this rate (nats), linear between the two members beside it; None beyond the ends.

        A point of that line is what choosing between the two models at random gives (time sharing; Cover & Thomas
        2006, section 10.4), so it can be had. A convex curve through both lies below it: this flatters no method.
        """
        if here := [member for member in self.members if member.rate == rate]:
            best = min(here, key=lambda member: member.distortion)
            return Reading(distortion=best.distortion, others=best.others, runs=(best.run,))
        for left, right in zip(self.members, self.members[1:], strict=False):
            if left.rate < rate < right.rate:
                share = (rate - left.rate) / (right.rate - left.rate)
                shared = left.others.keys() & right.others.keys()
                return Reading(
                    distortion=(1 - share) * left.distortion + share * right.distortion,
                    others={name: (1 - share) * left.others[name] + share * right.others[name] for name in shared},
                    runs=(left.run, right.run),
                )
        return None


def rate_curves(candidates: Iterable[Candidate]) -> list[RateCurve]:
    """The curves of models of the same data: on one are those equal but for the strength and for the machine."""
    found: dict[tuple[RunConfig, str], list[Candidate]] = {}
    for candidate in candidates:
        alone = candidate.member.run if candidate.alone else ""
        found.setdefault((_recipe(candidate.config), alone), []).append(candidate)
    return [
        RateCurve(
            title=those[0].title,
            knob=knob_of(those[0].config),
            members=tuple(sorted((one.member for one in those), key=lambda member: (member.rate, member.run))),
        )
        for those in found.values()
    ]


def shared_rate(curves: Sequence[RateCurve]) -> float | None:
    """The rate of a member at which most curves can be compared, the middle one of those; None without members."""
    rates = sorted({member.rate for curve in curves for member in curve.members})
    if not rates:
        return None
    counts = [sum(curve.extent[0] <= rate <= curve.extent[1] for curve in curves) for rate in rates]
    best = [rate for rate, count in zip(rates, counts, strict=True) if count == max(counts)]
    return best[len(best) // 2]


def _recipe(config: RunConfig) -> RunConfig:
    """All that two models of one curve have in common: the strength and what does not matter are put to one value."""
    model: dict[str, Any] = {}
    training: dict[str, Any] = {name: getattr(TrainingConfig(), name) for name in MACHINE}
    if config.model.head not in SCALED:
        model["tau"] = 0.0
    if config.model.head not in FIXED_SCALE:
        model["gamma"] = 1.0
    if not config.model.amortised:
        model["tau_max"] = ModelConfig().tau_max
    if config.training.kl_schedule == "constant":
        training["kl_warmup_epochs"] = 1.0
    plain = dataclasses.replace(
        config,
        model=dataclasses.replace(config.model, **model),
        training=dataclasses.replace(config.training, **training),
    )
    knob = knob_of(config)
    return knob.turned(plain, 0.0 if knob.field == "tau" else 1.0)
