"""Buttons whose presses wait for them, and for how long."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.reading import checked


def script() -> None:
    import streamlit as st

    from pages.shared.presses import ASKED, pressed

    if st.session_state.get("there", True) and pressed("Begin", key="begin"):
        st.text("begun")
    st.text(f"{ASKED}begin" in st.session_state)


def said(page: AppTest) -> list[str]:
    return [text.value for text in checked(page).text]


def test_a_press_is_answered_once() -> None:
    page = AppTest.from_function(script).run()
    assert said(page.button(key="begin").click().run()) == ["begun", "False"]
    assert said(page.run()) == ["False"]


@pytest.mark.parametrize(("later_seconds", "words"), [(0.0, ["begun", "False"]), (6.0, ["False"])])
def test_a_press_on_a_button_that_is_gone_waits_for_it_a_moment_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, later_seconds: float, words: list[str]
) -> None:
    page = AppTest.from_function(script).run()
    page.session_state["there"] = False
    assert said(page.button(key="begin").click().run()) == ["True"]
    now = time.monotonic() + later_seconds
    monkeypatch.setattr("pages.shared.presses.time.monotonic", lambda: now)
    page.session_state["there"] = True
    assert said(page.run()) == words
