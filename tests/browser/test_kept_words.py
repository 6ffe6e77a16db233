"""In a real browser: words that a reconstruction keeps are marks with names, and hostile words stay text."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Page, expect

SCRIPT = """
import streamlit as st
from pages.components.preview_sections import draw_preview_sections, section
from pages.components.sentence_list import Kind, Marks

HOSTILE = "<img src=x onerror='document.title=666'>"
st.set_page_config(page_title="demo", layout="wide")
is_other = st.toggle("other")
parts = [[("the ", ()), ("king", ("who",)), (" was ", ()), (HOSTILE, ("action", "aspect")), (" 🙂", ())], []]
again = [[("a fox.", ())], [("king", ("who",))]] if is_other else [[("the ", ()), ("king", ("who",))], [("", ())]]
made = {"one": ["".join(text for text, _ in each) for each in parts],
        "two": ["".join(text for text, _ in each) for each in again]}
kinds = [Kind(name="who", colour="#0072B2"), Kind(name="action", colour="#D55E00"),
         Kind(name="aspect", colour="#7A7A7A", faint=True)]
marks = Marks(parts={"one": parts, "two": again}, kinds=kinds, notes={"two": "keeps 50 %"}, says="Marked: " + HOSTILE)
plain = st.toggle("plain")
draw_preview_sections(key="told", data={"note": "", "sections": [
    section("told again", made, picture_px=8, marks=None if plain else marks)]})
"""


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def demo(quiet_page: Callable[[], AbstractContextManager[Page]], address: str) -> Iterator[Page]:
    with quiet_page() as page:
        page.goto(address)
        expect(page.get_by_test_id("sentence-list")).to_be_visible(timeout=60_000)
        yield page


def test_a_mark_is_bold_and_underlined_and_says_what_is_kept(demo: Page) -> None:
    cell = demo.get_by_role("cell").first
    marks = cell.locator("mark")
    expect(marks).to_have_text(["king", "<img src=x onerror='document.title=666'>"])
    expect(marks.nth(0)).to_have_attribute("title", "kept: who")
    expect(marks.nth(1)).to_have_attribute("title", "kept: action, aspect")
    expect(marks.nth(0)).to_have_css("font-weight", "600")
    assert "underline" in marks.nth(0).evaluate("node => getComputedStyle(node).textDecorationLine")
    expect(cell).to_contain_text("(kept: who, action, aspect)")  # heard, not seen
    expect(demo.get_by_test_id("stMain").locator("img")).to_have_count(0)
    expect(demo).to_have_title("demo")


def test_the_key_names_every_kind_and_a_title_has_its_note(demo: Page) -> None:
    key = demo.get_by_test_id("kept-key")
    expect(key).to_contain_text("Marked: <img src=x")
    expect(key.locator("mark")).to_have_text(["who", "action", "aspect"])
    expect(demo.get_by_role("columnheader").nth(1)).to_contain_text("keeps 50 %")


def test_marks_follow_the_data_and_go_when_there_are_none(demo: Page) -> None:
    cells = demo.get_by_role("cell")
    expect(cells.nth(3)).to_have_text("(empty)")
    demo.get_by_text("other", exact=True).click()
    expect(cells.nth(3).locator("mark")).to_have_text("king")
    expect(cells.nth(1).locator("mark")).to_have_count(0)
    demo.get_by_text("plain", exact=True).click()
    expect(demo.get_by_role("cell").locator("mark")).to_have_count(0)
    expect(demo.get_by_test_id("kept-key")).to_be_hidden()
    demo.get_by_text("plain", exact=True).click()
    expect(cells.nth(3).locator("mark")).to_have_text("king")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_marks_stay_inside_and_the_shares_are_still_there(demo: Page, scheme: str) -> None:
    demo.set_viewport_size({"width": 400, "height": 800})
    demo.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    expect(demo.get_by_text("keeps 50 %")).to_be_visible()
    assert demo.get_by_test_id("stMain").evaluate("node => node.scrollWidth <= node.clientWidth + 1")
