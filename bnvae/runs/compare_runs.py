"""From runs to the entries of a comparison: what a page and the command line show."""

from collections.abc import Mapping
from typing import Any, final

from bnvae.comparison.columns import Entry
from bnvae.comparison.seeds import seedless
from bnvae.config.display_names import data_title, recipe_words
from bnvae.config.schema import RunConfig
from bnvae.metrics.figures.example_figures import ExampleFigures
from bnvae.metrics.figures.figure_values import number
from bnvae.runs.artifacts.data_card import DataCard
from bnvae.runs.derived.kept_example_figures import read_example_figures
from bnvae.runs.evaluation_state import kept_thorough
from bnvae.runs.run import Run
from bnvae.runs.storage.atomic_files import BrokenRunError


@final
class DataNames:
    """Names for data sets: equal for equal data, different for different data that are called alike."""

    def __init__(self) -> None:
        self._digests: dict[str, str] = {}

    def words(self, config: RunConfig, card: DataCard) -> str:
        kind = "test sentences" if config.data.modality == "text" else "test pictures"
        if config.source == "arrays":
            kind = "codes"
        if card.test_examples == 1:
            kind = kind.removesuffix("s")
        words = f"{data_title(config)} · {card.test_examples:,} {kind}"
        if self._digests.setdefault(words, card.digest) != card.digest:
            words += f" · {card.digest[:8]}"
        return words


def entry(
    run: Run,
    config: RunConfig,
    card: DataCard,
    figures: tuple[Mapping[str, Any], Mapping[str, Any] | None, ExampleFigures | None],
    names: DataNames,
) -> Entry:
    """A run in a comparison; `figures` are its evaluation, its thorough figures and those of each test example."""
    evaluation, thorough, each = figures
    return Entry(
        run=run.id,
        recipe=recipe_words(config, number(evaluation, "test", "tau")),
        data=data_title(config),
        group=names.words(config, card),
        evaluation=evaluation,
        thorough=thorough,
        each=each,
        seedless=seedless(config).to_json() if is_as_configured(run, config) else "",
        seed=config.training.seed,
    )


def is_as_configured(run: Run, config: RunConfig) -> bool:
    """Whether the configuration alone decided on the training: it ran to its end, unchanged, from its own beginning."""
    try:
        changed = bool(run.desk.changes())
    except BrokenRunError:
        changed = True
    branched = (run.folder / "origin.json").exists()
    return run.status.state == "finished" and not (changed or branched or config.is_brought)


def kept_figures(run: Run) -> tuple[dict[str, Any], dict[str, Any] | None, ExampleFigures | None]:
    """What evaluations have left with a run: quick figures, thorough ones of its weights, those of each test example.

    Raises:
        BrokenRunError: the evaluation is damaged. Figures of each example that are damaged count as none.
    """
    evaluation = run.evaluation() or {}
    thorough = kept_thorough(run) if run.has_weights else None
    try:
        each = read_example_figures(run, evaluation, thorough)
    except BrokenRunError:
        each = None
    return evaluation, thorough, each


def entry_of(run: Run, names: DataNames) -> Entry:
    """A run in a comparison, read from its folder.

    Raises:
        BrokenRunError: a file of it is missing or damaged.
    """
    return entry(run, run.steered_config, run.card, kept_figures(run), names)
