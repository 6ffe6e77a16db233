"""What a code costs and what it gets back, in one sentence: why the ELBO likes collapse."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from bnvae.metrics.figures.figure_values import in_digits

COLLAPSED_NATS = 0.1
"""a rate below this is no code"""
EQUAL_NATS = 0.05
"""a difference that is 0.0 as written"""


@final
@dataclass(frozen=True, kw_only=True)
class Costs:
    """One run's costs on held-out examples: those of an evaluation during training are of validation examples."""

    run: str
    rate: float
    """nats per example"""
    distortion: float
    """nats per example"""
    is_plain: bool = False
    """whether nothing in its recipe keeps a code alive"""

    @property
    def total(self) -> float:
        """-ELBO, nats per example."""
        return self.rate + self.distortion


def price_words(runs: Sequence[Costs], entropy: float | None, example: str) -> str:
    """The entropy of the source, how far the plain run is above it, and what the other runs' codes cost and got back.

    `example` is the plural of the data's examples. Empty without an entropy, and without a pair of runs.
    """
    plain = next((one for one in runs if one.is_plain), None)
    others = [one for one in runs if one is not plain] if plain else []
    said = []
    if entropy is not None:
        said.append(f"The {example} have an entropy of {_nats(entropy)}: no model of their source can go below it.")
        if plain is not None:
            gap = plain.total - entropy
            above = "is at it" if gap < EQUAL_NATS else f"is {_nats(gap)} above it"
            code = "without a code" if plain.rate < COLLAPSED_NATS else f"with a code of {_nats(plain.rate)}"
            said.append(f"On held-out examples {plain.run} {above} {code}: a code can win that much, and no more.")
    for one in others:
        assert plain is not None
        said.append(_exchange(one, plain))
    return " ".join(said) if entropy is not None or others else ""


def _exchange(one: Costs, plain: Costs) -> str:
    """The nats of rate that a run pays beyond the plain one, and the nats of distortion that it saves by them."""
    paid, got = one.rate - plain.rate, plain.distortion - one.distortion
    if abs(paid) < EQUAL_NATS:
        return f"The code of {one.run} costs as much as that of {plain.run}."
    net = one.total - plain.total
    if abs(net) < EQUAL_NATS:
        end = "its −ELBO is the same"
    else:
        end = f"its −ELBO is {_nats(abs(net))} {'higher' if net > 0 else 'lower'}"
    more = "more" if paid > 0 else "less"
    if got >= 0:
        return f"The code of {one.run} costs {_nats(abs(paid))} {more} and gets back {_nats(got)} of distortion: {end}."
    return f"The code of {one.run} costs {_nats(abs(paid))} {more}, and the distortion is {_nats(-got)} higher: {end}."


def _nats(value: float) -> str:
    return f"{in_digits(value, 1)} nats"
