"""One colour for each run of a view: the same in all its panels, and on every page that shows the same runs."""

import streamlit as st

from bnvae.config.schema import HeadName
from bnvae.plotting.palette import run_colours
from bnvae.runs import Run
from pages.shared.cache import version
from pages.shared.state import selected_ids, store

MOST_IN_A_VIEW = 12
UNREADABLE = "#7A7A7A"
"""of a run whose head is not known"""


def colour_of(run: Run) -> str:
    """The run's colour among those chosen: its head's own, another where a run chosen before it has that.

    It goes by what was chosen and not by what a page can show of it, so that it is the same on all pages. A run that
    was not chosen, such as the member of a sweep, comes after those.
    """
    chosen = selected_ids(MOST_IN_A_VIEW)
    ids = chosen if run.id in chosen else [*chosen, run.id]
    here = [store().get(run_id) for run_id in ids if run_id in store()]
    heads = {one.id: head for one in here if (head := _head(one.id, version(one, "config.json")))}
    colours = dict(zip(heads, run_colours(list(heads.values())), strict=True))
    return colours.get(run.id, UNREADABLE)


@st.cache_data(max_entries=256, show_spinner=False)
def _head(run_id: str, config: tuple[int, int]) -> HeadName | None:
    """None for a run that is not here or can't be read."""
    try:
        return store().get(run_id).config.model.head
    except ValueError:
        return None
