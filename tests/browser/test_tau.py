"""The slider over tau in a real browser: by mouse, keys and touch; what is drawn is what the library computes."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bnvae.metrics.scaler_curves import Unscaled, UnscaledMoments, kl_per_dimension, shares

SCRIPT = """
import numpy as np
import streamlit as st
from bnvae.metrics.scaler_curves import Budget, Unscaled, UnscaledMoments
from pages.components.tau_explorer import Beside, Meaning, Rival, TauRun, tau_explorer
from pages.components.tau_strip import Strip, StripPart

st.set_page_config(page_title="demo", layout="wide")
HOSTILE = "<img src=x onerror='document.title=666'>"
kind = st.query_params.get("kind", "slid")
D = {"one": 1, "wide": 256}.get(kind, 32)
rng = np.random.default_rng(0)
unscaled = Unscaled(mean=rng.normal(size=(400, D)), std=0.6 + 0.8 * rng.random((400, D)))
moments = UnscaledMoments.of(unscaled)
members = [0.1, 0.5, 0.9] if kind == "snapped" else [0.3]
run = TauRun(
    titles=[f"run {tau} {HOSTILE}" for tau in members],
    caption="RMS + Scaler", colour="#0072B2", taus=members, thetas=np.tile(np.linspace(-2, 2, D), (len(members), 1)),
    unscaled=[unscaled] * len(members), moments=[moments] * len(members), labels=list(range(10)) * 40,
    label_names=[HOSTILE] * 10, largest_tau=members[-1] if kind == "snapped" else 0.99, axes=(0, D - 1),
    marks=[] if kind == "snapped" else [(0.3, "trained at 0.3")],
)
taus = members if kind == "snapped" else [*np.arange(0, 0.99, 0.02).round(2), 0.99]
def pictures(rows):
    grey = np.linspace(0, 255, rows).astype(np.uint8)
    return np.broadcast_to(grey[:, None, None, None, None], (rows, 8, 1, 28, 28))
def sentences(rows):
    return [[f"{HOSTILE} {row}" if row % 3 else "" for _ in range(8)] for row in range(rows)]
made = sentences if kind == "sentences" else pictures
count = len(taus)
parts = [(0, "test example", 1), (0, "reconstruction", count), (1, "prior sample, ours", count), (1, "plain", 1)]
parts = [StripPart(half=half, title=title, frames=made(rows)) for half, title, rows in parts]
strip = Strip(taus=taus, note="noted", parts=parts)
beside = Beside(
    priced_taus=taus, distortion=list(np.linspace(90, 70, len(taus))), curve_note="note",
    rivals=[Rival(title=HOSTILE, colour="#D55E00", rate=12.0, distortion=85.0)],
    plain_title="plain", plain=Budget(mean=np.full(4, 0.1), std=np.full(4, 0.7)),
)
if kind == "bare":
    strip, beside = None, Beside()
    moments.mean_square[3] = np.nan
meaning = Meaning(name="Rescaled", short="", says="is", says_not="is not", learned=kind == "snapped")
tau = tau_explorer(key="tau", run=run, meaning=meaning,
                   strip=strip, beside=beside, tau=0.3)
