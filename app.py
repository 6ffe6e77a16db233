"""The list of pages and nothing else: a page may be run without this file, and then has to be complete."""

import streamlit as st

from pages.shared.frame import page_config
from pages.shared.links import PAGES

page_config()
st.navigation([page.declare() for page in PAGES], position="hidden").run()
