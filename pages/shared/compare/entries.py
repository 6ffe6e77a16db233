"""From runs to the entries of a comparison, with what the doctor says of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import streamlit as st

from bnvae.comparison.columns import Entry
from bnvae.comparison.conventions import Sizes
from bnvae.config.schema import SCALED, RunConfig
from bnvae.data.dataset import ImageShape
from bnvae.metrics.diagnostics.code_use import CodeUse
from bnvae.metrics.diagnostics.diagnose import diagnose
from bnvae.metrics.diagnostics.finding import Finding, Patient, use_of
from bnvae.metrics.figures.example_figures import ExampleFigures
from bnvae.metrics.figures.figure_values import number
from bnvae.nn.posterior import fixed_floors
from bnvae.runs import Run
from bnvae.runs.artifacts.data_card import DataCard
from bnvae.runs.compare_runs import DataNames, entry, kept_figures
from bnvae.runs.derived.kept_example_figures import EXAMPLE_FIGURES
from bnvae.training.records import EvaluationRecord
from pages.shared import cache
from pages.shared.cache import version
from pages.shared.colours import colour_of
from pages.shared.notices import say
from pages.shared.panels import say_broken
from pages.shared.state import store
from pages.shared.words import HEAD_FLOORS, forced_words

Figures: TypeAlias = tuple[dict[str, Any], dict[str, Any] | None, ExampleFigures | None]
"""evaluation, thorough figures, those of each test example"""


@final
@dataclass(frozen=True, kw_only=True)
class Compared:
    """One run of a comparison, and all that its figures are shown with."""

    run: Run
    config: RunConfig
    card: DataCard
    entry: Entry
    findings: Sequence[Finding]
    colour: str

    use: CodeUse
    """what its figures say of the use of its code"""

    @property
    def sizes(self) -> Sizes:
        """What other conventions divide by."""
        shape, thorough = self.card.shape, self.entry.thorough or {}
        if isinstance(shape, ImageShape):
            values = float(shape.channels * shape.height * shape.width)
        else:
            values = float(thorough.get("tokens") or shape.max_tokens - 1)
        return Sizes(
            values=values,
            dimensions=self.config.model.latent_dimensions,
            batch_size=self.config.training.batch_size,
            beta=self.config.training.beta,
            modality=self.config.data.modality,
        )


def compared(found: Sequence[tuple[Run, RunConfig]]) -> list[Compared]:
    """The runs that have a data card, in order; what is wrong with another one is said."""
    cards, groups, not_begun = [], DataNames(), []
    for run, config in found:
        try:
            if not run.has_weights and not (run.folder / "data.json").exists():
                not_begun.append(run.id)
                continue
            cards.append((run, config, run.card, _figures(run)))
        except ValueError as error:
            say_broken(run, error)
    if not_begun:
        say("info", "Not begun, and so without figures yet:", ", ".join(not_begun))
    return [_compared(run, config, card, figures, groups) for run, config, card, figures in cards]


def compared_beside(runs: Sequence[Run]) -> list[Compared]:
    """Those that have figures, without a word on the others: they were not chosen."""
    found, groups = [], DataNames()
    for run in runs:
        try:
            figures = _figures(run)
            if figures[0]:
                found.append(_compared(run, run.steered_config, run.card, figures, groups))
        except ValueError:
            continue
    return found


def _compared(run: Run, config: RunConfig, card: DataCard, figures: Figures, groups: DataNames) -> Compared:
    evaluation, thorough, _ = figures
    patient = Patient(
        evaluation=evaluation,
        thorough=thorough,
        modality=config.data.modality,
        fixed_floor=floors_of_figures(config, evaluation) or [],
        unit_moments=config.model.head in SCALED,
        recorded=_recorded(run, config),
        forces_active=bool(forced_words(config)),
        has_model=config.source != "arrays",
    )
    return Compared(
        run=run,
        config=config,
        card=card,
        entry=entry(run, config, card, figures, groups),
        findings=diagnose(patient),
        colour=colour_of(run),
        use=use_of(patient),
    )


def _recorded(run: Run, config: RunConfig) -> EvaluationRecord | None:
    """The last evaluation of its training; what is wrong with a history is said where its curves are."""
    try:
        evaluations = cache.history(run, config.model.latent_dimensions).evaluations
    except ValueError:
        return None
    return evaluations[-1] if evaluations else None


def floors_of_figures(config: RunConfig, evaluation: Mapping[str, Any]) -> list[float] | None:
    """The fixed floor of each dimension (nats) at the tau that the figures are of; None for a head without one.

    A model made for every tau has another floor while it trains: the mean over the draws of tau.
    """
    model = config.model
    if model.head not in HEAD_FLOORS:
        return None
    tau = number(evaluation, "test", "tau")
    at = tau if tau is not None and 0 <= tau < 1 else model.tau
    return fixed_floors(model.head, model.latent_dimensions, tau=at, gamma=model.gamma)


def _figures(run: Run) -> Figures:
    files = ("evaluation.json", "weights.safetensors", EXAMPLE_FIGURES)
    return _kept(run.id, *(version(run, name) for name in files))


@st.cache_data(max_entries=64, show_spinner=False)
def _kept(run_id: str, evaluation: tuple[int, int], weights: tuple[int, int], each: tuple[int, int]) -> Figures:
    return kept_figures(store().get(run_id))
