"""The panels that pages are put together from; each shows one thing of one or more runs."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from bnvae.config.schema import RunConfig
from bnvae.runs import BrokenRunError, Run
from bnvae.runs.artifacts.previews import Preview
from bnvae.runs.progress.history import HistoryReader
from bnvae.training.records import EvaluationRecord, Record
from pages.components.kl_bars import chart, draw_kl_bars
from pages.components.preview_sections import Made, draw_preview_sections, section
from pages.shared import cache
from pages.shared.colours import colour_of
from pages.shared.notices import say
from pages.shared.told_again import marks_of
from pages.shared.words import HEAD_FLOORS, caption_words, floors, told_words, verdict_words

LEGIBLE_PX = 64
"""width of a picture on the page, however few pixels it has"""
PREVIEWED = 8
"""samples, and as many reconstructions"""


def say_broken(run: Run, error: Exception) -> None:
    """What is wrong with a run, as plain text: its words may come from a stranger's file."""
    words = str(error)
    say(
        "error",
        "This run cannot be shown. Delete it on the Runs page, or put its folder right.",
        words if words.startswith(run.id) else f"{run.id}: {words}",
    )


Blame = Callable[[Run, Exception], None]
"""what to do about a run that can't be shown"""


def readable(runs: Sequence[Run], blame: Blame = say_broken) -> list[tuple[Run, RunConfig]]:
    """The runs whose configuration can be read; for each other one the page says what is wrong with it."""
    found = []
    for run in runs:
        try:
            found.append((run, run.steered_config))
        except BrokenRunError as error:
            blame(run, error)
    return found


def histories(
    found: Sequence[tuple[Run, RunConfig]], blame: Blame = say_broken
) -> list[tuple[Run, RunConfig, HistoryReader]]:
    """The runs with what they recorded so far; a damaged history is said."""
    with_history = []
    for run, config in found:
        try:
            with_history.append((run, config, cache.history(run, config.model.latent_dimensions)))
        except ValueError as error:
            blame(run, error)
    return with_history


def bars(
    run: Run, config: RunConfig, record: Record | None, tested: EvaluationRecord | None, *, key: str, caption: str = ""
) -> None:
    """KL per dimension of one record, with both floors, and what the evaluation before it found the code to tell."""
    data = bars_chart(run, config, record, tested, colour=colour_of(run), caption=caption)
    draw_kl_bars(key=f"bars-{key}-{run.id}", data=data)


def bars_chart(
    run: Run,
    config: RunConfig,
    record: Record | None,
    tested: EvaluationRecord | None,
    *,
    colour: str,
    caption: str = "",
) -> dict[str, Any]:
    """What the bars of one record draw."""
    fixed = floors(config)
    return chart(
        None if record is None else record.kl_per_dimension,
        None if record is None else fixed,
        getattr(record, "current_floor", None) if fixed else None,
        title=run.id,
        caption=caption or caption_words(config),
        colour=colour,
        scale_group="kl",
        fixed_floor_label=floor_label(config),
        y_max=max(fixed) if fixed else 0.1,
        told=told_words(tested),
    )


def floor_label(config: RunConfig) -> str:
    """What the line over the bars is; an amortised run's bars are means over τ, and so is its floor."""
    return "mean floor over τ" if config.model.amortised else HEAD_FLOORS.get(config.model.head, "")


def decoded(shown: Mapping[str, tuple[Run, Tensor]], *, key: str, label: str) -> None:
    """What several models made, side by side under their titles: sentences row by row, pictures as grids of equal size.

    `shown` maps a title to a run, whose vocabulary is used, and its pixels or tokens.
    """
    made = {title: shown_as(run, rows) for title, (run, rows) in shown.items()}
    draw_sections(key=f"decoded-{key}", sections=[section(label, made, picture_px=LEGIBLE_PX)])


def draw_sections(*, key: str, sections: Sequence[Mapping[str, Any]]) -> None:
    """What `section` or `told_again` returned, one under the other."""
    draw_preview_sections(key=key, data={"note": "", "sections": list(sections)})


Rebuilt = tuple[Run, RunConfig, Tensor, Tensor]
"""a run, some test examples, and what it made of them"""


