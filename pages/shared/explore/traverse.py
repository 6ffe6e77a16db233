"""The Traverse tab: each coordinate of one code moved by itself, the dimension that carries most on top."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import streamlit as st
import torch

from bnvae.config.schema import RunConfig
from bnvae.latent.traversal import by_kl, is_seen, picture_change, steps, traverse
from bnvae.metrics.word_diff import words_changed
from bnvae.runs import Run
from pages.components.kl_bars import DEAD_BELOW_NATS
from pages.components.sentence_list import KeptPair
from pages.components.traversal_grid import Traversal, TraversedRow, traversal_grid
from pages.shared.colours import colour_of
from pages.shared.explore import cache as explore_cache
from pages.shared.explore.start import NoSuchStart, Start, choose_start, say_no_start, shown, start_at
from pages.shared.map.links import link_to_map
from pages.shared.panels import say_broken
from pages.shared.told_again import pair_of
from pages.shared.words import caption_words

VALUES = {"image": 7, "text": 5}
"""steps of a row: sentences take more room"""
OPEN_ROWS = {"image": 16, "text": 6}
"""shown at once: the rest, with less KL, unfolds at a press"""
FIRST_ROWS, LAST_ROWS = 48, 16
"""shown of a run with more dimensions: those with the largest KL and those with the smallest"""
REACH_HELP = "Each coordinate goes from −this to this, in standard deviations of the prior; all others stay."
UNITS = {"image": "grey levels of 255", "text": "words"}


@final
@dataclass(frozen=True)
class Made:
    run: Run
    config: RunConfig
    start: Start
    traversal: Traversal


def show_traverse(found: Sequence[tuple[Run, RunConfig]]) -> None:
    """The controls, and a grid for each run."""
    first, second, third, _ = st.columns([1, 1, 1, 1], vertical_alignment="bottom")
    with first:
        index = choose_start("Test example", found, key="example")
    with second:
        reach = st.slider("Reach, prior std", 1.0, 5.0, 3.0, 0.5, key="reach", bind="query-params", help=REACH_HELP)
    with third:
        link_to_map([run for run, _ in found], index)
    made = []
    for run, config in found:
        try:
            start = start_at(run, config, index)
            made.append(Made(run, config, start, _traversed(run, start, steps(reach, VALUES[config.data.modality]))))
        except NoSuchStart as error:
            say_no_start(run, error)
        except ValueError as error:
            say_broken(run, error)
    if not made:
        return
    rows = [(one.config.data.modality, row) for one in made for row in one.traversal.rows]
    kl_top = max(row.kl for _, row in rows)
    for column, one in zip(st.columns(len(made), gap="large"), made, strict=True):
        modality = one.config.data.modality
        with column:
            traversal_grid(
                key=f"traverse-{one.run.id}",
                traversal=one.traversal,
                title=one.run.id,
                caption=f"{caption_words(one.config)} · {one.start.words}",
                colour=colour_of(one.run),
                words=_said(one.traversal, reach, modality),
                unit=UNITS[modality],
                open_rows=OPEN_ROWS[modality],
                tops=(kl_top, max(row.change for kind, row in rows if kind == modality)),
            )


def _traversed(run: Run, start: Start, values: Sequence[float]) -> Traversal:
    kl = explore_cache.kl_per_dimension(run)
    order = by_kl(kl)
    dimensions = order if len(order) <= FIRST_ROWS + LAST_ROWS else order[:FIRST_ROWS] + order[-LAST_ROWS:]
    codes = traverse(start.code, dimensions, values).flatten(0, 1)
    rows = explore_cache.decoded(run, torch.cat([start.code[None], codes]), private=start.private)
    decoded = shown(run, rows)
    changes = _changes(decoded, len(dimensions))
    return Traversal(
        values=values,
        rows=[
            TraversedRow(
                dimension=dimension,
                kl=kl[dimension],
                change=change,
                at=float(start.code[dimension]),
                dead=kl[dimension] < DEAD_BELOW_NATS,
                seen=visible,
            )
            for dimension, (change, visible) in zip(dimensions, changes, strict=True)
        ],
        decoded=decoded[1:],
        start=decoded[0],
        original=start.original,
        kept=_kept(run.config, start.original, decoded[0]),
    )


def _kept(config: RunConfig, original: object, decoded: object) -> KeptPair | None:
    return pair_of(config, original, decoded) if isinstance(original, str) and isinstance(decoded, str) else None


def _changes(decoded: "list[str] | np.ndarray", rows: int) -> list[tuple[float, bool]]:
    """Of each row, the mean distance of what was decoded from the first, the starting code's; whether it is seen."""
    if isinstance(decoded, list):
        counted = {sentence: words_changed(sentence, decoded[0]) for sentence in set(decoded)}
        table = np.array([counted[sentence] for sentence in decoded[1:]], dtype=float).reshape(rows, -1)
        return [(float(mean), mean > 0) for mean in table.mean(1)]
    pictures, start = torch.from_numpy(decoded[1:].reshape(rows, -1, *decoded.shape[1:])), torch.from_numpy(decoded[0])
    return list(zip(picture_change(pictures, start).tolist(), is_seen(pictures, start).tolist(), strict=True))


def _said(traversal: Traversal, reach: float, modality: str) -> str:
    """What the grid shows, in a sentence or two."""
    rows = traversal.rows
    alive = sum(not row.dead for row in rows)
    unit = "words" if modality == "text" else "grey levels of 255"
    moved = f"Moved from −{reach:g} to {reach:g}, "
    if not any(row.seen for row in rows):
        changes = _range([row.change for row in rows])
        words = f"{moved}no dimension changes anything that could be seen: {changes} {unit} on average. "
        if not alive:
            return f"{words}The code is ignored."
        return f"{words}{alive} of {len(rows)} have a KL all the same: they carry what the decoder ignores here."
    seen, still = [row.change for row in rows if row.seen], [row for row in rows if not row.seen]
    if not still:
        return f"{moved}every dimension changes something: {_range(seen)} {unit} on average."
    unread = sum(not row.dead for row in still)
    why = f"{unread} of them have a KL all the same" if unread else "they are dead"
    return (
        f"{moved}{len(seen)} of {len(rows)} dimensions change what is decoded: {_range(seen)} {unit} on average. "
        f"The other {len(still)} leave it as it is: {why}."
    )


def _range(values: Sequence[float]) -> str:
    low, high = (f"{value:.1f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"
