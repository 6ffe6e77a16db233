"""Runs that belong together: each run of a sweep has the name of its group in its folder."""

import math
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bnvae.config.methods import METHODS, TAU, knob_of
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import BrokenRunError, read_json, write_json

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
    """Whether a group is a sweep over tau, of one seed or several, and not over methods; broken members say nothing."""
    return _varied(members)[0]


def sweep_words(members: Iterable[Run]) -> str:
    """What the runs of a group differ in: "one run for each τ and seed"."""
    over_tau, methods, seeds = _varied(members)
    parts = ["τ"] if over_tau else ["method"] if methods > 1 or seeds < 2 else []
    return f"one run for each {' and '.join([*parts, *(['seed'] if seeds > 1 else [])])}"


def _varied(members: Iterable[Run]) -> tuple[bool, int, int]:
    """Whether tau varies and no method does; how many methods or strengths, and how many seeds, there are."""
    kinds, strengths, seeds = set(), set(), set()
    for run in members:
        with suppress(BrokenRunError):
            config = run.config
            kind = (config.model.head, config.training.kl_schedule, knob_of(config))
            kinds.add((kind[0], kind[2]))
            strengths.add((*kind, kind[2].of(config)))
            seeds.add(config.training.seed)
    scaled = len(kinds) == 1 and {knob for _, knob in kinds} == {TAU}
    return scaled and (len(strengths) > 1 or len(seeds) == 1), len(strengths), len(seeds)


def _place(run: Run, group: str) -> tuple[Any, ...]:
    names = [f"{group}-{method}" for method in METHODS]
    try:
        config = run.config
    except BrokenRunError:
        return math.inf, run.id
    name = run.id.removesuffix(f"-seed-{config.training.seed}")
    named = names.index(name) if name in names else len(names)
    knob = knob_of(config)
    return (
        named,
        config.model.head,
        config.training.kl_schedule,
        knob.field,
        knob.of(config),
        config.training.seed,
        run.id,
    )
