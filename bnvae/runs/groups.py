"""Runs that belong together: each run of a sweep has the name of its group in its folder."""

from collections.abc import Iterable
from pathlib import Path

from bnvae.runs.files import BrokenRunError, read_json, write_json
from bnvae.runs.run import Run

GROUP = "group.json"


def join(folder: Path, group: str) -> None:
    """Make a run's folder part of a group."""
    write_json(folder / GROUP, {"group": group})


def group_of(run: Run) -> str | None:
    """The group that a run belongs to; None if to none, or if what names it is damaged."""
    if not (run.folder / GROUP).is_file():
        return None
    try:
        group = read_json(run.folder / GROUP).get("group")
    except BrokenRunError:
        return None
    return group if isinstance(group, str) and group else None


def groups(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The members of each group in the order of their tau, broken ones last; groups in the order of the runs given."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        if (group := group_of(run)) is not None:
            found.setdefault(group, []).append(run)
    return {group: sorted(members, key=_place) for group, members in found.items()}


def _place(run: Run) -> tuple[float, str]:
    try:
        return run.config.model.tau, run.id
    except BrokenRunError:
        return float("inf"), run.id
