"""The JavaScript and CSS of the components, and the forms in which numbers are sent to them."""

import base64
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Float

HERE = Path(__file__).parent


def joined(*names: str) -> str:
    """The named files after one another: ES modules share code so, since neither has an address to import from."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)


def sendable(values: Iterable[float]) -> list[float | None]:
    """Finite values to six digits, None for the rest: JSON has no NaN, and a browser refuses a message with one."""
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in map(float, values)]


def floats(values: Float[np.ndarray, "..."]) -> str:
    """Base64 of little-endian float32, row by row: a tenth of the time and half of the bytes of JSON."""
    with np.errstate(over="ignore"):  # too large for float32 is infinite, and drawn as what is not a number
        return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()
