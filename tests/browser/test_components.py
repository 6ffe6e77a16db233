"""What only a browser can show: nodes, zoom and hover survive ticks, and hostile text stays text."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from pages.components.assets import joined

SCRIPT = """
import math
import numpy as np
import streamlit as st
from pages.components.curves import Series, curves
from pages.components.image_grid import image_grid
from pages.components.kl_bars import kl_bars
from pages.components.sentence_list import sentence_columns

HOSTILE = "<img src=x onerror='document.title=666'>"
st.set_page_config(page_title="demo", layout="wide")

@st.fragment(run_every=0.15)
def live():
    tick = st.session_state.tick = st.session_state.get("tick", 0) + 1
    st.text(f"tick {tick}")
    wave = 0.5 + 0.1 * np.sin(tick / 3 + np.arange(8))
    left, right = st.columns(2)
    with left:
        kl_bars(key="plain", kl=[1.4, 0.8] + [0.002] * 6, title="plain " + HOSTILE, scale_group="kl")
    with right:
        floors = dict(fixed_floor=[0.223] * 8, current_floor=[0.3] * 8)
        kl_bars(key="scaled", kl=wave, title="scaled", scale_group="kl", **floors)
    for key, kl in {"empty": [], "one": [0.5], "nan": [math.nan, 0.2], "many": np.linspace(0, 2, 512)}.items():
        kl_bars(key=key, kl=kl, title=key)
    x = np.arange(100 + tick)
    curves(
        key="elbo", x=x, x_label="step", y_label="nats", title="elbo", total_label="−ELBO",
        series=[
            Series(name=HOSTILE, values=80 + 300 * np.exp(-x / 3), colour="#4596C8", kind="stacked"),
            Series(name="rate", values=np.full(len(x), 5.5), colour="#C98700", kind="stacked"),
        ],
        marks=[(50, "mark " + HOSTILE)],
    )
    grey = np.full((6, 1, 8, 8), tick % 256, np.uint8)
    image_grid(key="grid", pixels=grey, columns=3, alt="six", captions=[HOSTILE] * 6)
    sentence_columns(key="text", columns={"a": [HOSTILE, "", "今天 🙂"], "b": ["long " * 60, "short", "short"]})

live()
if st.toggle("more bars", value=True):
    kl_bars(key="more", kl=[0.5, 0.5], title="more")
