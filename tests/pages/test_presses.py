"""Buttons whose presses wait for them, and for how long."""

import time
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.reading import checked


def script() -> None:
    import streamlit as st

    from pages.shared.presses import pressed

    if st.session_state.get("there", True) and pressed("Begin", key="begin", once=st.session_state.get("once", False)):
        st.text("begun")


def refusing() -> None:
    import streamlit as st

    from pages.shared.presses import press

    def act() -> None:
        raise ValueError("it is too late")

    if st.session_state.get("there", True):
        press("Begin", act, key="begin")


def deleting() -> None:
    import streamlit as st

    from pages.shared.presses import pressed

    run = st.session_state.get("run", "a")
    if st.session_state.get("there", True) and pressed("Delete it", key="delete", of=[run]):
        st.text(f"{run} deleted")


def said(page: AppTest) -> list[str]:
    return [text.value for text in checked(page).text]


def said_when_it_is_back(monkeypatch: pytest.MonkeyPatch, shown: Callable[[], None], later_seconds: float) -> list[str]:
    """After a press on a button that its own run takes away, so much later."""
    page = AppTest.from_function(shown).run()
    page.session_state["there"] = False
    assert said(page.button(key="begin").click().run()) == []
    now = time.monotonic() + later_seconds
    monkeypatch.setattr("pages.shared.presses.time.monotonic", lambda: now)
    page.session_state["there"] = True
    return said(page.run())


def test_a_press_is_answered_once() -> None:
    page = AppTest.from_function(script).run()
    assert said(page.button(key="begin").click().run()) == ["begun"]
    assert said(page.run()) == []


@pytest.mark.parametrize(
    ("once", "later_seconds", "words"), [(True, 1.0, []), (True, 2.0, ["begun"]), (False, 0.0, ["begun"])]
)
def test_a_double_click_is_one_press_where_it_counts_once(
    monkeypatch: pytest.MonkeyPatch, once: bool, later_seconds: float, words: list[str]
) -> None:
    page = AppTest.from_function(script)
    page.session_state["once"] = once
    page.run()
    assert said(page.button(key="begin").click().run()) == ["begun"]
    now = time.monotonic() + later_seconds
    monkeypatch.setattr("pages.shared.presses.time.monotonic", lambda: now)
    assert said(page.button(key="begin").click().run()) == words


@pytest.mark.parametrize(("later_seconds", "words"), [(0.0, ["begun"]), (6.0, [])])
def test_a_press_on_a_button_that_is_gone_waits_for_it_a_moment_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, later_seconds: float, words: list[str]
) -> None:
    assert said_when_it_is_back(monkeypatch, script, later_seconds) == words


@pytest.mark.parametrize(("later_seconds", "words"), [(0.0, ["it is too late"]), (6.0, [])])
def test_why_a_press_was_refused_is_not_said_under_a_button_that_comes_back_later(
    monkeypatch: pytest.MonkeyPatch, later_seconds: float, words: list[str]
) -> None:
    """As a second press on "Go on": the first takes the button away, and it comes back when the run has ended."""
    assert said_when_it_is_back(monkeypatch, refusing, later_seconds) == words


@pytest.mark.parametrize(("run", "words"), [("a", ["a deleted"]), ("b", [])])
def test_a_press_that_waited_is_none_on_a_button_that_stands_for_something_else(run: str, words: list[str]) -> None:
    page = AppTest.from_function(deleting).run()
    page.session_state["there"] = False
    checked(page.button(key="delete").click().run())
    page.session_state["there"] = True
    page.session_state["run"] = run
    assert said(page.run()) == words


def greyed() -> None:
    import streamlit as st

    from pages.shared.presses import pressed

    if st.session_state.get("there", True) and pressed("Begin", key="begin", disabled="grey" in st.session_state):
        st.text("begun")


def test_a_press_that_waited_is_none_on_a_button_that_cannot_be_pressed_any_more() -> None:
    page = AppTest.from_function(greyed).run()
    page.session_state["there"] = False
    checked(page.button(key="begin").click().run())
    page.session_state["there"] = True
    page.session_state["grey"] = True
    assert said(page.run()) == []
