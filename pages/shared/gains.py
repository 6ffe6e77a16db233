"""What the codes of the runs on show buy and what they cost, from the figures kept with the runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from bnvae.config.schema import RunConfig
from bnvae.metrics.downstream.downstream_figures import figures_bought
from bnvae.metrics.figures.figure_values import in_digits, number
from bnvae.runs import BrokenRunError, Run
from pages.components.gains import Bar, Gain, gains
from pages.shared.cache import version
from pages.shared.code_price import is_plain
from pages.shared.colours import colour_of
from pages.shared.label_gains import label_gains, percent
from pages.shared.notices import say
from pages.shared.panels import say_broken
from pages.shared.state import store

Kept = tuple[Run, RunConfig, Mapping[str, Any]]
"""a run and its evaluation"""


def code_gains(found: Sequence[tuple[Run, RunConfig]]) -> None:
    """Cards of labels needed, causes kept, edits and costs; the command that computes what a run has not."""
    kept = [(run, config, figures) for run, config in found if (figures := _evaluation(run)) is not None]
    with_gains = [one for one in kept if figures_bought(one[2])]
    without = [run for run, config in found if config.source != "arrays" and run not in {one[0] for one in with_gains}]
    if not with_gains and not without:
        return
    st.markdown("##### What the code buys")
    if without:
        commands = "\n".join(f"python -m bnvae evaluate {run.id}" for run in without)
        say("info", "What a code buys is not known of every run here. This computes it:", commands)
    cards = [card for card in (label_gains(with_gains), _causes(with_gains), _edits(with_gains)) if card.bars]
    if cards:
        gains(key="gains", cards=[*cards, _costs(with_gains)])


def _evaluation(run: Run) -> Mapping[str, Any] | None:
    try:
        return _read(run.id, version(run, "evaluation.json"))
    except BrokenRunError as error:
        say_broken(run, error)
        return None


@st.cache_data(max_entries=64, show_spinner=False)
def _read(run_id: str, evaluation: tuple[int, int]) -> Mapping[str, Any] | None:
    return store().get(run_id).evaluation()


def _causes(found: Sequence[Kept]) -> Gain:
    bars, notes = [], []
    for run, _, figures in found:
        own = figures["buys"]
        chance = _share(own, "causes_kept_by_chance")
        marks = [(chance, "another sentence's reconstruction")] if chance is not None else []
        bars += _bar(run, own, "causes_kept", marks)
        if chance is not None:
            notes.append(f"{run.id} {percent(chance)}")
    return Gain(
        title="Causes kept",
        caption="Share of a sentence's causes (who, what, where, how) that its reconstruction has as well.",
        bars=bars,
        note=f"Mark, by chance: {', '.join(notes)}." if notes else "",
    )


def _edits(found: Sequence[Kept]) -> Gain:
    bars, before, others = [], [], []
    for run, _, figures in found:
        own = figures["buys"]
        chance, changed = _share(own, "edits_took_by_chance"), _share(own, "edits_changed_others")
        marks = [(chance, "before the edit")] if chance is not None else []
        bars += _bar(run, own, "edits_took", marks)
        if chance is not None and changed is not None:
            before.append(f"{run.id} {percent(chance)}")
            others.append(f"{run.id} {percent(changed)}")
    return Gain(
        title="Edits that took",
        caption="How often the decoded sentence has the wanted value after one cause was changed in its code.",
        bars=bars,
        note=f"Mark, before the edit: {', '.join(before)}. Other causes changed: {', '.join(others)}."
        if before
        else "",
    )


def _costs(found: Sequence[Kept]) -> Gain:
    """Rates, and how much higher the −ELBO is than the plain run's."""
    plain = next((figures for _, config, figures in found if is_plain(config)), None)
    base = number(plain, "test", "elbo")
    bars, notes = [], []
    for run, _, figures in found:
        rate, elbo = number(figures, "test", "rate"), number(figures, "test", "elbo")
        if rate is None or elbo is None:
            continue
        bars.append(Bar(name=run.id, colour=colour_of(run), words=f"{in_digits(rate, 1)} nats"))
        if base is not None and figures is not plain:
            side = "higher" if base > elbo else "lower"
            notes.append(f"−ELBO of {run.id}: {in_digits(abs(base - elbo), 1)} nats {side} than the plain run's.")
    return Gain(
        title="What it costs",
        caption="The rate of a test example's code.",
        bars=bars,
        note=" ".join(notes),
    )


def _bar(run: Run, own: Mapping[str, Any], name: str, marks: Sequence[tuple[float, str]]) -> list[Bar]:
    """The run's bar, none where it has no such figure."""
    share = _share(own, name)
    if share is None:
        return []
    spread = number(own, f"{name}_standard_error")
    words = percent(share) + ("" if spread is None else f" ± {100 * spread:.1f}")
    return [Bar(name=run.id, colour=colour_of(run), words=words, share=share, marks=marks)]


def _share(own: Mapping[str, Any], name: str) -> float | None:
    """A figure from 0 to 1; None where it is missing, or a file has something else."""
    value = number(own, name)
    return value if value is not None and 0 <= value <= 1 else None
