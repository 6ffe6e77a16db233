"""Changes of a training while it runs: a schedule of (step, field, value) that a resumed run repeats exactly."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self, final

from bnvae.config.schema import SCALED, RunConfig

STEERABLE = ("beta", "learning_rate", "free_bits_per_dimension", "free_bits_total", "tau")


@final
@dataclass(frozen=True, kw_only=True)
class Change:
    """From the step after `step` on, `field` has `value`."""

    step: int
    """optimiser steps taken before it"""
    field: str
    """one of STEERABLE"""
    value: float

    @classmethod
    def from_dict(cls, stored: object) -> Self:
        """Raises ValueError if the fields are missing or of the wrong kind."""
        if not isinstance(stored, dict) or set(stored) != {"step", "field", "value"}:
            raise ValueError(f"a change is {stored!r}: expected step, field and value.")
        step, value = stored["step"], stored["value"]
        if isinstance(step, bool) or not isinstance(step, int) or step < 0:
            raise ValueError(f"step is {step!r}: expected a whole number from 0.")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"value is {value!r}: expected a number.")
        try:
            return cls(step=step, field=str(stored["field"]), value=float(value))
        except OverflowError:  # JSON's whole numbers have no end
            raise ValueError("value is too large a number.") from None

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def steered(config: RunConfig, changes: Iterable[Change]) -> RunConfig:
    """The configuration after these changes.

    Raises:
        ValueError: a field can't be steered, or a value is outside its limits; the message names both.
    """
    for change in changes:
        if change.field not in STEERABLE:
            raise ValueError(f"field is {change.field!r}: choose one of {', '.join(STEERABLE)}.")
        if change.field != "tau":
            training = dataclasses.replace(config.training, **{change.field: change.value})  # type: ignore[arg-type]
            config = dataclasses.replace(config, training=training)
        elif config.model.amortised:
            raise ValueError(
                f"tau is {change.value:g}: this run is trained for every tau up to {config.model.tau_max:g} at once; "
                "there is none to change. Steer something else."
            )
        elif config.model.head in SCALED:
            config = dataclasses.replace(config, model=dataclasses.replace(config.model, tau=change.value))
        else:
            raise ValueError(
                f"tau is {change.value:g}: head {config.model.head!r} has no Scaler; steer something else."
            )
    return config


def until(changes: Sequence[Change], step: float) -> list[Change]:
    """The changes that were in force for the step that led to `step`."""
    return [change for change in changes if change.step < step]
