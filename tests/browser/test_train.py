"""A visitor at the transport of one training, with a worker that really trains: steps, changes, branches, two tabs."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bnvae.jobs import launch
from bnvae.jobs.launch import PID
from bnvae.runs import RunStore
from tests.browser.test_pages import enter, heading, wait_for_step
from tests.browser.watching import SECOND, watched
from tests.pages.reading import small

RUN, BRANCH = "steered", "steered-branch"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    """One run in training, which lasts as long as the tests do; what they start ends with them."""
    store = RunStore(tmp_path_factory.mktemp("runs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNVAE_CHECKPOINTS", str(store.root))
        run = store.create(RUN, small("digits", "rms-scaler", 4, epochs=100_000))
        launch.submit(run, threads=1)
        deadline = time.monotonic() + 60
        while not any(run.folder.glob("trainer-*.json")):  # before there is a checkpoint nothing can branch off
            assert time.monotonic() < deadline, run.status.message
            time.sleep(0.1)
        yield store
        for run in store.runs():
            if run.is_held:
                os.kill(int((run.folder / PID).read_text()), signal.SIGKILL)


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str], store: RunStore) -> str:
    return serve("app.py")


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    with watched(browser) as page:
        yield page


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=re.compile(f"^{name}"))


def paused_at(page: Page, run_id: str = RUN) -> int:
    """The step at which the run waits, once the page says that it does."""
    words = page.locator(f"[class*=st-key-state-live-{run_id}]").get_by_test_id("state-words").last
    expect(words).to_have_text(re.compile(r"^paused · step"))
    return step_of(words)


def step_of(words: Locator) -> int:
    found = re.search(r"step ([\d,]+) of", words.text_content() or "")
    assert found is not None
    return int(found[1].replace(",", ""))


def paused(page: Page, address: str) -> int:
    page.goto(f"{address}/train?runs={RUN}")
    expect(button(page, "Pause").or_(button(page, "Play"))).to_be_visible()
    if button(page, "Pause").is_visible():
        wait_for_step(page, 1)
        button(page, "Pause").click()
    expect(button(page, "Play")).to_be_visible()
    return paused_at(page)


def test_what_was_set_in_the_form_is_there_after_another_page_and_a_reload(tab: Page, address: str) -> None:
    tab.goto(f"{address}/train?runs={RUN}")
    enter(tab, "Epochs", "7")
    expect(tab).to_have_url(re.compile("set-epochs=7"))
    sidebar = tab.get_by_test_id("stSidebar")
    sidebar.get_by_role("link", name="Race").click()
    expect(heading(tab, "Race")).to_be_visible()
    sidebar.get_by_role("link", name="Train").click()
    expect(heading(tab, "Train")).to_be_visible()
    expect(tab.get_by_label("Epochs", exact=True)).to_have_value("7")
    tab.reload()
    expect(tab.get_by_label("Epochs", exact=True)).to_have_value("7")


def test_one_step_is_one_step_and_two_visitors_who_press_at_once_see_the_same(
    tab: Page, address: str, browser: Browser
) -> None:
    before = paused(tab, address)
    words = re.compile(f"^paused · step {before + 1:,} of")
    button(tab, "One step").click()
    expect(tab.get_by_test_id("state-words")).to_have_text(words)
    with watched(browser) as other:
        assert paused(other, address) == before + 1
        for page in (tab, other):
            # Sent without waiting for what comes of it, so that both are under way.
            button(page, "One step").evaluate("node => node.click()")
        # One step where both meant the same one, two where the second press saw the first one's step already.
        expect(tab.get_by_test_id("state-words")).not_to_have_text(words)
        reached = paused_at(tab)
        assert reached - before in (2, 3)
        later = re.compile(f"^paused · step ({reached:,}|{before + 3:,}) of")
        expect(other.get_by_test_id("state-words")).to_have_text(later)
        button(other, "Play").click()
        button(tab, "Play").or_(button(tab, "Pause")).first.click()


def test_a_change_closes_its_form_and_marks_the_curve_at_the_step_from_which_it_holds(
    tab: Page, address: str, store: RunStore
) -> None:
    step = paused(tab, address)
    button(tab, "Change").click()
    tab.get_by_role("combobox", name=re.compile("What")).click()
    tab.get_by_role("option", name="τ", exact=True).click()
    expect(tab.locator('input[aria-label="Value"][value="0.5"]')).to_have_count(1)  # of τ: β's field reads 1
    expect(tab.get_by_label("Value", exact=True)).to_have_count(1)  # and has gone
    enter(tab, "Value", "0.8")
    tab.get_by_role("button", name="Change it").click()
    expect(tab.get_by_role("button", name="Change it")).to_have_count(0)
    deadline = time.monotonic() + 30
    while not (changes := store.get(RUN).desk.changes()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [(change.step, change.value) for change in changes] == [(step, 0.8)]
    button(tab, "Play").click()  # its mark is seen once the curve has come there
    expect(tab.get_by_test_id("curves").first.get_by_text("τ = 0.8")).to_be_visible()


def test_a_branch_closes_its_form_stands_beside_its_origin_and_waits_where_that_waits(tab: Page, address: str) -> None:
    step = paused(tab, address)
    button(tab, "Branch off").click()
    tab.get_by_role("button", name="Branch off", exact=True).last.click()
    expect(tab.get_by_text("A new run goes on from")).to_have_count(0)
    expect(tab.get_by_test_id("kl-bars").filter(has_text=BRANCH)).to_be_visible()
    expect(tab).to_have_url(re.compile(f"runs={RUN}&runs={BRANCH}"))
    second = tab.locator(f"[class*=st-key-state-live-{BRANCH}]").get_by_test_id("state-words")
    expect(second).to_have_text(re.compile(f"^paused · step {step:,} of"), timeout=60 * SECOND)
