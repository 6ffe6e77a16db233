"""Methods compared at equal rate: distortions read off the rate-distortion curve that each one's strengths make."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import final

from bnvae.comparison.seeds import seedless
from bnvae.config.methods import Knob, knob_of
from bnvae.config.schema import RunConfig


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
    seeds: tuple[str, ...] = ()
    """the runs, equal but for their seed, whose mean this is; empty for a single run"""

    @property
    def runs(self) -> tuple[str, ...]:
        """The run that this is, or those whose mean it is."""
        return self.seeds or (self.run,)


@final
@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model, and what decides on whose curve it is."""

    member: Member
    config: RunConfig
    title: str
    """of the method"""
    alone: bool = False
    """whether its configuration alone did not decide on its training, as of a run that was changed or stopped"""


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
    """The curves of models of the same data: on one are those equal but for the strength, the seed and the machine.

    Models of one strength and several seeds are one point: the mean over the seeds of each figure that all have.
    """
    found: dict[tuple[RunConfig, str], list[Candidate]] = {}
    for candidate in candidates:
        alone = candidate.member.run if candidate.alone else ""
        found.setdefault((_recipe(candidate.config), alone), []).append(candidate)
    return [
        RateCurve(
            title=those[0].title,
            knob=knob_of(those[0].config),
            members=tuple(sorted(_over_seeds(those), key=lambda member: (member.rate, member.run))),
        )
        for those in found.values()
    ]


def _over_seeds(candidates: Sequence[Candidate]) -> list[Member]:
    """A member for each strength; of a seed that comes twice the first counts, and the other is a point of its own."""
    alike: dict[RunConfig, dict[int, Member]] = {}
    rest = []
    for candidate in candidates:
        seeds = alike.setdefault(seedless(candidate.config), {})
        if candidate.config.training.seed in seeds:
            rest.append(candidate.member)
        else:
            seeds[candidate.config.training.seed] = candidate.member
    return [_mean([seeds[seed] for seed in sorted(seeds)]) for seeds in alike.values()] + rest


def _mean(members: Sequence[Member]) -> Member:
    if len(members) == 1:
        return members[0]
    shared = set.intersection(*(set(member.others) for member in members))
    return Member(
        run=" and ".join(member.run for member in members),
        strength=members[0].strength,
        rate=mean(member.rate for member in members),
        distortion=mean(member.distortion for member in members),
        others={name: mean(member.others[name] for member in members) for name in shared},
        seeds=tuple(member.run for member in members),
    )


def shared_rate(curves: Sequence[RateCurve]) -> float | None:
    """The rate of a member at which most curves can be compared, the middle one of those; None without members."""
    rates = sorted({member.rate for curve in curves for member in curve.members})
    if not rates:
        return None
    counts = [sum(curve.extent[0] <= rate <= curve.extent[1] for curve in curves) for rate in rates]
    best = [rate for rate, count in zip(rates, counts, strict=True) if count == max(counts)]
    return best[len(best) // 2]


def _recipe(config: RunConfig) -> RunConfig:
    """All that two models of one curve have in common: strength, seed and what does not matter are put to one value."""
    knob = knob_of(config)
    return knob.turned(seedless(config), 0.0 if knob.field == "tau" else 1.0)
