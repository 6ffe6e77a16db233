"""The controls of the Samples page; each is in the URL."""

import streamlit as st

from bnvae.metrics.generation import Decoding, DecodingMode, SampleSettings

MODES: dict[DecodingMode, str] = {"greedy": "most probable word", "sample": "drawn at random", "beam": "beam search"}

SPREAD_HELP = "Standard deviation of the latent codes: 1 is the prior, 0 its centre."
SEED_HELP = "Another seed draws other codes, the same ones for every run."


def choose_decoding(*, text: bool) -> SampleSettings:
    """How many codes, how far from 0, and how their tokens are chosen."""
    columns = iter(st.columns(6 if text else 3, vertical_alignment="bottom"))
    with next(columns):
        count = st.select_slider("How many", [4, 8, 16, 32, 64], 16, key="count", bind="query-params")
    with next(columns):
        spread = st.slider("Spread of z", 0.0, 2.0, 1.0, 0.1, key="spread", bind="query-params", help=SPREAD_HELP)
    mode: DecodingMode = "greedy"
    temperature, top_p = 1.0, 1.0
    if text:
        with next(columns):
            mode = st.selectbox(
                "Words", list(MODES), format_func=lambda name: MODES[name], key="words", bind="query-params"
            )
        is_drawn = mode == "sample"  # else they rest where they are, and nothing moves when they are wanted
        with next(columns):
            heat = st.slider(
                "Temperature", 0.1, 2.0, 1.0, 0.1, key="temperature", bind="query-params", disabled=not is_drawn
            )
        with next(columns):
            share = st.slider("Top-p", 0.1, 1.0, 1.0, 0.05, key="top_p", bind="query-params", disabled=not is_drawn)
        if is_drawn:
            temperature, top_p = heat, share
    with next(columns):
        seed = st.number_input("Seed", 0, 2**31 - 1, key="seed", bind="query-params", help=SEED_HELP)
    decoding = Decoding(mode=mode, temperature=temperature, top_p=top_p, seed=seed)
    return SampleSettings(count=count, spread=spread, decoding=decoding)