def told_again(
    label: str, rebuilt: Mapping[str, Rebuilt], *, kinds: Mapping[Run, str] | None = None, **options: Any
) -> dict[str, Any]:
    """A section of examples and, under each model's title, their reconstructions; kept words are marked in both.

    They are test examples, or of these `kinds`; `options` are those of `marks_of`. Sentences are only compared with
    those of the same data: of several data sets nothing is marked.
    """
    originals = distinct([(run, examples) for run, _, examples, _ in rebuilt.values()], kinds=kinds)
    made = {title: shown_as(run, rows) for title, (run, rows) in originals.items()}
    made |= {title: shown_as(run, rows) for title, (run, _, _, rows) in rebuilt.items()}
    texts = {title: sentences for title, sentences in made.items() if not isinstance(sentences, np.ndarray)}
    told = {title: (run, config, texts[title]) for title, (run, config, _, _) in rebuilt.items() if title in texts}
    lines = [(title, texts[title]) for title in originals if title in texts]
    marks = marks_of(lines[0], told, **options) if len(lines) == 1 else None
    return section(label, made, picture_px=LEGIBLE_PX, marks=marks)


def preview_sections(found: Sequence[tuple[Run, RunConfig]], blame: Blame = say_broken) -> dict[str, Any]:
    """What models made at their last evaluation: prior samples, and reconstructions beside their originals.

    What of a run can't be shown is left out and blamed.
    """
    made: dict[Run, Preview] = {}
    for run, config in found:
        try:
            preview = cache.preview(run)
            if preview is not None and config.data.modality == "text":
                cache.vocabulary(run)
        except ValueError as error:
            blame(run, error)
            continue
        if preview is not None:
            made[run] = preview
    if not made:
        note = "Prior samples and reconstructions appear at the first evaluation, after 100 steps."
        return {"note": note, "sections": []}
    names = {run: f"{run.id} at step {preview.step:,}" for run, preview in made.items()}
    samples = {names[run]: shown_as(run, preview.samples[:PREVIEWED]) for run, preview in made.items()}
    configs = dict(found)
    rebuilt = {
        names[run]: (run, configs[run], preview.originals[:PREVIEWED], preview.reconstructions[:PREVIEWED])
        for run, preview in made.items()
    }
    sections = [
        section("Decoded from the same prior samples", samples, picture_px=LEGIBLE_PX),
        told_again(
            f"{_of_splits(made)} examples and their reconstructions",
            rebuilt,
            kinds={run: f"{watched_words(run)} example" for run in made},
        ),
    ]
    return {"note": "", "sections": sections}


def watched_words(run: Run) -> str:
    """The split that evaluations and previews of a training are of; "held-out" where what says so is damaged."""
    try:
        return run.card.watched
    except ValueError:
        return "held-out"


def _of_splits(runs: Iterable[Run]) -> str:
    """The splits that previews of these runs are of, as words that begin a line: "Validation"."""
    return " and ".join(sorted({watched_words(run) for run in runs}, reverse=True)).capitalize()


def shown_as(run: Run, rows: Tensor) -> Made:
    """Pixels as they are, tokens as sentences by the run's own vocabulary."""
    return cache.sentences(run, rows) if rows.dim() == 2 else rows.numpy()


def distinct(
    originals: Sequence[tuple[Run, Tensor]], *, kinds: Mapping[Run, str] | None = None
) -> dict[str, tuple[Run, Tensor]]:
    """Examples under their titles, once for all the runs that were given the same; test examples, or of these kinds."""
    shown: dict[str, tuple[Run, Tensor]] = {}
    for run, rows in originals:
        if not any(torch.equal(rows, others) for _, others in shown.values()):
            kind = kinds[run] if kinds else "test example"
            shown[f"{kind} of {run.id}" if shown else kind] = run, rows
    return shown


def last_record(history: HistoryReader) -> Record | None:
    """The newest step of a history; None before the first."""
    return history.steps[-1] if history.steps else None


def tested_by(history: HistoryReader, step: int) -> EvaluationRecord | None:
    """The last evaluation up to a step; None before the first."""
    found = bisect_right(history.evaluations, step, key=lambda record: record.step)
    return history.evaluations[found - 1] if found else None


def sentence_on(config: RunConfig, history: HistoryReader) -> None:
    """What is known of the code at the end of a history, in words."""
    if (record := last_record(history)) is not None:
        st.markdown(verdict_words(config, record, tested_by(history, record.step)))
