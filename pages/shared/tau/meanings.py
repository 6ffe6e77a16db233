"""The three things that "the effect of tau" may mean, and which runs can show each of them."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import streamlit as st

from bnvae.config.schema import SCALED, RunConfig
from bnvae.runs import BrokenRunError, Run
from bnvae.runs.groups import group_of
from pages.components.tau_explorer import Meaning
from pages.shared.state import store
from pages.shared.tau.sweep import follow_sweep, offer_sweep

RESCALED, AMORTISED, RETRAINED = "rescaled", "amortised", "retrained"

MEANINGS = {
    RESCALED: Meaning(
        name="Rescaled",
        short="one model, its posteriors scaled",
        says="A model trained at one τ, its posteriors rescaled to every other in closed form.",
        says_not="Not what a model trained there would do: θ stays, and the decoder never saw another τ.",
    ),
    AMORTISED: Meaning(
        name="Amortised",
        short="one model for every τ",
        says="One model trained for every τ at once: θ and the decoder see τ, the encoder does not.",
        says_not="Not a model of its own at each τ: all of them share one encoder and one decoder.",
    ),
    RETRAINED: Meaning(
        name="Retrained",
        short="a model for each τ",
        says="A sweep: a model of its own for each τ, and the slider snaps to them.",
        says_not="Not one model that changes: nothing is known between two, and each has a code of its own.",
    ),
}

Found = tuple[Run, RunConfig]


@final
@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the slider moves: one run, or the members of a sweep in the order of tau."""

    meaning: str
    runs: Sequence[Found]


def choose_meaning(subject: Found, found: Sequence[Found]) -> Shown:
    """What the visitor wishes to see, by the chosen run or by another of the same data; it is said which and why."""
    run, config = subject
    own = AMORTISED if config.model.amortised else RESCALED
    in_url = st.query_params.get("meaning", own)
    wish = st.radio(
        "What τ means here",
        list(MEANINGS),
        index=list(MEANINGS).index(in_url if in_url in MEANINGS else own),
        format_func=lambda name: MEANINGS[name].name,
        captions=[meaning.short for meaning in MEANINGS.values()],
        horizontal=True,
        key=f"meaning-{run.id}",
    )
    if wish == own:
        st.query_params.pop("meaning", None)
        return Shown(meaning=own, runs=[subject])
    st.query_params["meaning"] = wish
    instead = sweep(subject, found) if wish == RETRAINED else _of_the_same_data(subject, amortised=wish == AMORTISED)
    if not instead:
        _say_how(wish, subject)
        return Shown(meaning=own, runs=[subject])
    if wish == AMORTISED:
        st.caption("The chosen run was trained at one τ. Shown instead, one of the same data trained for every τ:")
        st.text(instead[0][0].id)
    elif wish == RESCALED:
        st.caption("The chosen run was trained for every τ. Shown instead, one of the same data trained at one τ:")
        st.text(instead[0][0].id)
    elif run.id not in [member.id for member, _ in instead]:
        st.caption("The chosen run is of no sweep. Shown instead, one over τ of the same data, a model for each:")
        st.text(", ".join(member.id for member, _ in instead))
    if wish == RETRAINED:
        follow_sweep(instead[0][0])
    return Shown(meaning=wish, runs=instead)


def _say_how(wish: str, subject: Found) -> None:
    if wish == RETRAINED:
        offer_sweep(*subject)
    elif wish == AMORTISED:
        st.info("No run of these data was trained for every τ. Train one on the Train page, or with --tau amortised.")
    else:
        st.info("No run of these data was trained at one τ: there is nothing to rescale.")


def sweep(subject: Found, found: Sequence[Found]) -> list[Found]:
    """Runs that differ in tau alone, in its order: the sweep of the chosen run, else chosen runs, else any sweep of its
    data; empty unless there are two."""
    own = group_of(subject[0])
    groups = store().groups()
    sweeps = [groups.pop(own)] if own in groups else []
    candidates = [*map(_trained, sweeps), [*found, subject], *map(_trained, groups.values())]
    digest = subject[0].card.digest
    for candidate in candidates:
        of_the_data = [(run, config) for run, config in candidate if run.card.digest == digest]
        first = subject if subject in of_the_data else of_the_data[0] if of_the_data else None
        if first is not None and len(members := _alike(first, of_the_data)) > 1:
            return members
    return []


def _trained(runs: Sequence[Run]) -> list[Found]:
    """Those that can be shown; a sweep may still be under way."""
    found = []
    for run in runs:
        try:
            if run.has_weights and run.has_encodings:
                run.card  # noqa: B018  # whether it can be read
                found.append((run, run.steered_config))
        except BrokenRunError:
            continue  # it is said on pages where it was chosen
    return found


def _alike(first: Found, runs: Sequence[Found]) -> list[Found]:
    recipe = _recipe(first[1])
    alike = {config.model.tau: (run, config) for run, config in runs if _recipe(config) == recipe}
    return [alike[tau] for tau in sorted(alike)]


def _recipe(config: RunConfig) -> RunConfig:
    """All that makes two runs members of one sweep: everything but tau."""
    return dataclasses.replace(config, model=dataclasses.replace(config.model, tau=0.0))


def _of_the_same_data(subject: Found, *, amortised: bool) -> list[Found]:
    """The first run of the same data that was, or was not, trained for every tau."""
    digest = subject[0].card.digest
    for run, config in _trained(store().runs()):
        if config.model.head in SCALED and config.model.amortised == amortised and run.card.digest == digest:
            return [(run, config)]
    return []
