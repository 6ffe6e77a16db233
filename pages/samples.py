"""The same latent codes decoded by two to four runs, and the same test examples reconstructed by them."""

import streamlit as st

from bnvae.analysis.generation import Decoding
from bnvae.config import RunConfig
from bnvae.runs import BrokenRunError, Run
from pages.shared import cache
from pages.shared.decoding import choose_decoding
from pages.shared.frame import frame
from pages.shared.panels import decoded, readable, say_broken
from pages.shared.state import choose_runs
from pages.shared.words import head_words

frame("Samples", "Given the same latent codes, what does each model make of them?")

found = readable(choose_runs(trained=True))


def column_of(run: Run, config: RunConfig, kind: str, count: int, spread: float, decoding: Decoding) -> None:
    st.caption(head_words(config))
    try:
        if kind == "prior":
            decoded(run, cache.prior_samples(run, count=count, spread=spread, decoding=decoding), key=f"{kind}-{run.id}",
                    title=run.id)
        else:
            decoded(run, cache.examples(run).examples[:count], key=f"originals-{run.id}", title="Test examples")
            decoded(run, cache.reconstructions(run, count=count, decoding=decoding), key=f"rebuilt-{run.id}", title=run.id)
    except BrokenRunError as error:
        say_broken(run, error)


if found:
    count, spread, decoding = choose_decoding(text=any(config.data.modality == "text" for _, config in found))
    for tab, kind in zip(st.tabs(["Prior samples", "Reconstructions"]), ("prior", "reconstructions"), strict=True):
        with tab:
            for column, (run, config) in zip(st.columns(len(found), gap="large"), found, strict=True):
                with column:
                    column_of(run, config, kind, count, spread, decoding)
