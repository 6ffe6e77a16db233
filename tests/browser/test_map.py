"""The map under a hand: click, empty place, lasso, keys, undo, search, and the address that brings a view back."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bnvae.jobs.train_runs import train_run
from bnvae.runs import RunStore
from tests.browser.watching import watched
from tests.pages.reading import small

SCRIPT = """
import numpy as np
import streamlit as st
from pages.components.latent_scatter import Legend, Panel, View, chosen_before, class_colours, latent_scatter

HOSTILE = "<img src=x onerror='document.title=666'>"
st.set_page_config(page_title="demo", layout="wide")
corners = np.array([[-0.5, -0.5], [0.5, 0.5], [0.5, -0.5], [np.nan, 0.0]])
classes = np.array([0, 1, 1, -1])
key = "map"

@st.fragment
def show():
    wanted = View(pick={"example": 2}, id="asked") if st.session_state.get("asked") else View(id="first")
    colours = class_colours(classes, ["#ff0000", "#0000ff"])
    panels = [
        Panel(title=name + HOSTILE, words=HOSTILE, axes="no unit", points=points, colours=colours)
        for name, points in (("one", corners), ("two", -corners))
    ]
    view = latent_scatter(
        key=key, panels=panels, view=wanted, classes=classes, names=[HOSTILE, "b"], texts=[HOSTILE] * 4,
        legend=Legend(classes=[(0, HOSTILE, "#ff0000"), (1, "b", "#0000ff")]),
    )
    said = view or wanted
    st.text(f"pick {said.pick} lasso {list(said.lasso)}")
    st.button("ask", on_click=lambda: st.session_state.update(asked=True))

