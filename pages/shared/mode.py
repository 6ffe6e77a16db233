"""What visitors of this server may do: everything, or with BNVAE_MODE=demo only look."""

import os

import streamlit as st

MODES = ("", "demo")


def may_change() -> bool:
    """Whether visitors may train, steer, rename, delete and upload.

    Raises:
        ValueError: BNVAE_MODE has another value; guessing would open a public server.
    """
    mode = os.environ.get("BNVAE_MODE", "")
    if mode not in MODES:
        raise ValueError(f"BNVAE_MODE is {mode!r}: leave it out, or set 'demo'.")
    return mode == ""


def say_demonstration() -> None:
    """Why something is missing here, and where it is to be had."""
    st.info("This is a demonstration: here you can look at everything and change nothing. On your own machine you can.")
