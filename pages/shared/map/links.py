"""From the map into the Explore page, with the chosen examples, and back."""

from collections.abc import Sequence

from bnvae.runs import Run
from pages.components.latent_scatter import View
from pages.shared.links import EXPLORE, MAP, link_to
from pages.shared.map.url import POINT
from pages.shared.state import RUNS


def link_to_explore(runs: Sequence[Run], view: View) -> None:
    """Take the chosen example's code in hand; of two chosen one after the other, the way between them."""
    if view.pick is None or "example" not in view.pick:
        return
    ids, example = [run.id for run in runs if not run.is_arrays], int(view.pick["example"])
    if not ids:
        return
    link_to(EXPLORE, {RUNS: ids, "tab": ["Traverse"], "example": [str(example)]}, "Traverse this code")
    if view.other is not None:
        words = f"Go from example {view.other} to {example}"
        link_to(EXPLORE, {RUNS: ids, "ends": [f"{view.other},{example}"]}, words)


def link_to_map(runs: Sequence[Run], *examples: int | str) -> None:
    """Where these test examples lie; the last one is the first to be looked at. None for a visitor's own input."""
    numbers = [str(example) for example in examples if isinstance(example, int)]
    if numbers:
        link_to(MAP, {RUNS: [run.id for run in runs], POINT: ["~".join(reversed(numbers))]}, "See it on the map")
