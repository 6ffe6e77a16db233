"""What the route for live numbers can be asked for."""

from collections.abc import Sequence

from pages.shared.live.film import FILM
from pages.shared.live.moment import TRAINING, Moment, runs_named

KINDS = {"training": TRAINING, "film": FILM}


def moment_of(kind: str, run_ids: Sequence[str]) -> Moment:
    """What there is to see now of those of the runs that are here."""
    return KINDS[kind].of(runs_named(run_ids))
