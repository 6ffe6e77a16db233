"""What surrounds every page: browser title, navigation that keeps the selected runs, a heading."""

import streamlit as st

from pages.shared.links import PAGES, link_to
from pages.shared.state import link_params
from pages.shared.visitor import door

SIDEBAR_PX = 220
STYLE = """
<style>
  [data-testid="stMainBlockContainer"] { padding-top: 2.6rem; padding-bottom: 4rem; max-width: 88rem; }
  @media (min-width: 48rem) { [data-testid="stMainBlockContainer"] { padding-left: 3rem; padding-right: 3rem; } }
  [data-testid="stMainBlockContainer"] h1 { font-size: 2.1rem; padding-bottom: 0; }
  [data-testid="stSidebarUserContent"] { padding-top: 0; }
</style>
"""


def page_config(title: str = "") -> None:
    page_title = f"{title} · bnvae" if title else "bnvae"
    st.set_page_config(page_title, page_icon="📊", layout="wide", initial_sidebar_state=SIDEBAR_PX)


def frame(title: str, question: str) -> None:
    """Begin a page: its heading, the one question it answers, and the way to the others."""
    page_config(title)
    st.html(STYLE)
    with st.sidebar:
        st.markdown("### bnvae")
        st.caption("Latent spaces with and without collapse")
        for page in PAGES:
            link_to(page, link_params())
        door()
    st.title(title, anchor=False)
    st.caption(question)
