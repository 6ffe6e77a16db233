"""Has a page's script run again when its buttons would be others, or when its numbers can't be fetched without it."""

import streamlit as st

from pages.components.assets import joined
from pages.components.feed import Feed

_component = st.components.v2.component("bnvae_live_pulse", js=joined("chart.js", "live_feed.js", "live_pulse.js"))


def live_pulse(*, key: str, feed: Feed, drawn: str) -> bool:
    """Whether the feed was lost: there is no such route here, or something before the server does not let it through.

    `drawn` names what the page shows now; where the feed's `standing` is another, the script runs again.
    """
    result = _component(
        key=key,
        data={**feed.data, "drawn": drawn},
        default={"lost": False},
        on_lost_change=_nothing,
        on_changed_change=_nothing,
    )
    return bool(result.lost)


def _nothing() -> None:
    """Streamlit keeps a value only if something is called when it changes."""
