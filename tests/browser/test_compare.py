"""The table of figures and the doctor's cards in a browser: sorting, what is out of sight, marks, and hostile words."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.watching import watched

SCRIPT = """
import streamlit as st
from pages.components.figure_table import TableColumn, TableRow, figure_table
from pages.components.verdicts import Claim, Verdict, verdicts

HOSTILE = "<img src=x onerror='document.title=666'>"
st.set_page_config(page_title="demo", layout="wide")
columns = [TableColumn(name="elbo", title="ELBO", unit="nats", reduction="sum", better="high")]
columns += [TableColumn(name=f"c{i}", title=f"column number {i}", unit="nats", reduction="mean") for i in range(12)]

def row(title, elbo, words, best=False, group="digits", note="", level=False):
    return TableRow(
        title=title, captions=["plain VAE"], colour="#0072B2", group=group, values=[elbo] + [1.0] * 12,
        words=[words] + ["1.00"] * 12, best=[best] + [False] * 12, notes=[note] + [""] * 12,
        level=[False, level] + [False] * 11,
    )

rows = [row("worst", -30.0, "−30.00°", note="it ignores its code"), row("unknown", None, "–")]
rows += [row(HOSTILE, -20.0, "−20.00 ± 0.25", best=True, level=True)]
said = {"star": "best by far", "level": "none is better", "rows_are": "model", "remarks": ["° " + HOSTILE]}
chosen = figure_table(key="table", columns=columns, rows=rows, **said)
st.text(f"sorted by {chosen!r}")
bad = Claim(severity="bad", name="Collapsed", words=HOSTILE, numbers=[("0.00 nats", "rate")], advice="Less.")
note = Claim(severity="note", name="Not known", words="Only quick figures.", numbers=[], advice="Evaluate.")
good = Claim(severity="good", name="Code in use", words="All is well.", numbers=[])
verdicts(key="cards", runs=[
    Verdict(title="one " + HOSTILE, caption="plain VAE", colour="#D55E00", claims=[bad, note]),
    Verdict(title="two", caption="RMS", colour="#0072B2", claims=[good]),
])
"""


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with watched(browser) as page:
        page.goto(address)
        expect(page.get_by_test_id("verdicts").locator(".card")).to_have_count(2)
        yield page
        expect(page).to_have_title("demo")  # no words were run


def table(page: Page) -> Locator:
    return page.get_by_test_id("figure-table")


def order(page: Page) -> Locator:
    return table(page).locator("tbody .title")


WORST, UNKNOWN, BEST = "worst", "unknown", "<img src=x onerror='document.title=666'>"


def test_a_heading_sorts_best_first_then_the_other_way_then_not_and_the_page_knows(page: Page) -> None:
    heading = table(page).get_by_role("columnheader", name="ELBO")
    expect(order(page)).to_have_text([WORST, UNKNOWN, BEST])
    for direction, sent, names in (
        ("descending", "'-elbo'", [BEST, WORST, UNKNOWN]),  # what is missing comes last, whichever way
        ("ascending", "'elbo'", [WORST, BEST, UNKNOWN]),
        ("none", "''", [WORST, UNKNOWN, BEST]),
    ):
        heading.get_by_role("button").click()
        expect(order(page)).to_have_text(names)
        expect(heading).to_have_attribute("aria-sort", direction)
        expect(page.get_by_text(f"sorted by {sent}", exact=True)).to_be_visible()


def test_a_heading_sorts_from_the_keyboard_and_keeps_the_focus(page: Page) -> None:
    button = table(page).get_by_role("columnheader", name="ELBO").get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    expect(order(page).first).to_have_text(BEST)
    expect(button).to_be_focused()


def test_the_best_is_marked_and_it_says_by_what(page: Page) -> None:
    best = table(page).locator("td.best")
    expect(best).to_have_count(1)
    expect(best).to_contain_text("−20.00")
    expect(best.locator(".error")).to_contain_text("0.25")
    expect(best.locator(".star")).to_have_attribute("title", "best by far")
    expect(table(page)).to_contain_text("★ best by far")
    expect(table(page).get_by_role("columnheader", name="model", exact=True)).to_be_visible()


def test_what_is_as_good_as_the_best_has_another_mark_and_it_says_so(page: Page) -> None:
    mark = table(page).locator(".star").filter(has_text="≈")
    expect(mark).to_have_count(1)
    expect(mark).to_have_attribute("title", "none is better")
    expect(table(page)).to_contain_text("★ best by far · ≈ none is better · press a heading to sort")


def test_a_figure_that_is_not_compared_says_why_beside_and_under_the_table(page: Page) -> None:
    cell = table(page).locator("tbody td").filter(has_text="−30.00°")
    expect(cell).to_have_attribute("title", "not compared: it ignores its code")
    expect(cell).to_have_class("none")
    expect(table(page).locator(".remarks")).to_have_text(f"° {BEST}")


def test_a_table_wider_than_the_window_says_so_and_leads_to_the_rest(page: Page) -> None:
    page.set_viewport_size({"width": 900, "height": 900})
    last = table(page).get_by_role("columnheader", name="column number 11")
    more, back = table(page).locator(".more"), table(page).locator(".back")
    expect(back).to_be_hidden()
    expect(last).not_to_be_in_viewport()
    expect(more).to_have_text(re.compile(r"^\d+ more columns →$"))
    while more.is_visible():
        before = more.inner_text()
        more.click()
        expect(more).not_to_have_text(before)  # each press brings further columns into sight
    expect(last).to_be_in_viewport()
    expect(more).to_be_hidden()
    expect(order(page).first).to_be_in_viewport()  # names stay beside what they name
    back.click()
    expect(table(page).get_by_role("columnheader", name="ELBO")).to_be_in_viewport(ratio=1)
    expect(back).to_be_hidden()


@pytest.mark.parametrize("width", [1440, 1024, 400])
def test_that_there_is_more_beside_the_table_is_said_above_its_first_row(width: int, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 860})
    sight, more = table(page).locator(".sight"), table(page).locator(".more")
    expect(more).to_be_in_viewport(ratio=1)
    expect(sight).to_have_text(re.compile(r"^\d+ of 13 figures in sight$"))
    counted = [int(re.findall(r"\d+", each.inner_text())[0]) for each in (sight, more)]
    assert sum(counted) == 13
    above, first = more.bounding_box(), order(page).first.bounding_box()
    assert above is not None
    assert first is not None
    assert above["y"] + above["height"] <= first["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_table_that_fits_offers_nothing_further(page: Page) -> None:
    page.set_viewport_size({"width": 3000, "height": 900})
    expect(table(page).locator(".more")).to_be_hidden()


@pytest.mark.parametrize("width", [400, 1280])
def test_cards_begin_with_the_verdict_and_stay_within_the_window(width: int, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    first, second = page.get_by_test_id("verdicts").locator(".card").all()
    expect(first.locator(".verdict")).to_have_text(["✕Collapsed", "!Not known"])
    expect(first.get_by_role("img", name="problem")).to_be_visible()
    expect(second.get_by_role("img", name="good")).to_be_visible()
    expect(first.locator("dl")).to_have_text("rate0.00 nats")
    expect(first.locator(".advice").first).to_have_text("Try: Less.")
    size = "each => parseFloat(getComputedStyle(each).fontSize)"
    verdict, remark = (claim.evaluate(size) for claim in first.locator(".verdict").all())
    assert verdict > remark  # what matters most is largest
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [card.bounding_box() for card in (first, second)]
    assert all(box is not None and box["x"] + box["width"] <= width for box in boxes)


def test_strangers_words_are_shown_as_words(page: Page) -> None:
    expect(page.get_by_test_id("verdicts").locator(".card").first).to_contain_text(f"one {BEST}")
    expect(page.get_by_test_id("verdicts").locator("img:not([role])")).to_have_count(0)
    expect(table(page).locator("img")).to_have_count(0)
