"""The controls of the Samples page; each is in the URL."""

import streamlit as st

from bnvae.analysis.generation import Decoding

MODES = {"greedy": "most probable word", "sample": "drawn at random", "beam": "beam search"}


def choose_decoding(*, text: bool) -> tuple[int, float, Decoding]:
    """How many codes, how far from 0, and how their tokens are chosen."""
    first, second, third, fourth, fifth = st.columns([1, 1, 1, 1, 1], vertical_alignment="bottom")
    st.session_state.setdefault("seed", 0)
    with first:
        count = st.select_slider("How many", [4, 8, 16, 32, 64], 16, key="count", bind="query-params")
    with second:
        spread = st.slider(
            "Spread of z",
            0.0,
            2.0,
            1.0,
            0.1,
            key="spread",
            bind="query-params",
            help="The standard deviation of the codes: 1 is the prior, 0 its centre.",
        )
    mode, temperature = "greedy", 1.0
    if text:
        with third:
            mode = st.selectbox("Words", list(MODES), format_func=lambda name: MODES[name], key="words", bind="query-params")
        if mode == "sample":
            with fourth:
                temperature = st.slider("Temperature", 0.1, 2.0, 1.0, 0.1, key="temperature", bind="query-params")
    with fifth:
        if st.button("Other codes", icon=":material/casino:", width="stretch"):
            st.session_state["seed"] += 1
    seed = st.session_state["seed"]
    return count, spread, Decoding(mode=mode, temperature=temperature, seed=seed)  # type: ignore[arg-type]
