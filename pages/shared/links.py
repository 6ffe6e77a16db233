"""The pages there are, and links from one to another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

LINKS_IN_A_ROW = 3


@final
@dataclass(frozen=True)
class PageEntry:
    file: str
    title: str
    icon: str
    invitation: str = ""
    default: bool = False

    def declare(self) -> Any:
        # None: made of the file's name. The first page would keep its own from the hidden one of that name.
        path = "" if self.default else None
        return st.Page(self.file, title=self.title, icon=self.icon, default=self.default, url_path=path)


OVERVIEW = PageEntry("pages/overview.py", "Overview", ":material/monitoring:", default=True)
TRAIN = PageEntry("pages/train.py", "Train", ":material/play_circle:", "Train a pair yourself")
SAMPLES = PageEntry("pages/samples.py", "Samples", ":material/casino:", "Decode other samples")
RUNS = PageEntry("pages/runs.py", "Runs", ":material/folder_open:", "See all runs")
RACE = PageEntry("pages/race.py", "Race", ":material/flag:", "Race several recipes")
TAU = PageEntry("pages/tau.py", "Tau", ":material/tune:", "Drag τ")
MAP = PageEntry("pages/map.py", "Map", ":material/scatter_plot:", "Look at the map of the codes")
EXPLORE = PageEntry("pages/explore.py", "Explore", ":material/touch_app:", "Take the code in your hand")
REPLAY = PageEntry("pages/replay.py", "Replay", ":material/movie:", "Scrub through the training")
COMPARE = PageEntry("pages/compare.py", "Compare", ":material/balance:", "Compare runs, figure by figure")
PAGES = (OVERVIEW, TRAIN, RACE, REPLAY, TAU, MAP, EXPLORE, SAMPLES, COMPARE, RUNS)


def declared() -> list[Any]:
    """What `st.navigation` takes: the pages, and a second address for the first one, made of its file as others are.

    Streamlit gives the first page the bare address alone, and says of /overview that there is no such page.
    """
    by_file = st.Page(_to_overview, title=OVERVIEW.title, url_path=Path(OVERVIEW.file).stem, visibility="hidden")
    return [*(page.declare() for page in PAGES), by_file]


def _to_overview() -> None:
    st.switch_page(OVERVIEW.file, query_params={name: st.query_params.get_all(name) for name in st.query_params})


def link_to(page: PageEntry, params: Mapping[str, Sequence[str]], label: str = "") -> None:
    """A link that keeps what is selected; none where a page was started as an app of its own, without the others."""
    try:
        st.page_link(page.file, label=label or page.title, icon=page.icon, query_params=dict(params), width="stretch")
    except StreamlitPageNotFoundError:
        return


def invite(pages: Sequence[PageEntry], params: Mapping[str, Sequence[str]]) -> None:
    """What each page is for, as links in rows of three: more in a row would cut their words."""
    for first in range(0, len(pages), LINKS_IN_A_ROW):
        row = pages[first : first + LINKS_IN_A_ROW]
        for column, page in zip(st.columns(LINKS_IN_A_ROW)[: len(row)], row, strict=True):
            with column:
                link_to(page, params, page.invitation)
