"""Presses in the middle of a run, in a real browser: each counts, and none breaks the page."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from bnvae.jobs.train_runs import train_run
from bnvae.runs import RunStore
from tests.browser.test_explore import PLACED, exhibits, ink, pad, stroke
from tests.browser.watching import rests, watched
from tests.pages.reading import TRAINED, small

SCRIPT = """
import time
import streamlit as st
from pages.shared.presses import press, pressed, whole

def count(key):
    st.session_state[key] = st.session_state.get(key, 0) + 1

def begin():
    time.sleep(0.5)
    count("begun")
    time.sleep(0.5)
    count("noted")

def refused():
    raise ValueError("a reason <b>as text</b>")

st.set_page_config(page_title="demo")
st.button("Something else")
# All that is pressed below meets a run that is here, and ends it.
for _ in range(10):
    time.sleep(0.1)
    st.session_state.get("a place where a run can be ended")
press("At once", lambda: count("at once"), key="press")
if pressed("When drawn", key="pressed"):
    count("drawn")
press("Refused", refused, key="refused")
if pressed("Begin", key="begin", once=True):
    whole(begin)
st.text(f"begun {st.session_state.get('begun', 0)}, noted {st.session_state.get('noted', 0)}")
st.text(f"at once {st.session_state.get('at once', 0)}, when drawn {st.session_state.get('drawn', 0)}")
"""

# The Explore page of a server so busy that it sends what a run has drawn only every half second: the first run's result
# is seen while the second's is being made, and what is drawn last is still unsent when the run ends.
BUSY = """
import runpy
import time
import streamlit.runtime.runtime as server
import pages.shared.explore.own as own

server.MESSAGE_FLUSH_INTERVAL_SECS = 0.5
if not hasattr(own, "at_once"):
    own.at_once = own._result
    def slowly(run, config, alike):
        if run.id == "digits-scaler":
            time.sleep(1.5)
        own.at_once(run, config, alike)
    own._result = slowly
runpy.run_path("pages/explore.py", run_name="__main__")
"""


# Run alone, without `app.py` and its route: what is live is a fragment with a clock.
ALONE = """
import runpy
import pages.shared.train.remedies as remedies

remedies.submit = lambda run, threads: None
runpy.run_path("pages/train.py", run_name="__main__")
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched(browser) as page:
        yield page


@pytest.fixture(scope="module")
def demo(serve: Callable[[str], str]) -> str:
    return serve(SCRIPT)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    """Where the servers started meanwhile look for runs."""
    store = RunStore(tmp_path_factory.mktemp("runs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNVAE_CHECKPOINTS", str(store.root))
        yield store


@pytest.fixture(scope="module")
def explore(serve: Callable[[str], str], store: RunStore) -> str:
    for name, (data, head, dimensions) in TRAINED.items():
        if data == "digits":
            train_run(store.create(name, small(data, head, dimensions)))
    return serve(BUSY)


def press_in_a_row(page: Page, *names: str) -> None:
    """Presses, a tenth of a second between them: each meets the run that the one before began."""
    for name in names:
        page.get_by_role("button", name=name).click()
        page.wait_for_timeout(100)


@pytest.mark.parametrize(
    ("name", "words"), [("At once", "at once 1, when drawn 0"), ("When drawn", "at once 0, when drawn 1")]
)
def test_a_press_counts_though_another_one_ends_its_run(page: Page, demo: str, name: str, words: str) -> None:
    page.goto(demo)
    expect(page.get_by_text("at once 0, when drawn 0")).to_be_visible()
    press_in_a_row(page, name, "Something else")
    expect(page.get_by_text(words)).to_be_visible()


def test_what_is_begun_is_done_to_its_end_and_once_though_it_is_pressed_again(page: Page, demo: str) -> None:
    page.goto(demo)
    expect(page.get_by_text("begun 0, noted 0")).to_be_visible()
    press_in_a_row(page, "Begin")
    page.wait_for_timeout(1_400)  # a second until the run comes to it: it is in the middle of what it begins
    press_in_a_row(page, "Begin")
    expect(page.get_by_text("begun 1, noted 1")).to_be_visible()
    rests(page)
    expect(page.get_by_text("begun 1, noted 1")).to_be_visible()


def test_of_presses_in_a_row_each_is_done(page: Page, demo: str) -> None:
    page.goto(demo)
    expect(page.get_by_text("at once 0, when drawn 0")).to_be_visible()
    press_in_a_row(page, "At once", "At once", "When drawn", "At once")
    expect(page.get_by_text("at once 3, when drawn 1")).to_be_visible()


def test_why_a_press_was_refused_stands_under_it_until_the_next(page: Page, demo: str) -> None:
    page.goto(demo)
    press_in_a_row(page, "Refused", "Something else")
    expect(page.get_by_text("a reason <b>as text</b>")).to_be_visible()
    press_in_a_row(page, "Something else")
    expect(page.get_by_text("a reason")).to_have_count(0)


def test_a_drawing_is_cleared_while_the_page_is_being_drawn(page: Page, explore: str) -> None:
    """Its pieces come from the browser's memory, and must find their places."""
    page.goto(f"{explore}/?runs=digits-plain&runs=digits-scaler&tab=Your+own")
    expect(exhibits(page).last).to_contain_text("draw something")
    stroke(page)
    expect(exhibits(page).last).to_contain_text(PLACED)
    rests(page)  # the browser has all pieces of it
    page.get_by_role("tab", name="Factors").click()
    expect(page.get_by_test_id("factor-matrix")).to_have_count(2)
    page.get_by_role("tab", name="Your own").click()
    expect(exhibits(page).first).to_contain_text(PLACED)
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(exhibits(page).last).to_contain_text("draw something")
    assert ink(pad(page)) == 0


def test_a_remedy_is_shown_beside_its_run_also_where_what_is_live_is_a_fragment(
    page: Page, serve: Callable[[str], str], store: RunStore
) -> None:
    run = store.create("exploded", small("digits", "gaussian", 4))
    run.write_status(run.status.replace(state="failed", not_finite=True))
    page.goto(f"{serve(ALONE)}/?runs=exploded")
    page.get_by_role("button", name="Gradients limited to 1").click()
    expect(page.get_by_test_id("state-words")).to_have_count(2)
    expect(page.get_by_text("exploded-again").first).to_be_visible()
