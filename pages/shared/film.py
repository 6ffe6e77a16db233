"""Recorded trainings shown as a film: the bars move as they moved while the model learned."""

from collections.abc import Sequence

import streamlit as st

from bnvae.config.schema import RunConfig
from bnvae.runs import Run
from bnvae.runs.progress.history import HistoryReader
from pages.shared.panels import bars, tested_by
from pages.shared.words import caption_words

FRAMES = 30
SECONDS_PER_FRAME = 0.25


def film(found: Sequence[tuple[Run, RunConfig, HistoryReader]]) -> None:
    """The bars of all runs side by side, played once from the first record to the last."""
    key = "film-" + ",".join(run.id for run, _, _ in found)
    playing = st.session_state.setdefault(key, 0) < FRAMES

    @st.fragment(run_every=SECONDS_PER_FRAME if playing else None)
    def play() -> None:
        frame = st.session_state[key] = min(FRAMES, st.session_state[key] + 1)
        for column, (run, config, history) in zip(st.columns(len(found), gap="large"), found, strict=True):
            with column:
                steps = history.steps
                # Early steps tell the story: half of the film is its first tenth.
                position = max(1, round(len(steps) * (frame / FRAMES) ** 3))
                record = steps[position - 1] if steps else None
                where = caption_words(config)
                if record:
                    where += f" · recorded training, step {record.step:,} of {steps[-1].step:,}"
                tested = tested_by(history, record.step) if record else None
                bars(run, config, record, tested, key="film", caption=where)
        if playing and frame == FRAMES:
            st.rerun()

    play()
    st.button("Play again", icon=":material/replay:", type="tertiary", disabled=playing, on_click=_rewind, args=(key,))


def _rewind(key: str) -> None:
    st.session_state[key] = 0
