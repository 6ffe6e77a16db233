"""What surrounds every page: browser title, navigation that keeps the selected runs, a heading."""

import streamlit as st

from bnvae.runs import Run
from pages.shared.links import PAGES, link_to
from pages.shared.notices import STYLE as NOTICE_STYLE
from pages.shared.state import link_params
from pages.shared.visitor import door

SIDEBAR_PX = 220
STYLE = """
<style>
  [data-testid="stMainBlockContainer"] { padding-top: 2.6rem; padding-bottom: 4rem; max-width: 88rem; }
  @media (min-width: 48rem) { [data-testid="stMainBlockContainer"] { padding-left: 3rem; padding-right: 3rem; } }
  [data-testid="stMainBlockContainer"] h1 { font-size: 2.1rem; padding-bottom: 0; }
  [data-testid="stSidebarUserContent"] { padding-top: 0; }
  /* On a projector a switch beside the charts has two lines for its words instead of cutting them. */
  [data-testid="stCheckbox"] :is(.stMarkdownEllipsis, .stMarkdownEllipsis p) { white-space: normal; }
  /* Streamlit stacks columns below this width. */
  @media (min-width: 640px) { [data-testid="stLayoutWrapper"]:has(> [class*="st-key-on-phones-"]) { display: none; } }
</style>
"""


def page_config(title: str = "") -> None:
    page_title = f"{title} · bnvae" if title else "bnvae"
    st.set_page_config(page_title, page_icon="📊", layout="wide", initial_sidebar_state=SIDEBAR_PX)


def frame(title: str, question: str) -> None:
    """Begin a page: its heading, the one question it answers, and the way to the others."""
    page_config(title)
    st.html(STYLE)
    st.html(NOTICE_STYLE)
    with st.sidebar:
        st.markdown("### bnvae")
        st.caption("Latent spaces with and without collapse")
        for page in PAGES:
            link_to(page, link_params())
        door()
    st.title(title, anchor=False)
    st.caption(question)


def name_on_phones(run: Run, panel: str) -> None:
    """The run's name above one of its panels, where a narrow window takes it from under the run's title."""
    with st.container(key=f"on-phones-{panel}-{run.id}"):
        st.text(run.id)


def say_sideways(table: str) -> None:
    """That a table goes on outside of a narrow window."""
    with st.container(key=f"on-phones-{table}"):
        st.caption("The table is wider than this window: push it sideways.")
