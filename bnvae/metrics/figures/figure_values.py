"""Single numbers out of a run's figures, whose file may be a stranger's: what is not a finite number is missing."""

import math
from collections.abc import Mapping
from typing import Any

from bnvae.training.records import is_number


def number(figures: Mapping[str, Any] | None, *path: str) -> float | None:
    """The number at this path of nested figures; None where there is none, or one that is not finite."""
    value: object = figures
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    if isinstance(value, bool) or not is_number(value):
        return None
    found = float(value)  # type: ignore[arg-type]
    return found if math.isfinite(found) else None


def nested(figures: Mapping[str, Any] | None, *path: str) -> Mapping[str, Any]:
    """The nested figures at this path by their names; empty where there are none."""
    found: object = figures
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def values(figures: Mapping[str, Any] | None, *path: str) -> list[float]:
    """The list of numbers at this path; empty where there is none, or where one is not a finite number."""
    found: object = figures
    for name in path:
        if not isinstance(found, Mapping):
            return []
        found = found.get(name)
    if not isinstance(found, list):
        return []
    numbers = [number({"value": value}, "value") for value in found]
    return [value for value in numbers if value is not None] if None not in numbers else []


def in_digits(value: float, digits: int) -> str:
    """A number with so many decimals and a true minus sign, which no zero has: an estimate of 0 may come out below."""
    words = f"{value:,.{digits}f}"
    return words.removeprefix("-") if not any(letter in "123456789" for letter in words) else words.replace("-", "−")
