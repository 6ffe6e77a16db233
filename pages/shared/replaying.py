"""From a run's history and album to what the film of it shows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from torch import Tensor

from bnvae.config import RunConfig
from bnvae.runs import BrokenRunError, Run
from bnvae.runs import snapshots as album
from bnvae.runs.history import HistoryReader
from pages.components.time_film import FilmRun, Snapshot
from pages.shared import cache
from pages.shared.colours import colour_of
from pages.shared.panels import HEAD_FLOORS, floor_label, floors, say_broken
from pages.shared.words import head_words

SENTENCES, PICTURES = 6, 8


def step_in_url() -> int | None:
    """The step in the URL, or None for the end."""
    written = st.query_params.get("step", "")
    return int(written) if written.isdecimal() and len(written) < 12 else None


def films(found: Sequence[tuple[Run, RunConfig, HistoryReader]]) -> list[FilmRun]:
    """A film of each run that has recorded something; what can't be shown is said."""
    shown = []
    for run, config, history in found:
        if not history.steps:
            st.info("This run has recorded nothing yet: its film begins with its first steps.")
            st.text(run.id)
            continue
        try:
            shown.append(_film(run, config, history))
        except BrokenRunError as error:
            say_broken(run, error)
    return shown


def _film(run: Run, config: RunConfig, history: HistoryReader) -> FilmRun:
    steps, model = history.steps, config.model
    moments = cache.snapshots(run)
    widest = _widest(moments)
    return FilmRun(
        title=run.id,
        caption=head_words(config),
        colour=colour_of(run),
        steps=[record.step for record in steps],
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
