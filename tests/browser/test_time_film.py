"""What only a browser can show of a film: panels follow the slider while it is held, and new data leave it alone."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

SCRIPT = """
import numpy as np
import streamlit as st
from pages.components.time_film import FilmRun, Snapshot, time_film

HOSTILE = "<img src=x onerror='document.title=666'>"
st.set_page_config(page_title="film", layout="wide")
rng = np.random.default_rng(0)

def run(records, dimensions, *, title="run", snapshots=5, text=False, floor=True, broken=False):
    steps = 20 * np.arange(1, records + 1)
    grown = 1 - np.exp(-np.arange(1, records + 1) / 60)[:, None] * np.ones(dimensions)
    kl = grown * np.linspace(0.1, 2, dimensions)
    if broken:
        kl[:, ::2] = np.nan
        grown[:, 1::2] = np.inf
    def made(count, i):
        if text:
            return [f"{HOSTILE} {n} of snapshot {i} " + "word " * (4 * i) for n in range(count)]
        return rng.integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)
    kept = [i * records // snapshots for i in range(snapshots)]
    spreads = lambda i: np.full((150, 2), 1 - i / 10) * (np.nan if broken and i == 2 else 1)
    return FilmRun(
        title=title, caption="caption " + title, colour="#0072B2", steps=steps.tolist(), kl=kl,
        mean_second_moment=grown, std_second_moment=1 - grown,
        current_floor=kl / 2 if floor else None, fixed_floor=[0.1] * dimensions if floor else None,
        labels=rng.integers(-1, 10, 150).tolist(), originals=made(8, 0),
        snapshots=[
            Snapshot(step=int(steps[i]), points=rng.normal(size=(150, 2)) * n / 4, spreads=spreads(n),
                     samples=made(16, n), reconstructions=made(8, n))
            for n, i in enumerate(kept)
        ],
    )

def film(**options):
    step = time_film(key="film", step=int(st.query_params["step"]) if "step" in st.query_params else None, **options)
    st.text(f"chosen {step}")

def ticking():
    tick = st.session_state.tick = st.session_state.get("tick", 0) + 1
    st.text(f"tick {tick}")
    film(runs=[run(40 + tick, 4, title="growing"), run(30, 4, title="done")], live=True)

scene = st.query_params.get("scene")
if scene == "live":
    st.fragment(run_every=0.4)(ticking)()
elif scene == "odd":
    none = dict(steps=[], kl=np.zeros((0, 4)), mean_second_moment=np.zeros((0, 4)), std_second_moment=np.zeros((0, 4)))
    odd = {
        "one": [run(1, 1, snapshots=0)],
        "empty": [FilmRun(title="empty", colour="#0072B2", originals=[], **none)],
        "broken": [run(20, 4, broken=True, title="broken")],
        "wide": [run(30, 256, snapshots=2, floor=False), run(5, 3, title="short", snapshots=1)],
    }
    for key, runs in odd.items():
        time_film(key=key, runs=runs)
elif scene == "text":
    film(runs=[run(30, 4, title="text " + HOSTILE, text=True), run(30, 4, title="other", text=True)])
else:
    film(runs=[run(200, 32, title="left"), run(150, 32, title="right")])
"""

LONG_MS = 60_000


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str]) -> str:
    return serve(SCRIPT)


@pytest.fixture(scope="module")
def shared(quiet_page: Callable[[], AbstractContextManager[Page]], address: str) -> Iterator[Page]:
    with quiet_page() as page:
        opened(page, address)
        yield page


@pytest.fixture
def film(shared: Page) -> Page:
    """Two runs with the slider at the end; opened once for all tests here."""
    slider(shared).press("End")
    expect(slider(shared)).to_have_attribute("aria-valuetext", "step 4,000 of 4,000")
    return shared


def opened(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_test_id("time-film").last).to_be_visible(timeout=LONG_MS)
    expect(slider(page)).to_have_attribute("aria-valuetext", re.compile("step"))


def slider(page: Page) -> Locator:
    return page.get_by_role("slider").first


def words(page: Page) -> str:
    return slider(page).get_attribute("aria-valuetext") or ""


def bars(page: Page) -> Locator:
    return page.locator("section.kl svg")


def hold(page: Page, share: float, *, press: bool = False) -> None:
    """Moves the pointer to a place along the slider's track, and presses it there."""
    track = page.locator(".track").first.bounding_box()
    assert track is not None
    page.mouse.move(track["x"] + share * track["width"], track["y"] + 3)
    if press:
        page.mouse.down()


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        slider(page).press(key if key != "Space" else " ")
    settled(page)


def settled(page: Page) -> None:
    """Two frames later everything asked for has been drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_bars_move_while_the_slider_is_held_and_python_hears_of_it_only_on_release(film: Page) -> None:
    expect(film.get_by_text("chosen None")).to_be_visible()
    hold(film, 0.2, press=True)
    seen = []
    for share in (0.3, 0.5, 0.7):
        hold(film, share)
        settled(film)
        seen.append(
            (words(film), bars(film).first.get_attribute("aria-label"), bars(film).last.get_attribute("aria-label"))
        )
    for column in zip(*seen, strict=True):
        assert len(set(column)) == 3
    assert film.get_by_text("chosen None").is_visible()
    film.mouse.up()
    step = re.sub(r"\D", "", words(film).split(" of ")[0])
    expect(film.get_by_text(f"chosen {step}")).to_be_visible()


def test_early_steps_get_more_room_than_late_ones(film: Page) -> None:
    hold(film, 0.5, press=True)
    film.mouse.up()
    settled(film)
    step = int(slider(film).get_attribute("aria-valuenow") or 0)
    assert 0.08 * 4000 < step < 0.25 * 4000


def test_a_drag_is_drawn_without_a_gap(film: Page) -> None:
    """Against a slow panel or a round trip creeping in; what a quiet machine reaches is twice that and more."""
    hold(film, 0, press=True)
    film.evaluate("performance.clearMarks('film-draw')")
    for i in range(1, 61):
        hold(film, i / 60)
    settled(film)
    drawn = film.evaluate("performance.getEntriesByName('film-draw').map(mark => mark.startTime)")
    film.mouse.up()
    assert len(drawn) > 30
    gaps = sorted(later - earlier for earlier, later in pairwise(drawn))
    assert gaps[len(gaps) // 2] < 100


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("Home", "step 20 of"),
        ("Home ArrowRight", "step 40 of"),
        ("Home ArrowRight ArrowUp ArrowLeft", "step 40 of"),
        ("Home PageUp End", "step 4,000 of"),
        ("Home ArrowLeft", "step 20 of"),
    ],
)
def test_keys_move_the_slider(film: Page, keys: str, expected: str) -> None:
    press(film, keys)
    expect(slider(film)).to_have_attribute("aria-valuetext", re.compile(expected))


def test_a_page_is_a_tenth(film: Page) -> None:
    press(film, "Home PageUp")
    step = int(slider(film).get_attribute("aria-valuenow") or 0)
    assert step > 200


def test_space_plays_and_pauses(film: Page) -> None:
    press(film, "Home Space")
    expect(film.get_by_role("button", name="Pause")).to_be_visible()
    expect(film.get_by_test_id("reading")).not_to_have_text(re.compile("^step 20 of"))
    press(film, "Space")
    expect(film.get_by_role("button", name="Play")).to_be_visible()
    step = re.sub(r"\D", "", words(film).split(" of ")[0])
    assert 20 < int(step) < 4000
    expect(film.get_by_text(f"chosen {step}")).to_be_visible()


def test_play_ends_at_the_end(film: Page) -> None:
    press(film, "PageDown ArrowLeft")
    film.get_by_role("button", name="Play").click()
    expect(film.get_by_role("button", name="Pause")).to_be_visible()
    expect(film.get_by_role("button", name="Play")).to_be_visible(timeout=10_000)
    expect(slider(film)).to_have_attribute("aria-valuetext", "step 4,000 of 4,000")


def test_a_snapshot_says_its_own_step(film: Page) -> None:
    """The snapshots of the left run are at steps 20, 820 …; those of the right run at 20, 620 …"""
    press(film, "Home")
    expect(film.locator(".samples .as-of")).to_have_text(["as of step 20", "as of step 20"])
    hold(film, 0.49, press=True)
    settled(film)
    step = int(slider(film).get_attribute("aria-valuenow") or 0)
    assert 620 < step < 820
    expect(film.locator(".samples .as-of")).to_have_text(["as of step 20", "as of step 620"])
    film.mouse.up()


def test_a_run_that_ended_earlier_stands_at_its_last_step(film: Page) -> None:
    last = bars(film).last.get_attribute("aria-label")
    press(film, "PageDown")
    assert 3000 < int(slider(film).get_attribute("aria-valuenow") or 0) < 4000
    assert bars(film).last.get_attribute("aria-label") == last
    assert bars(film).first.get_attribute("aria-label") != last


def test_runs_share_their_axes_at_every_step(film: Page) -> None:
    def axes() -> list[list[str]]:
        return [svg.locator("g").first.locator("text").all_text_contents() for svg in bars(film).all()]

    at_end = axes()
    press(film, "Home")
    assert axes() == at_end
    assert at_end[0] == at_end[1]


def test_every_panel_is_named_for_a_screen_reader(film: Page) -> None:
    press(film, "Home")
    expect(bars(film).first).to_have_attribute("aria-label", re.compile("left: 32 dimensions, total .* nats"))
    expect(film.locator(".moments svg").first).to_have_attribute(
        "aria-label", re.compile(r"left: second moments, .*E\[std²\] \d")
    )
    expect(film.locator(".map canvas").first).to_have_attribute(
        "aria-label",
        re.compile("left, as of step 20: 150 test examples, the standard deviation of their means is 0.00"),
    )
    expect(film.locator(".samples canvas").first).to_have_attribute(
        "aria-label", re.compile("left, as of step 20: decoded")
    )


def test_panels_of_two_runs_are_level(film: Page) -> None:
    for panel in ("kl", "moments", "map", "samples", "rebuilt"):
        tops = film.locator(f"section.{panel}").evaluate_all(
            "nodes => nodes.map(node => node.getBoundingClientRect().top)"
        )
        assert len(tops) == 2
        assert tops[0] == tops[1]


def test_a_step_of_the_address_is_where_the_slider_stands(page: Page, address: str) -> None:
    opened(page, f"{address}/?step=820")
    expect(slider(page)).to_have_attribute("aria-valuetext", "step 820 of 4,000")
    expect(page.get_by_text("chosen 820")).to_be_visible()


def test_a_film_of_a_running_training_follows_its_end_until_the_visitor_leaves_it(page: Page, address: str) -> None:
    opened(page, f"{address}/?scene=live")
    made = page.get_by_test_id("time-film").get_attribute("data-created")
    before = words(page)
    assert before.endswith(", now")
    expect(slider(page)).not_to_have_attribute("aria-valuetext", before)
    assert words(page).endswith(", now")
    press(page, "PageDown")
    expect(page.get_by_text(re.compile(r"chosen \d"))).to_be_visible()
    chosen, end = words(page).split(" of ")
    expect(slider(page)).not_to_have_attribute("aria-valuemax", end.replace(",", ""))
    assert words(page).split(" of ")[0] == chosen
    press(page, "End")
    expect(slider(page)).to_have_attribute("aria-valuetext", re.compile(", now$"))
    expect(page.get_by_text("chosen None")).to_be_visible()
    assert page.get_by_test_id("time-film").get_attribute("data-created") == made


def test_odd_runs_are_drawn_without_a_broken_path(page: Page, address: str) -> None:
    opened(page, f"{address}/?scene=odd")
    expect(page.get_by_test_id("time-film")).to_have_count(4)
    for position in ("Home", "ArrowRight", "End"):
        for one in page.get_by_role("slider").all():
            one.press(position)
        settled(page)
        drawn = page.locator("svg path").evaluate_all("paths => paths.map(path => path.getAttribute('d') ?? '')")
        assert not [path for path in drawn if re.search("NaN|Infinity|undefined", path)]
    empty = page.locator(".st-key-empty")
    expect(empty.locator("section.kl svg")).to_contain_text("no values yet")
    expect(empty.get_by_role("button", name="Play")).to_be_disabled()
    expect(empty.get_by_role("slider")).to_have_attribute("aria-valuetext", "no steps yet")
    expect(page.locator(".st-key-one .map svg").last).to_contain_text("no posteriors yet")
    expect(page.locator(".st-key-one section.kl svg")).to_have_attribute("aria-label", re.compile("1 dimension,"))
    expect(page.locator(".st-key-broken section.kl .line").first).to_contain_text("not a number")
    expect(page.locator(".st-key-wide section.kl svg").first).to_have_attribute(
        "aria-label", re.compile("256 dimensions")
    )


def test_hostile_text_stays_text_and_its_rows_rest_while_it_changes(page: Page, address: str) -> None:
    opened(page, f"{address}/?scene=text")
    heights = []
    for key in ("End", "Home"):
        press(page, key)
        expect(page.locator(".samples .sentence").first).to_contain_text("<img src=x onerror")
        heights.append(page.locator(".samples").first.evaluate("node => node.clientHeight"))
    assert heights[0] == heights[1]
    expect(page.locator("section.kl").first).to_contain_text("text <img src=x")
    expect(page.locator("[data-testid=stMain] img")).to_have_count(0)
    expect(page).to_have_title("film")


def test_a_phone_shows_all_of_it_under_one_another(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 400, "height": 860})
    opened(page, address)
    settled(page)
    assert page.get_by_test_id("stMain").evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    tops = page.locator("section.kl").evaluate_all("nodes => nodes.map(node => node.getBoundingClientRect().top)")
    assert tops[0] < tops[1]
    expect(page.locator("section.moments .who").first).to_have_text("left")
    expect(slider(page)).to_be_in_viewport()


def test_with_reduced_motion_a_film_is_a_row_of_stills(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
    opened(page, address)
    press(page, "Home")
    page.evaluate("performance.clearMarks('film-draw')")
    press(page, "Space")
    expect(page.get_by_test_id("reading")).not_to_have_text(re.compile("^step 20 of"))
    press(page, "Space")
    assert page.evaluate("performance.getEntriesByName('film-draw').length") <= 4
    page.close()
