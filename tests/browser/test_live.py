"""What pages show of a training while it goes on: fetched by their components, or at every tick where that can't be."""

import os
import re
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bnvae.config.schema import RunConfig
from bnvae.jobs import launch
from bnvae.jobs.launch import PID
from bnvae.runs import RunStore
from tests.browser.test_pages import wait_for_step
from tests.browser.watching import SECOND, watched
from tests.pages.reading import small

RUN = "watched"
BASE = "deep/down"
WORDS = """() => [...document.querySelectorAll('*')].map(({shadowRoot}) =>
  shadowRoot?.querySelector('[data-testid=state-words]')?.textContent ?? '').join('')"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    """One run that is being trained, slowly enough to go on as long as the tests do."""
    store = RunStore(tmp_path_factory.mktemp("runs"))
    config: RunConfig = small("digits", "rms-scaler", 4, epochs=100_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNVAE_CHECKPOINTS", str(store.root))
        run = store.create(RUN, config)
        launch.submit(run, threads=1)
        yield store
        os.kill(int((run.folder / PID).read_text()), signal.SIGKILL)


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str], store: RunStore) -> str:
    """Below a base path, as behind a proxy that gives the app a part of a site."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", BASE)
        return f"{serve('app.py')}/{BASE}"


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    with watched(browser) as page:
        yield page


def opened(page: Page, address: str, name: str = "train") -> Page:
    page.goto(f"{address}/{name}?runs={RUN}")
    return page


def newer(page: Page, times: int = 3) -> None:
    """Until the words about the run have changed so many times."""
    for _ in range(times):
        before = page.evaluate(WORDS)
        page.wait_for_function(f"before => ({WORDS})() !== before", arg=before)


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="step")


def test_a_training_is_followed_without_running_the_script_again(tab: Page, address: str) -> None:
    frames: list[object] = []
    tab.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)))
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url) if "/live/" in request.url else None)
    wait_for_step(opened(tab, address), 20)
    expect(tab.get_by_test_id("kl-bars").get_by_test_id("summary")).to_have_text(re.compile("total .* nats"))
    expect(tab.get_by_test_id("sentence-list").or_(tab.get_by_test_id("image-grid")).first).to_be_visible()
    newer(tab)  # buttons that come with the first checkpoint have come
    frames.clear()
    asked.clear()
    newer(tab, times=4)
    assert 4 <= len(asked) <= 8  # one for all the components of the page
    assert asked[0].startswith(f"{address}/live/training?runs={RUN}&have=")
    assert not frames


def test_a_hidden_tab_asks_nothing_and_asks_at_once_when_it_is_seen_again(tab: Page, address: str) -> None:
    wait_for_step(opened(tab, address), 20)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url) if "/live/" in request.url else None)
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    tab.evaluate(hide, True)
    [feed] = [tab.evaluate_handle("[...bnvaeFeeds.values()][0]")]
    tab.wait_for_function("feed => !feed.asking", arg=feed)
    asked.clear()
    tab.evaluate("feed => feed.ask()", feed)  # what its timer would do
    assert asked == []
    tab.evaluate(hide, False)
    newer(tab)
    assert asked


def test_a_page_ticks_where_the_route_is_not_let_through(tab: Page, address: str) -> None:
    tab.route("**/live/**", lambda route: route.fulfill(status=200, body="<html>", content_type="text/html"))
    wait_for_step(opened(tab, address), 20)
    newer(tab)


def test_a_pause_in_one_tab_is_seen_in_another(tab: Page, address: str, browser: Browser) -> None:
    wait_for_step(opened(tab, address), 20)
    with watched(browser) as other:
        wait_for_step(opened(other, address), 20)
        tab.get_by_role("button", name="Pause").click()
        expect(other.get_by_role("button", name="Play")).to_be_visible()
        expect(other.get_by_test_id("state-words")).to_have_text(re.compile("^paused"))
        other.get_by_role("button", name="Play").click()
        expect(tab.get_by_role("button", name="Pause")).to_be_visible()


@pytest.mark.parametrize("blocked", [False, True], ids=["fetched", "ticking"])
def test_a_film_grows_with_its_training_unless_a_visitor_holds_a_step(blocked: bool, tab: Page, address: str) -> None:
    if blocked:
        tab.route("**/live/**", lambda route: route.abort())
    opened(tab, address, "replay")
    end = re.compile(", now$")
    expect(slider(tab)).to_have_attribute("aria-valuetext", end, timeout=60 * SECOND)
    made = tab.get_by_test_id("time-film").get_attribute("data-created")
    before = slider(tab).get_attribute("aria-valuenow") or ""
    expect(slider(tab)).not_to_have_attribute("aria-valuenow", before)
    held = slider(tab).get_attribute("aria-valuemin") or ""
    slider(tab).press("Home")
    expect(slider(tab)).to_have_attribute("aria-valuenow", held)
    for _ in range(2):
        last = slider(tab).get_attribute("aria-valuemax") or ""
        expect(slider(tab)).not_to_have_attribute("aria-valuemax", last)
    expect(slider(tab)).to_have_attribute("aria-valuenow", held)
    slider(tab).press("End")
    expect(slider(tab)).to_have_attribute("aria-valuetext", end)
    assert tab.get_by_test_id("time-film").get_attribute("data-created") == made
