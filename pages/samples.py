"""The same latent codes decoded by two to four runs, and the same test examples reconstructed by them."""

import streamlit as st
from torch import Tensor

from bnvae.runs import BrokenRunError, Run
from pages.shared import cache
from pages.shared.decoding import choose_decoding
from pages.shared.frame import frame
from pages.shared.panels import decoded, readable, say_broken
from pages.shared.state import choose_runs
from pages.shared.words import head_words

frame("Samples", "Given the same latent codes, what does each model make of them?")

found = readable(choose_runs(trained=True))
if found:
    settings = choose_decoding(text=any(config.data.modality == "text" for _, config in found))
    prior: dict[str, tuple[Run, Tensor]] = {}
    rebuilt: dict[str, tuple[Run, Tensor]] = {}
    for run, config in found:
        try:
            title = f"{run.id} · {head_words(config)}"
            prior[title] = run, cache.prior_samples(run, settings)
            rebuilt.setdefault(f"test example · {config.data.name}", (run, cache.originals(run, settings)))
            rebuilt[title] = run, cache.reconstructions(run, settings)
        except BrokenRunError as error:
            say_broken(run, error)
    if prior:
        first, second = st.tabs(["Prior samples", "Reconstructions"])
        with first:
            decoded(prior, key="prior", label="Decoded from the same latent codes")
            st.caption("Runs with fewer latent dimensions get the first coordinates of the same codes.")
        with second:
            decoded(rebuilt, key="rebuilt", label="Test examples, decoded from their posterior means")
