"""The same latent codes decoded by two to four runs, and the same test examples reconstructed by them."""

import streamlit as st
from torch import Tensor

from bnvae.runs import Run
from pages.shared import cache
from pages.shared.decoding import choose_decoding
from pages.shared.frame import frame
from pages.shared.panels import decoded, distinct, readable, say_broken
from pages.shared.state import choose_runs
from pages.shared.words import caption_words

frame("Samples", "Given the same latent codes, what does each model make of them?")

found = readable(choose_runs(trained=True))
if found:
    settings = choose_decoding(text=any(config.data.modality == "text" for _, config in found))
    prior: dict[str, tuple[Run, Tensor]] = {}
    originals: list[tuple[Run, Tensor]] = []
    rebuilt: dict[str, tuple[Run, Tensor]] = {}
    for run, config in found:
        title = f"{run.id} · {caption_words(config)}"
        try:
            if config.data.modality == "text":
                cache.vocabulary(run)
            samples, examples = cache.prior_samples(run, settings), cache.originals(run, settings)
            reconstructions = cache.reconstructions(run, settings)
        except ValueError as error:
            say_broken(run, error)
        else:
            prior[title] = run, samples
            originals.append((run, examples))
            rebuilt[title] = run, reconstructions
    if prior:
        tabs = ["Prior samples", "Reconstructions"]
        first, second = st.tabs(tabs, key="show", bind="query-params", on_change="rerun")
        with first:
            decoded(prior, key="prior", label="Decoded from the same latent codes")
            st.caption("Runs with fewer latent dimensions get the first coordinates of the same codes.")
        with second:
            decoded(
                distinct(originals) | rebuilt, key="rebuilt", label="Test examples, decoded from their posterior means"
            )
