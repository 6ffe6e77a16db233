"""Runs that belong together: each run of a sweep has the name of its group in its folder."""

import math
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bnvae.methods import METHODS, TAU, knob_of
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
    """The members of each group in its order, broken ones last; groups in the order of the runs given.

    Members that differ in tau alone come in its order; those of several methods in the methods' own, each as it is
    named first and its other strengths after all of these.
    """
    found: dict[str, list[Run]] = {}
    for run in runs:
        if (group := group_of(run)) is not None:
            found.setdefault(group, []).append(run)
    return {group: sorted(members, key=lambda run: _place(run, group)) for group, members in found.items()}


def differ_in_tau_alone(members: Iterable[Run]) -> bool:
    """Whether a group is a sweep over tau, and not over methods; broken members say nothing."""
    kinds = set()
    for run in members:
        with suppress(BrokenRunError):
            kinds.add((run.config.model.head, knob_of(run.config)))
    return len(kinds) == 1 and {knob for _, knob in kinds} == {TAU}


def _place(run: Run, group: str) -> tuple[Any, ...]:
    names = [f"{group}-{method}" for method in METHODS]
    try:
        config = run.config
    except BrokenRunError:
        return math.inf, run.id
    named = names.index(run.id) if run.id in names else len(names)
    knob = knob_of(config)
    return named, config.model.head, config.training.kl_schedule, knob.field, knob.of(config), run.id
