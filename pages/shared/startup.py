"""What the server does once, before it listens."""

import gc
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st

from pages.shared.live import feed as live_feed

SLOW_IMPORTS = (
    "pages.shared.panels",
    "pages.shared.film",
    "pages.shared.live.kinds",
    "pages.shared.map.stage",
    "pages.shared.explore.own",
)
"""what every page needs, with torch behind it: two seconds; and the hand on the latent space: less than a tenth"""


@asynccontextmanager
async def starting(app: st.App) -> AsyncIterator[None]:
    """Import before listening: beside a browser that loads the page, the same imports take longer (measured)."""
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    recovery = importlib.import_module("bnvae.jobs.auto_resume")
    recovery.recover(recovery.RunStore())
    # Streamlit collects garbage after each script run, before its last message leaves: going through all that torch
    # has imported took 110 ms of each answer (measured). None of it ever becomes garbage.
    gc.collect()
    gc.freeze()
    live_feed.open_up()
    yield
