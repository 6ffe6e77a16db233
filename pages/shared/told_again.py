"""Sentences beside their reconstructions: what is marked in them, and what share of it each model keeps."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from bnvae.config.schema import RunConfig
from bnvae.metrics.downstream.kept_words import SHOWN_CAUSES, KeptWords, kept_causes, kept_words
from bnvae.plotting.palette import CAUSE_COLOURS, KEPT_COLOUR
from bnvae.runs import BrokenRunError, Run
from pages.components.sentence_list import KeptPair, Kind, Marks
from pages.shared import cache
from pages.shared.state import store

FROM_MEANS = "Each example's posterior mean is decoded"
GREEDILY = f"{FROM_MEANS} greedily, with the most probable word at each place."
CAUSES = [Kind(name=name, colour=CAUSE_COLOURS[name], faint=name in ("tense", "aspect")) for name in SHOWN_CAUSES]
WORDS = [Kind(name="word", colour=KEPT_COLOUR)]
SHARE_OF = {"causes": "of the causes", "words": "of the words"}

Unit = Literal["causes", "words"]


def unit_of(configs: Sequence[RunConfig]) -> Unit:
    """What of their sentences is marked: known causes where words tell them, else words that are the same."""
    return "causes" if all(config.data.name == "storybook" for config in configs) else "words"


def marks_of(
    originals: tuple[str, Sequence[str]],
    again: Mapping[str, tuple[Run, RunConfig, Sequence[str]]],
    *,
    how: str = GREEDILY,
    evaluated: bool = True,
) -> Marks:
    """Marks of sentences, given with their title, and of what models made of them, each under its title.

    `how` says how the sentences were decoded. With `evaluated`, the share kept is that of the run's last evaluation
    where there is one, over many test sentences; else that of the sentences shown.
    """
    title, lines = originals
    unit = unit_of([config for _, config, _ in again.values()])
    find = kept_causes if unit == "causes" else kept_words
    found = find(lines, [sentences for _, _, sentences in again.values()])
    notes = {
        name: (evaluated and unit == "causes" and share_evaluated(run)) or share_shown(found, place, unit)
        for place, (name, (run, _, _)) in enumerate(again.items())
    }
    return Marks(
        parts={title: found.originals} | dict(zip(again, found.again, strict=True)),
        kinds=CAUSES if unit == "causes" else WORDS,
        notes=notes,
        says=f"{how} {_says(unit, several=len(again) > 1)}",
    )


def pair_of(config: RunConfig, line: str, again: str) -> KeptPair | None:
    """One sentence and its reconstruction; None where one of them has no words."""
    if not line.strip() or not again.strip():
        return None
    unit = unit_of([config])
    found = (kept_causes if unit == "causes" else kept_words)([line], [[again]])
    kinds = CAUSES if unit == "causes" else WORDS
    return KeptPair(original=found.originals[0], again=found.again[0][0], kinds=kinds, says=_says(unit, several=False))


def _says(unit: Unit, *, several: bool) -> str:
    what = "words that are the same" if unit == "words" else "causes with the same value, also in other words"
    union = "; in the original, what at least one run keeps" if several else ""
    return f"Marked in both: {what}{union}."


def share_shown(found: KeptWords, place: int, unit: Unit) -> str:
    """What a model keeps of the sentences shown, in words."""
    count = len(found.originals)
    if not found.told:
        return ""
    share = found.kept[place] / found.told
    which = f"the {count} sentences shown" if count > 1 else "the sentence shown"
    return f"keeps {share:.0%} {SHARE_OF[unit]}: {found.kept[place]} of {found.told} in {which}".replace("%", " %")


def share_evaluated(run: Run) -> str:
    """The share of known causes that a run keeps by its last evaluation, in words; "" where it tells none."""
    if run.status.alive:
        return ""  # it shows other weights than were evaluated
    try:
        kept = _causes(run.id, cache.version(run, "evaluation.json"))
    except BrokenRunError:
        return ""  # it is said where figures are shown
    if kept is None:
        return ""
    share, chance, sentences = kept
    return (
        f"keeps {share:.0%} {SHARE_OF['causes']} (chance {chance:.0%}), mean of {sentences:,} test sentences".replace(
            "%", " %"
        )
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _causes(run_id: str, evaluation: tuple[int, int]) -> tuple[float, float, int] | None:
    """Share kept, chance and number of sentences; None where the evaluation has none that are numbers."""
    figures: Any = store().get(run_id).evaluation()
    for name in ("buys", "causes"):
        figures = figures.get(name) if isinstance(figures, dict) else None
    if not isinstance(figures, dict):
        return None
    numbers = [figures.get(name) for name in ("mean", "mean_permuted_chance", "sentences")]
    if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
        return None
    share, chance, sentences = (float(number or 0) for number in numbers)
    return share, chance, int(sentences)