st.text(f"server at {tau:.3f}")
"""

COUNT = "() => performance.getEntriesByName('tau-draw').length"
OpenPage = Callable[[], AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str]) -> str:
    return serve(SCRIPT)


@pytest.fixture(scope="module")
def demo(quiet_page: OpenPage, address: str) -> Iterator[Page]:
    with quiet_page() as page:
        page.set_viewport_size({"width": 1280, "height": 2000})  # all panels in sight
        yield opened(page, address)


def opened(page: Page, address: str, kind: str = "slid") -> Page:
    page.goto(f"{address}/?kind={kind}")
    expect(page.get_by_test_id("tau-explorer")).to_be_visible(timeout=60_000)
    return page


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="τ")


def place(page: Page, tau: float, largest: float = 0.99) -> tuple[float, float]:
    box = slider(page).bounding_box()
    assert box is not None
    return box["x"] + 14 + (box["width"] - 28) * tau / largest, box["y"] + box["height"] / 2


def expect_tau(page: Page, text: str) -> None:
    expect(page.get_by_test_id("tau-explorer").get_by_test_id("tau")).to_have_text(f"τ = {text}")


def to_start(page: Page) -> None:
    slider(page).focus()
    page.keyboard.press("Home")
    expect(page.get_by_text("server at 0.000")).to_be_visible()


def test_every_update_of_a_drag_is_drawn_and_marked_before_the_release(demo: Page) -> None:
    to_start(demo)
    before = demo.evaluate(COUNT)
    demo.mouse.move(*place(demo, 0.0))
    demo.mouse.down()
    for tau in np.linspace(0.02, 0.8, 25):
        demo.mouse.move(*place(demo, float(tau)))
    expect_tau(demo, "0.800")
    assert demo.evaluate(COUNT) - before >= 15
    expect(demo.get_by_text("server at 0.000")).to_be_visible()
    demo.mouse.up()
    expect(demo.get_by_text("server at 0.800")).to_be_visible()


def test_all_panels_follow_the_drag_without_the_server(demo: Page) -> None:
    looks = """() => {
      const root = document.querySelector('[data-testid=stMain]');
      const inside = [...root.querySelectorAll('*')].map(n => n.shadowRoot).filter(Boolean);
      const all = q => inside.flatMap(r => [...r.querySelectorAll(q)]);
      const moving = 'path.alive, path.means, path.current, path.gamma-mean, path.level';
      const paths = all(moving).map(path => path.getAttribute('d'));
      return [...paths, ...all('canvas[role=img]').map(c => c.toDataURL())];
    }"""
    to_start(demo)
    slider(demo).scroll_into_view_if_needed()
    before = demo.evaluate(looks)
    demo.mouse.move(*place(demo, 0.0))
    demo.mouse.down()
    demo.mouse.move(*place(demo, 0.6), steps=3)
    expect_tau(demo, "0.600")
    after = demo.evaluate(looks)
    demo.mouse.up()
    moved = [one != other for one, other in zip(before, after, strict=True)]
    # Still: the plain VAE's budget, the test examples, the plain VAE's samples.
    assert moved.count(False) == 3, moved


@pytest.mark.parametrize(
    ("key", "tau"),
    [("ArrowRight", "0.310"), ("ArrowLeft", "0.290"), ("ArrowUp", "0.310"), ("ArrowDown", "0.290"), ("PageUp", "0.400"),
     ("PageDown", "0.200"), ("Home", "0.000"), ("End", "0.990")],
)  # fmt: skip
def test_keys_move_the_slider_and_their_release_tells_the_server(demo: Page, key: str, tau: str) -> None:
    to_start(demo)
    for _ in range(3):
        demo.keyboard.press("PageUp")
    expect_tau(demo, "0.300")
    demo.keyboard.press(key)
    expect_tau(demo, tau)
    expect(demo.get_by_text(f"server at {tau}")).to_be_visible()
    expect(slider(demo)).to_have_attribute("aria-valuetext", re.compile(rf"^τ = {tau}, rate [\d.]+ nats$"))


def test_pictures_are_sent_once_and_not_at_each_release(page: Page, address: str) -> None:
    received: list[int] = []

    def count(content: str | bytes) -> None:
        received.append(len(content))

    page.on("websocket", lambda socket: socket.on("framereceived", count))
    opened(page, address)
    assert sum(received) > 100_000
    received.clear()
    slider(page).focus()
    page.keyboard.press("End")
    expect(page.get_by_text("server at 0.990")).to_be_visible()
    assert sum(received) < 20_000


def test_a_finger_drags_the_slider(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 860}, has_touch=True, is_mobile=True)
    page = opened(context.new_page(), address)
    session = context.new_cdp_session(page)

    def touch(kind: str, tau: float | None) -> None:
        points = [] if tau is None else [dict(zip(("x", "y"), place(page, tau), strict=True))]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0.3)
    for tau in (0.35, 0.45, 0.55, 0.65):
        touch("touchMove", tau)
    expect_tau(page, "0.650")
    touch("touchEnd", None)
    expect(page.get_by_text("server at 0.650")).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    context.close()


def test_the_numbers_drawn_are_the_librarys(demo: Page) -> None:
    rng = np.random.default_rng(0)
    unscaled = Unscaled(mean=rng.normal(size=(400, 32)), std=0.6 + 0.8 * rng.random((400, 32)))
    wanted = kl_per_dimension(UnscaledMoments.of(unscaled), shares(np.linspace(-2, 2, 32), 0.4))
    to_start(demo)
    for _ in range(4):
        demo.keyboard.press("PageUp")
    chart = demo.get_by_test_id("kl")
    expect_tau(demo, "0.400")
    said = re.search(r"rate ([\d.]+) nats, of which τ alone enforces ([\d.]+)", chart.inner_text())
    assert said is not None
    assert float(said[1]) == pytest.approx(wanted.sum(), abs=6e-3)
    assert float(said[2]) == pytest.approx(-16 * np.log(0.6), abs=6e-3)
    chart.locator("svg").focus()
    demo.keyboard.press("Home")
    expect(chart.get_by_test_id("tooltip")).to_contain_text(f"dimension 0: {wanted[0]:.3f}".rstrip("0"))
    demo.keyboard.press("Escape")


@pytest.mark.parametrize("kind", ["slid", "one"])
def test_equal_gammas_are_both_seen_as_a_dot_in_a_ring(page: Page, address: str, kind: str) -> None:
    shown = opened(page, address, kind).get_by_test_id("gammas")
    shown.scroll_into_view_if_needed()
    radii = []
    for name in ("gamma-mean", "gamma-std"):
        path = shown.get_by_test_id(name)
        expect(path).to_have_attribute("d", re.compile(r"^M.*a"))
        radii.append(float(re.findall(r"a(\S+) ", path.get_attribute("d") or "")[0]))
    ring = shown.get_by_test_id("gamma-std").evaluate(
        "path => [getComputedStyle(path).fill, parseFloat(getComputedStyle(path).strokeWidth)]"
    )
    assert ring[0] == "none"
    assert radii[1] - ring[1] / 2 > radii[0]


def test_the_formula_has_the_numbers_of_the_dimension_across(demo: Page) -> None:
    to_start(demo)
    for _ in range(5):
        demo.keyboard.press("PageUp")
    demo.get_by_test_id("dimension-across").select_option("31")
    equation = demo.get_by_test_id("equation")
    # theta = 2: 0.5 + 0.5 * 0.881 = 0.940, and 0.5 * 0.119 = 0.060, by hand.
    expect(equation).to_contain_text("in dimension 31:")
    expect(equation).to_contain_text("0.500 + 0.500 · 0.881 = 0.940")
    expect(equation).to_contain_text("0.500 · 0.119 = 0.060")


def test_a_press_is_not_lost_to_a_drawing_that_comes_before_its_frame(demo: Page) -> None:
    to_start(demo)
    slider(demo).evaluate("node => node.dispatchEvent(new KeyboardEvent('keydown', { key: 'PageUp' }))")
    pressed_and_drawn = """node => {
        node.dispatchEvent(new KeyboardEvent('keydown', { key: 'PageUp' }));
        node.getRootNode().querySelector("[data-testid=dimension-up]").dispatchEvent(new Event('change'));
    }"""
    slider(demo).evaluate(pressed_and_drawn)
    expect_tau(demo, "0.200")


def test_the_slider_of_a_sweep_rests_only_at_its_members(page: Page, address: str) -> None:
    opened(page, address, "snapped")
    page.mouse.move(*place(page, 0.1, 0.9))
    page.mouse.down()
    page.mouse.move(*place(page, 0.62, 0.9), steps=4)
    expect_tau(page, "0.50")
    page.mouse.up()
    expect(page.get_by_text("server at 0.500")).to_be_visible()
    expect(page.get_by_test_id("kl")).to_contain_text("run 0.5 <img")
    slider(page).focus()
    page.keyboard.press("ArrowRight")
    expect_tau(page, "0.90")


def test_the_pictures_are_those_of_the_nearest_tau_of_the_strip(demo: Page) -> None:
    to_start(demo)
    decoded = demo.get_by_test_id("decoded")
    for key, tau, frame in (("End", "0.99", 50), ("Home", "0.00", 0)):
        demo.keyboard.press(key)
        expect(decoded).to_contain_text(f"decoded at τ = {tau}")
        grey = decoded.locator("canvas").nth(2).evaluate("c => c.getContext('2d').getImageData(9, 9, 1, 1).data[0]")
        assert grey == round(255 * frame / 50)
        expect(decoded.locator(".heading")).to_have_text(f"decoded at τ = {tau}, the nearest in steps of 0.02")


def test_a_sweep_whose_every_tau_was_decoded_speaks_of_no_nearest_one(page: Page, address: str) -> None:
    opened(page, address, "snapped")
    expect(page.get_by_test_id("decoded").locator(".heading")).to_have_text("decoded at τ = 0.10")


def test_a_phone_shows_bars_pictures_and_slider_at_once(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 400, "height": 860})
    opened(page, address)
    pictures = page.get_by_test_id("decoded").locator(".strip-row")
    expect(pictures.last.locator("canvas").first).to_be_visible()
    bars, last, bar = (
        part.bounding_box()
        for part in (page.get_by_test_id("kl"), pictures.last, page.get_by_role("group", name="tau"))
    )
    assert bars is not None
    assert last is not None
    assert bar is not None
    header = 60  # Streamlit's, which covers the top of a phone's page
    assert last["y"] + last["height"] - bars["y"] <= 860 - header - bar["height"]


@pytest.mark.parametrize("kind", ["one", "wide", "bare", "sentences", "snapped"])
def test_odd_data_are_drawn_without_a_broken_path(page: Page, address: str, kind: str) -> None:
    opened(page, address, kind)
    slider(page).focus()
    page.keyboard.press("PageUp")
    for path in page.get_by_test_id("tau-explorer").locator("svg path, svg circle").all():
        for name in ("d", "cx", "cy"):
            assert "NaN" not in (path.get_attribute(name) or "")
    expect(page.get_by_test_id("decoded")).to_be_hidden() if kind == "bare" else expect(
        page.get_by_test_id("decoded")
    ).to_be_visible()


def test_a_sweep_says_at_each_tau_whether_the_floor_binds_and_a_rescaled_model_does_not(
    page: Page, address: str
) -> None:
    opened(page, address, "snapped")  # at 0.3 the slider rests on a member: 0.1 or 0.5, rate far above its floor
    expect(page.get_by_test_id("kl")).to_contain_text(re.compile(r"rate [\d.]+ nats, floor [\d.]+ does not bind"))
    opened(page, address, "slid")
    expect(page.get_by_test_id("kl")).to_contain_text("τ alone enforces")
    expect(page.get_by_test_id("kl")).not_to_contain_text("bind")


def test_hostile_text_is_shown_as_text(page: Page, address: str) -> None:
    opened(page, address, "sentences")
    expect(page.get_by_test_id("kl")).to_contain_text("<img src=x onerror")
    expect(page.get_by_test_id("rate")).to_contain_text("<img src=x onerror")
    slider(page).focus()
    page.keyboard.press("PageUp")
    expect(page.get_by_test_id("decoded")).to_contain_text("<img src=x onerror")
    expect(page.locator("[data-testid=stMain] img")).to_have_count(0)
    expect(page).to_have_title("demo")


def test_what_was_out_of_sight_is_drawn_when_it_comes_into_sight(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 700})
    opened(page, address)
    slider(page).focus()
    page.keyboard.press("End")
    expect_tau(page, "0.990")
    rate = page.get_by_test_id("rate")
    rate.scroll_into_view_if_needed()
    # By hand: at the end of the strip the distortion is 70 nats.
    expect(rate.get_by_test_id("elbo")).to_contain_text("distortion 70 + rate")


@pytest.mark.parametrize("width", [400, 768, 1280])
def test_nothing_sticks_out(page: Page, address: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    opened(page, address)
    assert page.get_by_test_id("stMain").evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    wide: list[Any] = page.get_by_test_id("tau-explorer").evaluate(
        "root => [...root.querySelectorAll('canvas, svg, .formula-line')].map(n => n.getBoundingClientRect().right)"
    )
    assert max(wide) <= width


def test_a_screen_reader_is_told_what_is_drawn(demo: Page) -> None:
    explorer = demo.get_by_test_id("tau-explorer")
    labels = explorer.get_by_role("img").evaluate_all("nodes => nodes.map(node => node.getAttribute('aria-label'))")
    assert all(labels)
    assert any("32 dimensions, KL from" in label for label in labels)
    assert any("% of the prior's mass" in label for label in labels)
