"""Where a component finds its numbers by itself, instead of being given them at every run of the script."""

from dataclasses import dataclass
from typing import Any, final
from urllib.parse import urlencode

ROUTE = "live"


@final
@dataclass(frozen=True)
class Feed:
    """One panel of what the server tells of some runs; relative to the page, so that it is right below any path."""

    run_ids: tuple[str, ...]
    kind: str
    panel: str

    @property
    def data(self) -> dict[str, Any]:
        """What a component is given instead of its numbers."""
        query = urlencode([("runs", run_id) for run_id in self.run_ids])
        return {"feed": {"address": f"{ROUTE}/{self.kind}?{query}", "panel": self.panel}}
