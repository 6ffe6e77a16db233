"""From a run's history and album to what the film of it shows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from bnvae.config.schema import RunConfig
from bnvae.plotting.palette import run_colours
from bnvae.runs import BrokenRunError, Run
from bnvae.runs.artifacts import snapshots as album
from bnvae.runs.progress.history import HistoryReader
from pages.components.time_film import FilmRun, Snapshot, kept, most_records
from pages.shared import cache
from pages.shared.panels import Blame, floor_label, say_broken, tested_by
from pages.shared.words import HEAD_FLOORS, caption_words, floors, told_words

SENTENCES, PICTURES = 6, 8


Recorded = tuple[Run, RunConfig, HistoryReader]


def films(found: Sequence[Recorded], blame: Blame = say_broken) -> list[FilmRun]:
    """A film of each run that has recorded something; what can't be shown is said."""
    shown = []
    colours = run_colours([config.model.head for _, config, _ in found])
    for (run, config, history), colour in zip(found, colours, strict=True):
        if not history.steps:
            continue
        try:
            shown.append(_film(run, config, history, colour))
        except BrokenRunError as error:
            blame(run, error)
    return shown


def _film(run: Run, config: RunConfig, history: HistoryReader, colour: str) -> FilmRun:
    model = config.model
    steps = [history.steps[i] for i in kept(len(history.steps), most_records(model.latent_dimensions))]
    moments = cache.snapshots(run)
    widest = _widest(moments)
    return FilmRun(
        title=run.id,
        caption=caption_words(config),
        colour=colour,
        steps=[record.step for record in steps],
        told=[told_words(tested_by(history, record.step)) for record in steps],
        kl=np.array([record.kl_per_dimension for record in steps]),
        mean_second_moment=np.array([record.mean_second_moment for record in steps]),
        std_second_moment=np.array([record.std_second_moment for record in steps]),
        current_floor=np.array([record.current_floor for record in steps]) if model.head in HEAD_FLOORS else None,
        fixed_floor=floors(config),
        fixed_floor_label=floor_label(config),
        labels=moments[-1].labels.tolist() if moments else (),
        label_names=run.card.label_names,
        map_caption=f"dimensions {widest[0]} and {widest[-1]}, whose means spread most at the end" if moments else "",
        originals=_made(run, cache.examples(run).examples),
        snapshots=[_snapshot(run, moment, widest) for moment in moments],
    )


def _widest(moments: Sequence[album.Snapshot]) -> list[int]:
    """The two dimensions whose posterior means spread most in the last snapshot; the only one twice."""
    if not moments:
        return []
    spread = moments[-1].mean.var(0, correction=0)
    order: list[int] = spread.argsort(descending=True)[:2].tolist()
    return order if len(order) == 2 else order * 2


def _snapshot(run: Run, moment: album.Snapshot, widest: list[int]) -> Snapshot:
    return Snapshot(
        step=moment.step,
        points=moment.mean[:, widest].numpy(),
        spreads=moment.std[:, widest].numpy(),
        samples=_made(run, moment.samples),
        reconstructions=_made(run, moment.reconstructions),
    )


def _made(run: Run, examples: Tensor) -> Any:
    if examples.dim() == 2:
        return cache.sentences(run, examples[:SENTENCES])
    return examples[:PICTURES].numpy()