"""


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str]) -> str:
    return serve(SCRIPT)


@pytest.fixture(scope="module")
def demo(quiet_page: Callable[[], AbstractContextManager[Page]], address: str) -> Iterator[Page]:
    """One page for all tests here: opening it takes longer than most of them, and ticks leave nothing behind."""
    with quiet_page() as page:
        page.goto(address)
        expect(page.get_by_test_id("sentence-list")).to_be_visible(timeout=60_000)
        yield page


def ticks(page: Page) -> int:
    return int((page.get_by_text(re.compile(r"^tick \d+$")).text_content() or "tick 0").split()[1])


def wait_for_ticks(page: Page, count: int) -> None:
    target = ticks(page) + count
    page.wait_for_function(
        "target => [...document.querySelectorAll('[data-testid=stText]')]"
        ".some(node => Number(node.textContent.replace('tick ', '')) >= target)",
        arg=target,
    )


def bars(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key}").get_by_test_id("kl-bars")


def box(locator: Locator) -> dict[str, float]:
    found = locator.bounding_box()
    assert found is not None
    return {"x": found["x"], "y": found["y"], "width": found["width"], "height": found["height"]}


def called(page: Page, expression: str) -> Any:
    """The value of an expression over the functions that chart.js and curve_points.js define."""
    return page.evaluate(
        "code => new Function(code)()", f"{joined('chart.js', 'curve_points.js')}; return {expression}"
    )


def test_an_axis_grows_at_once_and_shrinks_only_below_half(demo: Page) -> None:
    first = called(demo, "steadyRange(null, 0, 0.97)")
    assert first == {"low": 0, "high": 1}
    assert called(demo, "steadyRange({low: 0, high: 1}, 0, 0.51)") == first
    assert called(demo, "steadyRange({low: 0, high: 1}, 0, 1.3)")["high"] == pytest.approx(1.4)
    assert called(demo, "steadyRange({low: 0, high: 1}, 0, 0.49)")["high"] == pytest.approx(0.5)


def test_the_first_steps_do_not_press_the_rest_of_a_curve_flat(demo: Page) -> None:
    found = called(demo, "robustRange(Array.from({length: 200}, (_, i) => 90 + 400 * Math.exp(-i / 4)))")
    assert found["low"] == pytest.approx(90, abs=0.01)
    assert found["high"] < 110


def test_a_jump_at_the_live_end_of_a_curve_is_never_cut_off(demo: Page) -> None:
    assert called(demo, "robustRange([...Array(200).fill(90), 400])")["high"] == 400


def test_a_steady_slope_is_shown_whole(demo: Page) -> None:
    assert called(demo, "robustRange(Array.from({length: 101}, (_, i) => i))") == {"low": 0, "high": 100}


@pytest.mark.parametrize(
    ("low", "high", "ticks"), [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 0.1, [0, 0.02, 0.04, 0.06, 0.08, 0.1])]
)
def test_ticks_are_round_numbers(demo: Page, low: float, high: float, ticks: list[float]) -> None:
    assert called(demo, f"ticksBetween({low}, {high}, 5).ticks") == pytest.approx(ticks)


def test_every_node_is_the_same_after_twenty_ticks(demo: Page) -> None:
    made = demo.locator("[data-created]")
    before = made.evaluate_all("nodes => nodes.map(node => node.dataset.created)")
    assert len(before) == 10
    wait_for_ticks(demo, 20)
    assert made.evaluate_all("nodes => nodes.map(node => node.dataset.created)") == before


def test_the_tooltip_of_a_bar_stays_and_follows_its_value(demo: Page) -> None:
    svg = bars(demo, "scaled").locator("svg")
    svg.scroll_into_view_if_needed()
    area = box(svg)
    demo.mouse.move(area["x"] + area["width"] * 0.99, area["y"] + 100)
    tooltip = bars(demo, "scaled").get_by_test_id("tooltip")
    expect(tooltip).to_have_text(re.compile(r"dimension 7: 0\.\d+ nats, floor 0\.223, current floor 0\.3"))
    before = tooltip.text_content()
    wait_for_ticks(demo, 5)
    expect(tooltip).to_be_visible()
    expect(tooltip).not_to_have_text(before or "")


def test_the_keyboard_reaches_every_bar_and_speaks_it(demo: Page) -> None:
    svg = bars(demo, "plain").locator("svg")
    svg.focus()
    demo.keyboard.press("ArrowRight")
    demo.keyboard.press("ArrowRight")
    expect(bars(demo, "plain").get_by_test_id("tooltip")).to_have_text("dimension 1: 0.8 nats")
    expect(bars(demo, "plain").locator("[aria-live]")).to_have_text("dimension 1: 0.8 nats")
    demo.keyboard.press("Escape")
    expect(bars(demo, "plain").get_by_test_id("tooltip")).to_be_hidden()


def test_a_screen_reader_is_told_the_bars(demo: Page) -> None:
    svg = bars(demo, "plain").locator("svg")
    expect(svg).to_have_attribute(
        "aria-label", re.compile("8 dimensions, total 2.2 nats, 2 of 8 above 0.01, lowest 0.002")
    )


def test_dead_dimensions_are_hollow(demo: Page) -> None:
    count = "path => (path.getAttribute('d').match(/M/g) || []).length"
    assert bars(demo, "plain").get_by_test_id("dead").evaluate(count) == 6
    assert bars(demo, "plain").get_by_test_id("alive").evaluate(count) == 2


def test_a_bar_of_nothing_does_not_rise_above_the_axis(demo: Page) -> None:
    top = bars(demo, "plain").get_by_test_id("dead").evaluate("path => path.getBBox().y")
    axis = bars(demo, "plain").locator("path.axis").evaluate("path => path.getBBox().y")
    assert axis < top < axis + 5


def test_a_second_moment_of_nothing_has_no_height_and_no_outline(demo: Page) -> None:
    drawn = """
        const root = document.body.appendChild(document.createElement("div"));
        const chart = new MomentBars(root);
        const data = { title: "", colour: "#000", height: 190, dimensions: [0, 1], note: "", top: 1.25 };
        chart.jump({ ...data, mean: [0, 1], std: [1, 0] });
        chart.resize();
        const path = (name) => root.querySelector(`path.${name}`);
        const outlines = (path("spread").getAttribute("d").match(/M/g) || []).length;
        const heights = path("means").getAttribute("d").split("z").filter(Boolean).map((d) => {
          const [, bottom, top] = /^M\\S+ (\\S+)V([^h]+)h/.exec(d);
          return bottom - top;
        });
        root.remove();
        return [outlines, ...heights];
    """
    scripts = joined("chart.js", "dimension_bars.js", "moment_chart.js")
    outlines, none, all_of_it = demo.evaluate("code => new Function(code)()", f"{scripts}{drawn}")
    assert (outlines, none) == (1, 0)
    assert all_of_it > 90


def test_charts_of_a_group_share_their_axis(demo: Page) -> None:
    def axis(key: str) -> list[str]:
        return bars(demo, key).locator("svg g").first.locator("text").all_text_contents()

    assert axis("plain") == axis("scaled")
    assert axis("one") != axis("scaled")


@pytest.mark.parametrize("key", ["empty", "one", "nan", "many"])
def test_odd_data_is_drawn_without_a_broken_path(demo: Page, key: str) -> None:
    for path in bars(demo, key).locator("svg path").all():
        assert "NaN" not in (path.get_attribute("d") or "")
    if key == "empty":
        expect(bars(demo, key).locator("svg")).to_contain_text("no values yet")


def test_zoom_survives_ticks_and_a_double_click_resets_it(demo: Page) -> None:
    chart = demo.get_by_test_id("curves")
    chart.scroll_into_view_if_needed()
    area = box(chart.locator("svg"))
    demo.mouse.move(area["x"] + area["width"] * 0.4, area["y"] + 100)
    demo.mouse.down()
    demo.mouse.move(area["x"] + area["width"] * 0.6, area["y"] + 100, steps=4)
    demo.mouse.up()
    expect(chart).to_have_attribute("data-zoom", re.compile(r"\d+.* \d+"))
    zoom = chart.get_attribute("data-zoom")
    wait_for_ticks(demo, 5)
    expect(chart).to_have_attribute("data-zoom", zoom or "")
    expect(chart.get_by_test_id("tooltip")).to_contain_text("−ELBO 85.5")
    chart.locator("svg").dblclick(position={"x": area["width"] / 2, "y": 120})
    expect(chart).to_have_attribute("data-zoom", "")


def test_the_axis_says_what_it_leaves_out(demo: Page) -> None:
    expect(demo.get_by_test_id("curves").get_by_test_id("note")).to_have_text(
        re.compile(r"axis starts at \d+, not at 0 · early values up to 385\.5 are above the axis")
    )


def test_a_picture_is_enlarged_under_the_pointer(demo: Page) -> None:
    grid = demo.get_by_test_id("image-grid")
    grid.scroll_into_view_if_needed()
    grid.locator("canvas").first.hover(position={"x": 5, "y": 5})
    expect(grid.get_by_test_id("tooltip")).to_contain_text("0: <img src=x")
    wait_for_ticks(demo, 3)
    expect(grid.get_by_test_id("tooltip")).to_be_visible()


def test_bars_that_left_the_page_are_drawn_when_they_come_back(demo: Page) -> None:
    toggle, words = demo.get_by_role("switch", name="more bars"), demo.get_by_text("more bars")
    words.click()
    expect(toggle).not_to_be_checked()
    expect(bars(demo, "more")).to_have_count(0)
    words.click()
    expect(toggle).to_be_checked()
    expect(bars(demo, "more")).to_have_count(1)
    expect(bars(demo, "more").get_by_test_id("alive")).to_have_attribute("d", re.compile("M.+z"))


def test_hostile_text_is_shown_as_text(demo: Page) -> None:
    expect(demo.get_by_test_id("sentence-list")).to_contain_text("<img src=x onerror")
    expect(bars(demo, "plain")).to_contain_text("<img src=x onerror")
    expect(demo.get_by_test_id("curves").get_by_test_id("legend")).to_contain_text("<img src=x onerror")
    expect(demo.locator("[data-testid=stMain] img")).to_have_count(0)
    expect(demo).to_have_title("demo")


def test_rows_of_two_lists_stay_level_and_an_empty_sentence_is_named(demo: Page) -> None:
    cells = demo.get_by_test_id("sentence-list").get_by_role("cell")
    expect(cells.nth(2)).to_have_text("(empty)")
    assert box(cells.nth(2))["y"] == box(cells.nth(3))["y"]


def test_nothing_sticks_out_of_a_phone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 400, "height": 860})
    page.goto(address)
    expect(page.get_by_test_id("sentence-list")).to_be_visible(timeout=60_000)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    assert box(bars(page, "plain").locator("svg"))["width"] <= 400
