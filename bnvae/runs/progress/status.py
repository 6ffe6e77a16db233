"""What a run is doing, as its worker last wrote it."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, Self, final, get_args

from bnvae.training.records import is_number

RunState = Literal["starting", "training", "paused", "finished", "stopped", "failed", "interrupted", "broken"]

ALIVE: tuple[RunState, ...] = ("starting", "training", "paused")
"""states in which a worker holds the run"""
HELD: tuple[RunState, ...] = ("training", "paused")
"""states that are only true while a worker lives"""
RESUMABLE: tuple[RunState, ...] = ("stopped", "failed", "interrupted")


@final
@dataclass(frozen=True, kw_only=True)
class Status:
    state: RunState
    step: int = 0
    """optimiser steps taken"""
    total_steps: int = 0
    """optimiser steps of the whole training; 0: not known yet"""
    epoch: float = 0.0
    examples_per_second: float = 0.0
    """training speed over the last seconds (examples/s)"""
    seconds_left: float | None = None
    """estimated time to the last step (s)"""
    message: str = ""
    """what the worker is doing, or why it ended"""
    device: str = ""
    not_finite: bool = False
    """whether it failed because its numbers were infinite or NaN"""

    @property
    def alive(self) -> bool:
        return self.state in ALIVE

    @property
    def resumable(self) -> bool:
        return self.state in RESUMABLE

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Unknown fields are ignored: a status informs, it decides nothing.

        Raises:
            ValueError: the state is missing or unknown, or a field is of another type.
        """
        known = {spec.name for spec in dataclasses.fields(cls)}
        fields = {name: value for name, value in stored.items() if name in known}
        if fields.get("state") not in get_args(RunState):
            raise ValueError(f"state is {fields.get('state')!r}: expected one of {', '.join(get_args(RunState))}.")
        for name, value in fields.items():
            if not _fits(value, getattr(_BLANK, name)) and not (name == "seconds_left" and value is None):
                raise ValueError(f"{name} is {value!r:.40}: not what a status holds.")
        return cls(**fields)

    def replace(self, **changes: Any) -> Self:
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


_BLANK = Status(state="broken", seconds_left=0.0)


def _fits(value: object, example: object) -> bool:
    if isinstance(example, bool):
        return isinstance(value, bool)
    if isinstance(example, (int, float)) and not is_number(value):
        return False
    return isinstance(example, float) or type(value) is type(example)
