"""Whether a model uses its latent code at all, and whether its floor is worth its price, from its figures.

A KL alone never answers: it is above 0 for one posterior that all examples share, and as large as one likes for a code
that no decoder reads. It is only an upper bound of what a code can tell.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, final

from bnvae.metrics.figures.figure_values import in_digits, number
from bnvae.training.records import EvaluationRecord

NOTHING_NATS = 0.1
"""a rate, an information or a rise below this is nothing"""
READ_SHARE = 0.1
"""of the information: an ideal decoder's rise is the information and, on top of it, the divergence of unrelated pairs
from true ones; decoders that never learned were seen at 0.12 nats beside an information of 5.7 (measured)"""
MOST_OF_A_RATE = 0.5
"""a floor with a larger share of the rate decides what the code costs"""
FAR_BELOW = 0.5
"""of a floor: a code that tells less than this share of it could do with a smaller one"""
BELOW = 0.9
"""of a floor: independent dimensions at their floor tell all of it, weakly correlated ones a little less"""
CAPPED_NATS = 0.5
"""an estimate so near to ln N may be anything above it"""

IN_USE = "Code in use"
"""the verdict on a code that tells examples apart and is read, wherever one is given"""

Use = Literal["not known", "not a number", "tells nothing", "not read", "used"]


@final
@dataclass(frozen=True, kw_only=True)
class CodeUse:
    """What a verdict rests on; nats per example, None for what was not taken."""

    information: float | None
    """between x and z, estimated"""
    most_information: float | None = None
    """ln N, which the estimate cannot exceed"""
    information_error: float | None = None
    """standard error of the estimate"""
    information_bound: float | None = None
    """what the information is at most, also where its estimate is capped"""
    rise: float | None
    """of the distortion when z is permuted among examples"""
    rise_error: float | None = None
    """standard error of the rise"""

    @classmethod
    def recorded(cls, record: EvaluationRecord) -> Self:
        """As an evaluation during training found it."""
        return cls(
            information=record.mutual_information,
            most_information=record.most_information,
            information_bound=record.mutual_information_bound,
            rise=record.permuted_rise,
            rise_error=record.permuted_rise_standard_error,
        )

    @classmethod
    def evaluated(
        cls,
        evaluation: Mapping[str, Any] | None,
        thorough: Mapping[str, Any] | None,
        recorded: EvaluationRecord | None = None,
    ) -> Self:
        """As the figures of test examples have it; the rise of a run without thorough ones is the last that its
        training took."""
        information, error, count, bound = (
            number(evaluation, "test", f"mutual_information{end}")
            for end in ("", "_standard_error", "_examples", "_bound")
        )
        rise, rise_error = (number(thorough, name) for name in ("permuted_rise", "permuted_rise_standard_error"))
        if rise is None and recorded is not None:
            rise, rise_error = recorded.permuted_rise, recorded.permuted_rise_standard_error
        return cls(
            information=information,
            most_information=math.log(count) if count and count >= 1 else None,
            information_error=error,
            information_bound=bound,
            rise=rise,
            rise_error=rise_error,
        )

    @property
    def use(self) -> Use:
        """Whether the encoder tells examples apart and the decoder reads it; both have to be seen for "used"."""
        if any(value is not None and not math.isfinite(value) for value in (self.information, self.rise)):
            return "not a number"
        if self.most_information is not None and self.most_information <= NOTHING_NATS:
            return "not known"  # one example tells nothing, whatever its code
        if self.information is not None and is_noise(self.information, self.information_error):
            return "tells nothing"
        if self.rise is not None and self._hardly_rises(self.rise):
            return "not read"
        return "not known" if self.information is None or self.rise is None else "used"

    def _hardly_rises(self, rise: float) -> bool:
        return is_noise(rise, self.rise_error) or rise < READ_SHARE * (self.information or 0.0)

    @property
    def is_capped(self) -> bool:
        """Whether the information may be larger than its estimate can be."""
        known = self.information is not None and self.most_information is not None
        return known and (self.information or 0.0) > (self.most_information or 0.0) - CAPPED_NATS

    @property
    def words(self) -> str:
        """Both figures, short enough for a line under a chart; empty where neither was taken."""
        parts = []
        if self.information is not None:
            most = "" if self.most_information is None else f" of at most {in_digits(self.most_information, 1)}"
            parts.append(f"mutual information {_digits(self.information)}{most} nats")
        if self.rise is not None:
            parts.append(f"rise if z is permuted {_digits(self.rise)} nats")
        return " · ".join(parts)


def is_noise(nats: float, standard_error: float | None) -> bool:
    """Whether an information or a rise (nats) is nothing, as far as its noise lets one see."""
    return nats < max(NOTHING_NATS, 2 * (standard_error or 0.0))


def is_dear(*, floor: float, rate: float, use: CodeUse) -> bool:
    """Whether most of a rate is its head's floor, and the code tells far less than that floor costs (all in nats).

    Below its cap ln N the estimated information decides: less than half of the floor is far less. At the cap the
    estimate is only a lower bound. There its upper bound decides, if it is below nine tenths of the floor: dimensions
    that repeat one another tell less than each pays. In any case a code is dear if its rate is larger than the rise: a
    decoder that gets the code of another example pays no rate.
    """
    if not floor > MOST_OF_A_RATE * rate or not floor > NOTHING_NATS or use.information is None:
        return False
    if use.rise is not None and use.rise < rate:
        return True
    if use.is_capped:
        return use.information_bound is not None and use.information_bound < BELOW * floor
    return use.information < FAR_BELOW * floor


def why_unused(
    evaluation: Mapping[str, Any], thorough: Mapping[str, Any] | None, recorded: EvaluationRecord | None = None
) -> str:
    """Why the code does not count as used, in words; empty if it does, or as far as is known.

    The encoder writes something if the mutual information is at least 0.1 nats; the decoder reads it if permuting codes
    costs as much, which not every evaluation has taken.
    """
    found = CodeUse.evaluated(evaluation, thorough, recorded)
    if found.information is None:
        return "it is not known whether the code is used"
    if found.use == "tells nothing":
        return f"a mutual information of {in_digits(found.information, 3)} nats is less than {NOTHING_NATS:g}"
    if found.use == "not read":
        return f"the decoder ignores the code: permuting it costs {in_digits(found.rise or 0.0, 3)} nats"
    return ""


def _digits(nats: float) -> str:
    """One decimal; more for what is nearly nothing."""
    return in_digits(nats, 1 if abs(nats) >= 1 or not math.isfinite(nats) else 2)
