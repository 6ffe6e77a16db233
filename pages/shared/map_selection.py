"""What is told of a lasso: labels, mean code decoded, dimensions that tell it apart, its direction, a table to keep."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from bnvae.analysis.selection import Difference, difference
from bnvae.runs import Run
from pages.components.image_grid import image_grid
from pages.components.sentence_list import sentence_columns
from pages.shared import cache, map_cache
from pages.shared.map_answers import Chosen
from pages.shared.map_export import table_of
from pages.shared.map_panels import Chart
from pages.shared.panels import LEGIBLE_PX

TELLING = 6
"""dimensions that are listed"""
STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)
STRENGTH_HELP = "1 goes from the middle of the rest to the middle of the selection."


def tell_selection(charts: Sequence[Chart], rows: Sequence[int], answers: Sequence[Chosen | None]) -> None:
    """Everything about the chosen examples, for each run side by side."""
    st.divider()
    left, right = st.columns([1, 1], gap="large")
    with left:
        st.text(f"{len(rows):,} examples are chosen.")
        if charts[0].encoded.label_names:
            _labels(charts[0].encoded, rows)
    with right:
        strength = st.slider("Strength of the direction", 0.0, 4.0, 2.0, 0.5, key="strength", help=STRENGTH_HELP)
        for chart in charts:
            st.download_button(
                f"Table of {chart.run.id} (.csv)",
                data=partial(table_of, chart, rows),
                file_name=f"{chart.run.id}-selection.csv",
                mime="text/csv",
                icon=":material/download:",
                on_click="ignore",
                key=f"table-{chart.run.id}",
            )
    for column, chart, answer in zip(st.columns(len(charts), gap="large"), charts, answers, strict=True):
        with column:
            try:
                found = difference(chart.encoded.mean, torch.tensor(rows))
            except ValueError:
                st.caption("None of the chosen examples has a code in this run.")
                continue
            _tell_one(chart, found, strength, answer)


def _labels(encoded: map_cache.Encoded, rows: Sequence[int]) -> None:
    chosen = encoded.labels[torch.tensor(rows)]
    counts = [(index, int((chosen == index).sum())) for index in range(len(encoded.label_names))]
    ordered = sorted((pair for pair in counts if pair[1]), key=lambda pair: -pair[1])
    st.dataframe(
        {
            "label": [encoded.label_names[index] for index, _ in ordered],
            "chosen": [count for _, count in ordered],
            "share of the selection": [100 * count / len(rows) for _, count in ordered],
            "share of its label": [100 * count / int((encoded.labels == index).sum()) for index, count in ordered],
        },
        column_config={
            name: st.column_config.NumberColumn(format="%.1f %%")
            for name in ("share of the selection", "share of its label")
        },
        hide_index=True,
        height=min(38 * (len(ordered) + 1), 320),
    )


def _tell_one(chart: Chart, found: Difference, strength: float, answer: Chosen | None) -> None:
    run = chart.run
    st.text(f"{run.id} · mean code of the selection, decoded")
    _made(run, found.mean[None], [""], key=f"selection-mean-{run.id}", titles="decoded from the mean code")
    telling = found.order[:TELLING]
    st.text("Dimensions that tell it from the rest")
    st.dataframe(
        {
            "dimension": telling,
            "difference, std within": found.effect[telling].numpy(),
            "mean of the selection": found.mean[telling].numpy(),
            "mean of the rest": (found.mean - found.direction)[telling].numpy(),
        },
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("difference, std within", "mean of the selection", "mean of the rest")
        },
        hide_index=True,
    )
    if not found.rest:
        st.caption("All examples are chosen: there is no rest to differ from.")
        return
    base = found.mean - found.direction if answer is None else answer.code
    named = "the middle of the rest" if answer is None else "the code of the click"
    st.text(f"The direction of the selection, added to {named} with strengths from {-strength:g} to {strength:g}")
    strengths = [step * strength for step in STEPS]
    codes = torch.stack([base + amount * found.direction for amount in strengths])
    captions = [f"strength {amount:+g}" for amount in strengths]
    _made(run, codes, captions, key=f"selection-direction-{run.id}", titles="from the least to the most")


def _made(run: Run, codes: Tensor, captions: Sequence[str], *, key: str, titles: str) -> None:
    made = map_cache.decoded(run, codes)
    if made.dim() == 2:
        sentence_columns(key=key, columns={titles: cache.sentences(run, made)}, label=titles)
        return
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] = made.numpy()
    scale = max(2.0, 1.1 * LEGIBLE_PX / pixels.shape[3])
    image_grid(key=key, pixels=pixels, columns=len(pixels), alt=titles, captions=captions, scale=scale)