show()
"""


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def demo(page: Page, address: str) -> Page:
    page.goto(address)
    expect(scatter(page)).to_have_attribute("data-drawn", re.compile(r"[1-9]"), timeout=30_000)
    return page


def scatter(page: Page) -> Locator:
    return page.get_by_test_id("latent-scatter")


def at(page: Page, x: float, y: float, panel: int = 0) -> tuple[float, float]:
    """The pixel of a place of the map, as long as the camera is at home."""
    canvas = page.get_by_test_id("map-panel").nth(panel).locator("canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    unit = box["width"] / 2 * 0.94
    return box["x"] + box["width"] / 2 + x * unit, box["y"] + box["height"] / 2 - y * unit


def says(page: Page, pick: str, lasso: str = "[]") -> None:
    expect(page.get_by_test_id("stText")).to_have_text(re.compile(rf"^pick {pick} lasso {re.escape(lasso)}$"))


EMPTY = r"\{'panel': 0, 'x': 0\.0\d*, 'y': -?0\.0\d*\}"


def test_what_the_axes_are_is_said_below_the_points_and_not_over_them(demo: Page) -> None:
    panel = demo.get_by_test_id("map-panel").first
    said, points = panel.get_by_text("no unit").bounding_box(), panel.locator("canvas").first.bounding_box()
    assert said is not None
    assert points is not None
    assert said["y"] >= points["y"] + points["height"]


def test_a_click_tells_the_point_and_an_empty_place_its_place_and_each_is_taken_back(demo: Page) -> None:
    demo.mouse.click(*at(demo, 0.5, 0.5))
    says(demo, r"\{'example': 1\}")
    demo.mouse.click(*at(demo, 0.5, 0.5, panel=1))  # the other map has its first example there
    says(demo, r"\{'example': 0\}")
    demo.mouse.click(*at(demo, 0.01, 0.01))
    says(demo, EMPTY)
    demo.keyboard.press("Control+z")
    says(demo, r"\{'example': 0\}")
    demo.get_by_role("button", name="Undo").click()
    says(demo, r"\{'example': 1\}")
    demo.keyboard.press("Escape")
    says(demo, "None")


def test_a_lasso_chooses_what_it_encloses_and_a_legend_entry_its_class(demo: Page) -> None:
    demo.get_by_role("button", name=re.compile("^Lasso")).click()
    demo.mouse.move(*at(demo, 0.2, 0.8))
    demo.mouse.down()
    for place in ((0.8, 0.8), (0.8, -0.8), (0.2, -0.8), (0.2, 0.7)):
        demo.mouse.move(*at(demo, *place), steps=5)
    demo.mouse.up()
    says(demo, "None", "[1, 2]")
    expect(demo.get_by_test_id("map-status")).to_have_text("2 of 4 points chosen")
    demo.locator(".map-class").first.click()
    says(demo, "None", "[0]")


def test_a_dragged_map_is_moved_and_nothing_is_chosen(demo: Page) -> None:
    demo.mouse.move(*at(demo, 0.5, 0.5))
    demo.mouse.down()
    demo.mouse.move(*at(demo, 0.3, 0.1), steps=5)
    demo.mouse.up()
    demo.mouse.click(*at(demo, 0.3, 0.1))
    says(demo, r"\{'example': 1\}")


def test_keys_walk_through_the_examples_and_zoom(demo: Page) -> None:
    demo.get_by_test_id("map-panel").first.locator("canvas").first.focus()
    demo.keyboard.press("n")
    says(demo, r"\{'example': 0\}")
    demo.keyboard.press("p")
    says(demo, r"\{'example': 3\}")
    for _ in range(4):
        demo.keyboard.press("+")
    demo.keyboard.press("0")
    demo.mouse.click(*at(demo, 0.5, -0.5))
    says(demo, r"\{'example': 2\}")


def test_what_python_asks_for_is_chosen_once_and_may_be_undone(demo: Page) -> None:
    demo.mouse.click(*at(demo, 0.5, 0.5))
    says(demo, r"\{'example': 1\}")
    demo.get_by_role("button", name="ask").click()
    expect(scatter(demo)).to_have_attribute("data-asked", "asked")
    demo.get_by_role("button", name="Undo").click()
    says(demo, r"\{'example': 1\}")


def test_hostile_names_stay_text_in_legend_tooltip_and_titles(demo: Page) -> None:
    demo.mouse.move(*at(demo, -0.5, -0.5))
    expect(demo.get_by_test_id("tooltip").first).to_contain_text("<img src=x")
    expect(demo.locator(".map-title").first).to_contain_text("<img src=x")
    assert demo.locator("img").count() == 0
    assert demo.title() == "demo"


def test_a_narrow_screen_has_the_maps_under_one_another(
    quiet_page: Callable[[], AbstractContextManager[Page]], address: str
) -> None:
    with quiet_page() as page:
        page.set_viewport_size({"width": 400, "height": 800})
        page.goto(address)
        panels = page.get_by_test_id("map-panel")
        expect(panels).to_have_count(2)
        expect(scatter(page)).to_have_attribute("data-drawn", re.compile(r"[1-9]"))
        first, second = (panels.nth(i).bounding_box() for i in range(2))
        assert first is not None
        assert second is not None
        assert second["y"] > first["y"] + first["height"] - 1
        assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.fixture(scope="module")
def app(serve: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = RunStore(tmp_path_factory.mktemp("runs"))
    for name, head in (("digits-plain", "gaussian"), ("digits-scaler", "rms-scaler")):
        train_run(store.create(name, small("digits", head, 4)))  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNVAE_CHECKPOINTS", str(store.root))
        yield serve("app.py")


def test_a_view_comes_back_from_its_address_and_undo_and_escape_lead_out_of_it(browser: Browser, app: str) -> None:
    errors: list[str] = []
    page: Any = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(30_000)
    page.goto(f"{app}/map?runs=digits-plain")
    page.get_by_role("textbox", name="Find").fill("#5")
    page.get_by_role("textbox", name="Find").press("Enter")
    told = page.get_by_test_id("map-named").filter(has_text=re.compile("^example 5 "))
    expect(told).to_be_visible(timeout=30_000)
    expect(page.get_by_test_id("kl-bars")).to_be_visible()
    expect(page).to_have_url(re.compile("point=5"))
    page.reload()
    expect(told).to_be_visible(timeout=30_000)
    page.mouse.click(*at(page, -0.99, -1.0))
    expect(page.get_by_text("A map has no inverse")).to_be_visible()
    expect(page).to_have_url(re.compile(r"point=0~-?[\d.]+~-?[\d.]+"))
    page.keyboard.press("Control+z")
    expect(told).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Click a point to see its example")).to_be_visible()
    expect(page).not_to_have_url(re.compile("point="))
    page.close()
    assert not errors


def test_the_answer_stands_beside_the_map_and_is_brought_up_on_a_phone(browser: Browser, app: str) -> None:
    with watched(browser, has_touch=True) as page:
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"{app}/map?runs=digits-plain&runs=digits-scaler")
        answer = page.get_by_test_id("map-named")
        page.mouse.click(*at(page, -0.99, -1.0))
        expect(answer.first).to_be_in_viewport()
        panel, told = page.get_by_test_id("map-panel").last.bounding_box(), answer.first.bounding_box()
        assert panel is not None
        assert told is not None
        assert told["x"] > panel["x"] + panel["width"]

        page.set_viewport_size({"width": 400, "height": 800})
        page.goto(f"{app}/map?runs=digits-plain")
        expect(scatter(page)).to_have_attribute("data-drawn", re.compile(r"[1-9]"))
        page.touchscreen.tap(*at(page, 0.99, -1.0))
        expect(answer).to_be_in_viewport()


@pytest.mark.parametrize(("width", "least_px"), [(1440, 380), (1024, 320), (400, 300)])
def test_two_maps_have_the_room_of_the_window_and_lie_beside_each_other_where_they_can(
    width: int, least_px: int, browser: Browser, app: str
) -> None:
    with watched(browser) as page:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{app}/map?runs=digits-plain&runs=digits-scaler&point=5")
        told = page.get_by_test_id("map-answer-run")
        expect(told).to_have_count(2)
        expect(scatter(page)).to_have_attribute("data-drawn", re.compile(r"[1-9]"))
        assert page.get_by_test_id("map-panel").first.evaluate("panel => panel.clientWidth") >= least_px
        first, second = (page.get_by_test_id("map-panel").nth(place).bounding_box() for place in range(2))
        answer = told.first.bounding_box()
        assert first is not None
        assert second is not None
        assert answer is not None
        assert (second["x"] > first["x"]) == (width > 400)
        is_beside = answer["x"] >= second["x"] + second["width"]
        assert is_beside == (width >= 1200)
        assert is_beside or answer["y"] > second["y"] + least_px
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_picture_of_a_point_is_seen_before_it_is_clicked(browser: Browser, app: str) -> None:
    with watched(browser) as page:
        page.goto(f"{app}/map?runs=digits-plain&point=5")
        expect(page.get_by_test_id("map-named")).to_have_text(re.compile("^example 5 "))
        thumbnail = page.get_by_test_id("map-thumbnail")
        canvas = page.get_by_test_id("map-panel").locator("canvas").first
        box = canvas.bounding_box()
        assert box is not None
        for step in range(400):  # until a point is under the pointer
            page.mouse.move(box["x"] + box["width"] * (step * 37 % 100) / 100, box["y"] + box["height"] * step / 400)
            if thumbnail.is_visible():
                break
        assert thumbnail.evaluate("node => [node.width, node.height]") == [8, 8]


def test_two_points_lead_to_the_way_between_them_and_back(browser: Browser, app: str) -> None:
    with watched(browser) as page:
        page.goto(f"{app}/map?runs=digits-plain&point=5~9")
        page.get_by_role("link", name="Go from example 9 to 5").click()
        expect(page.get_by_test_id("latent-path")).to_contain_text("test example 9")
        expect(page.get_by_test_id("latent-path")).to_contain_text("test example 5")
        page.get_by_role("link", name="See it on the map").click()
        expect(page.get_by_test_id("map-named")).to_have_text(re.compile("^example 5 "))
        expect(page).to_have_url(re.compile("point=5~9"))


def test_a_view_of_a_lasso_and_a_camera_comes_back(browser: Browser, app: str) -> None:
    with watched(browser) as page:
        page.goto(f"{app}/map?runs=digits-plain&chosen=3~4~8&camera=0.1~-0.2~2~0.6~0.4&colour=dimension+2")
        expect(page.get_by_test_id("map-status")).to_contain_text("3 of ")
        expect(page.get_by_test_id("map-chosen")).to_contain_text("3 examples are chosen")
        page.get_by_test_id("map-panel").locator("canvas").first.focus()
        page.keyboard.press("n")
        expect(page).to_have_url(re.compile(r"(?=.*point=0)(?=.*chosen=3~4~8)(?=.*camera=0\.1~-0\.2~2~0\.6~0\.4)"))
        page.reload()
        expect(page.get_by_test_id("map-status")).to_contain_text("3 of ")
        expect(page.get_by_test_id("map-named")).to_have_text(re.compile("^example 0 "))
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("map-status")).not_to_contain_text("chosen")
