"""What is told of a lasso: labels, mean code decoded, dimensions that tell it apart, its direction, a table to keep."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st
import torch
from jaxtyping import Int
from torch import Tensor

from bnvae.latent.selection import Difference, difference, separation
from bnvae.runs import Run
from pages.components.image_grid import image_grid
from pages.components.sentence_list import sentence_columns
from pages.shared import cache
from pages.shared.map import cache as map_cache
from pages.shared.map.answers import Chosen
from pages.shared.map.colours import Colouring
from pages.shared.map.export import table_of
from pages.shared.map.panels import Chart
from pages.shared.notices import say
from pages.shared.panels import LEGIBLE_PX
from pages.shared.words import COLLAPSED_BELOW_NATS

TELLING = 6
"""dimensions that are listed"""
MOST_LABELS = 3
"""that are named in a line"""
STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0)
STRENGTH_HELP = "1 goes from the middle of the rest to the middle of the selection."


def tell_selection(
    charts: Sequence[Chart], colours: Colouring, rows: Sequence[int], answers: Sequence[Chosen | None]
) -> None:
    """Everything about the chosen examples, for each run side by side."""
    st.divider()
    left, right = st.columns([1, 1], gap="large")
    with left:
        st.text(f"{len(rows):,} examples are chosen.")
        if counted := _counted(charts[0].encoded, colours):
            _labels(*counted, rows)
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


def selection_words(charts: Sequence[Chart], colours: Colouring, rows: Sequence[int]) -> str:
    """How many are chosen, of which kinds most, and in which runs nothing but noise tells them from the rest."""
    words = f"{len(rows):,} examples are chosen"
    if counted := _counted(charts[0].encoded, colours):
        kinds, names = counted
        counts = torch.bincount(kinds[torch.tensor(rows)].clamp(-1, len(names)) + 1, minlength=len(names) + 2)[1:-1]
        most = [int(kind) for kind in counts.argsort(descending=True)[:MOST_LABELS] if counts[kind]]
        shares = ", ".join(f"{names[kind]} ({counts[kind] / len(rows):.0%})" for kind in most)
        words += f": {shares}{', others' if int((counts > 0).sum()) > len(most) else ''}" if most else ""
    noise = [chart.run.id for chart in charts if _is_noise(chart, rows)]
    if noise:
        words += f". In {' and '.join(noise)} nothing but noise tells them from the rest"
    return f"{words}. More of them below."


def _is_noise(chart: Chart, rows: Sequence[int]) -> bool:
    try:
        found = difference(chart.encoded.mean, torch.tensor(rows))
    except ValueError:
        return False
    return bool(found.rest) and separation(found, chart.encoded.std) < COLLAPSED_BELOW_NATS


def _counted(encoded: map_cache.Encoded, colours: Colouring) -> tuple[Int[Tensor, "N"], Sequence[str]] | None:
    """What the examples of a selection are counted by: the kinds that the map is coloured by, else their labels."""
    if colours.classes is not None and colours.names:
        return torch.as_tensor(colours.classes).long(), colours.names
    return (encoded.labels.long(), encoded.label_names) if encoded.label_names else None


def _labels(kinds: Int[Tensor, "N"], names: Sequence[str], rows: Sequence[int]) -> None:
    chosen = kinds[torch.tensor(rows)]
    counts = [(index, int((chosen == index).sum())) for index in range(len(names))]
    ordered = sorted((pair for pair in counts if pair[1]), key=lambda pair: -pair[1])
    st.dataframe(
        {
            "kind": [names[index] for index, _ in ordered],
            "chosen": [count for _, count in ordered],
            "of the selection": [100 * count / len(rows) for _, count in ordered],
            "of its kind": [100 * count / int((kinds == index).sum()) for index, count in ordered],
        },
        column_config={
            name: st.column_config.NumberColumn(format="%.1f %%") for name in ("of the selection", "of its kind")
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
    if found.rest and (nats := separation(found, chart.encoded.std)) < COLLAPSED_BELOW_NATS:
        widest = float(found.direction.abs().max())
        width = float(chart.encoded.std[torch.isfinite(chart.encoded.std)].mean())
        say(
            "warning",
            "What tells this selection from the rest is noise: a direction made of it means nothing.",
            f"Their mean codes differ by at most {widest:.3f} prior std in a dimension, and posteriors are {width:.2f} "
            f"wide on average: a code drawn from one tells at most {nats:.4f} nats of which of the two it is of.",
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
    if run.is_arrays:
        st.caption("Not decoded: this run is arrays alone, without their model.")
        return
    made = map_cache.decoded(run, codes)
    if made.dim() == 2:
        sentence_columns(key=key, columns={titles: cache.sentences(run, made)}, label=titles)
        return
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] = made.numpy()
    scale = max(2.0, 1.1 * LEGIBLE_PX / pixels.shape[3])
    image_grid(key=key, pixels=pixels, columns=len(pixels), alt=titles, captions=captions, scale=scale)
