"""The JavaScript and CSS of the components, and the one form in which numbers are sent to them."""

import math
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent


def joined(*names: str) -> str:
    """The named files after one another: ES modules share code so, since neither has an address to import from."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)


def sendable(values: Iterable[float]) -> list[float | None]:
    """Finite values to six digits, None for the rest: JSON has no NaN, and a browser refuses a message with one."""
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in map(float, values)]
