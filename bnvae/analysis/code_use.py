"""Whether a model uses its latent code at all, from its figures: below which limits the answer is no."""

from collections.abc import Mapping
from typing import Any

from bnvae.analysis.figure_values import in_digits, number

NOTHING_NATS = 0.1
"""a rate, an information or a rise below this is nothing"""


def is_ignored(rise: float, standard_error: float | None) -> bool:
    """Whether decoding from somebody else's code costs nothing (nats), as far as the noise lets one see."""
    return rise < max(NOTHING_NATS, 2 * (standard_error or 0.0))


def why_unused(evaluation: Mapping[str, Any], thorough: Mapping[str, Any] | None) -> str:
    """Why the code does not count as used, in words; empty if it does.

    The encoder writes something if the mutual information is at least 0.1 nats; the decoder reads it if permuting codes
    costs as much, which is known only of a model that was evaluated thoroughly.
    """
    information = number(evaluation, "test", "mutual_information")
    if information is None:
        return "it is not known whether the code is used"
    if information < NOTHING_NATS:
        return f"a mutual information of {in_digits(information, 3)} nats is less than {NOTHING_NATS:g}"
    rise, error = (number(thorough, name) for name in ("permuted_rise", "permuted_rise_standard_error"))
    if rise is not None and is_ignored(rise, error):
        return f"the decoder ignores the code: permuting it costs {in_digits(rise, 3)} nats"
    return ""
