"""Runs equal but for their seed: one row of a comparison, with mean and spread."""

import dataclasses
import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from bnvae.comparison.columns import Entry
from bnvae.config.schema import FIXED_SCALE, SCALED, ModelConfig, RunConfig, TrainingConfig

MACHINE = ("threads", "device", "precision", "record_every")
"""settings that decide where and how fast a run is computed, not what"""
SHORTEST_NAME = 3


def seedless(config: RunConfig) -> RunConfig:
    """All that two runs equal but for their seed have in common: the rest is put to one value."""
    model: dict[str, Any] = {}
    training: dict[str, Any] = {name: getattr(TrainingConfig(), name) for name in (*MACHINE, "seed")}
    if config.model.head not in SCALED:
        model["tau"] = 0.0
    if config.model.head not in FIXED_SCALE:
        model["gamma"] = 1.0
    if not config.model.amortised:
        model["tau_max"] = ModelConfig().tau_max
    if config.training.kl_schedule == "constant":
        training["kl_warmup_epochs"] = 1.0
    return dataclasses.replace(
        config,
        model=dataclasses.replace(config.model, **model),
        training=dataclasses.replace(config.training, **training),
    )


def by_seed(entries: Sequence[Entry]) -> list[Entry]:
    """The entries, those equal but for their seed as one: where the first of them stood, members by their seed.

    A run that repeats a seed is not counted twice: it stays an entry of its own.
    """
    alike: dict[tuple[str, str], dict[int, Entry]] = {}
    for entry in entries:
        if entry.seedless:
            alike.setdefault((entry.group, entry.seedless), {}).setdefault(entry.seed, entry)
    found: list[Entry] = []
    for entry in entries:
        seeds = alike.get((entry.group, entry.seedless), {}) if entry.seedless else {}
        if len(seeds) < 2 or entry not in seeds.values():
            found.append(entry)
        elif entry is next(iter(seeds.values())):
            members = tuple(seeds[seed] for seed in sorted(seeds))
            name = _free(_name(members), {one.run for one in (*entries, *found)})
            found.append(dataclasses.replace(entry, run=name, evaluation={}, thorough=None, each=None, members=members))
    return found


def _name(members: Sequence[Entry]) -> str:
    """What their names have in common, and how many they are: "story-tau-0.3 (3 seeds)"."""
    names = [re.sub(rf"-seed-{member.seed}$", "", member.run) for member in members]
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    common = "".join(letters[0] for letters in same)
    if len(set(names)) > 1:
        common = common.rstrip("0123456789").rstrip("-._ ")
    return f"{common if len(common) >= SHORTEST_NAME else names[0]} ({len(members)} seeds)"


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free
