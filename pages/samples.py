"""The same latent codes decoded by two to four runs, and the same test examples reconstructed by them."""

import streamlit as st
from torch import Tensor

from bnvae.runs import Run
from pages.shared import cache
from pages.shared.decoding import MODES, choose_decoding
from pages.shared.frame import frame
from pages.shared.panels import Rebuilt, decoded, draw_sections, readable, say_broken, told_again
from pages.shared.state import choose_runs
from pages.shared.told_again import FROM_MEANS, GREEDILY
from pages.shared.words import caption_words

frame("Samples", "Given the same latent codes, what does each model make of them?")

found = readable(choose_runs(trained=True))
if found:
    settings = choose_decoding(text=any(config.data.modality == "text" for _, config in found))
    prior: dict[str, tuple[Run, Tensor]] = {}
    rebuilt: dict[str, Rebuilt] = {}
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
            rebuilt[title] = run, config, examples, reconstructions
    if prior:
        tabs = ["Prior samples", "Reconstructions"]
        first, second = st.tabs(tabs, key="show", bind="query-params", on_change="rerun")
        with first:
            decoded(prior, key="prior", label="Decoded from the same latent codes")
            st.caption("Runs with fewer latent dimensions get the first coordinates of the same codes.")
        with second:
            is_greedy = settings.decoding.mode == "greedy"
            how = GREEDILY if is_greedy else f"{FROM_MEANS}; words by {MODES[settings.decoding.mode]}."
            label = "Test examples, decoded from their posterior means"
            draw_sections(key="decoded-rebuilt", sections=[told_again(label, rebuilt, how=how, evaluated=is_greedy)])
