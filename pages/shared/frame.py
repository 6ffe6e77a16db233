"""What surrounds every page: browser title, navigation that keeps the selected runs, a heading."""

from dataclasses import dataclass
from typing import Any, final

import streamlit as st

from pages.shared.state import link_params


@final
@dataclass(frozen=True)
class PageEntry:
    file: str
    title: str
    icon: str
    invitation: str = ""
    default: bool = False

    def declare(self) -> Any:
        return st.Page(self.file, title=self.title, icon=self.icon, default=self.default)


PAGES = (
    PageEntry("pages/overview.py", "Overview", ":material/monitoring:", default=True),
    PageEntry("pages/train.py", "Train", ":material/play_circle:", "Train a pair yourself"),
    PageEntry("pages/samples.py", "Samples", ":material/casino:", "Decode other samples"),
    PageEntry("pages/runs.py", "Runs", ":material/folder_open:", "See all runs"),
)

STYLE = """
<style>
  [data-testid="stMainBlockContainer"] { padding-top: 2.6rem; padding-bottom: 4rem; max-width: 84rem; }
  [data-testid="stMainBlockContainer"] h1 { font-size: 2.1rem; padding-bottom: 0; }
  [data-testid="stSidebarUserContent"] { padding-top: 0; }
</style>
"""


def page_config(title: str = "") -> None:
    st.set_page_config(page_title=f"{title} · bnvae" if title else "bnvae", page_icon="📊", layout="wide")


def frame(title: str, question: str) -> None:
    """Begin a page: its heading, the one question it answers, and the way to the others."""
    page_config(title)
    st.html(STYLE)
    with st.sidebar:
        st.markdown("### bnvae")
        st.caption("Latent spaces with and without collapse")
        for page in PAGES:
            st.page_link(page.file, label=page.title, icon=page.icon, query_params=link_params(), width="stretch")
    st.title(title, anchor=False)
    st.caption(question)
