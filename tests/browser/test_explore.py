"""The hand on the latent space, in a real browser: draw, type, walk from one example to another, and come back."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bnvae.jobs.train_runs import train_run
from bnvae.runs import RunStore
from tests.browser.watching import rests, watched
from tests.pages.reading import TRAINED, small

SECOND = 1000
PLACED = re.compile("prior std from test example")
HOSTILE = "<img src=x onerror='document.title=666'>"


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = RunStore(tmp_path_factory.mktemp("runs"))
    for name, (data, head, dimensions) in TRAINED.items():
        train_run(store.create(name, small(data, head, dimensions)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNVAE_CHECKPOINTS", str(store.root))
        yield serve("app.py")


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    with watched(browser, has_touch=True) as page:
        yield page


def pad(page: Page) -> Locator:
    return page.get_by_label("A pad to draw on")


def exhibits(page: Page) -> Locator:
    return page.get_by_test_id("exhibits")


def ink(canvas: Locator) -> int:
    """Pixels of a canvas that are not black."""
    count: int = canvas.evaluate(
        "node => { const { data } = node.getContext('2d').getImageData(0, 0, node.width, node.height);"
        " let lit = 0; for (let i = 0; i < data.length; i += 4) lit += data[i] > 40; return lit }"
    )
    return count


def open_pad(page: Page, address: str) -> None:
    page.goto(f"{address}/explore?runs=digits-plain&runs=digits-scaler&tab=Your+own")
    expect(exhibits(page)).to_have_count(2)
    expect(exhibits(page).first).to_contain_text("draw something")


def stroke(page: Page) -> None:
    """A one, drawn with the mouse."""
    box = pad(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    page.mouse.up()


def test_a_digit_drawn_with_the_mouse_is_read_decoded_placed_and_begins_a_way(tab: Page, address: str) -> None:
    open_pad(tab, address)
    assert ink(pad(tab)) == 0
    stroke(tab)
    expect(exhibits(tab).first).to_contain_text(PLACED)
    expect(exhibits(tab).last).to_contain_text(PLACED)
    read = exhibits(tab).first.locator("canvas").first
    assert read.evaluate("node => [node.width, node.height]") == [8, 8]
    assert 8 <= ink(read) <= 24  # one column of eight, or two or three where it lies between them
    tab.get_by_role("button", name="Go from it").click()
    ways = tab.get_by_test_id("latent-path")
    expect(ways).to_have_count(2)
    expect(ways.first).to_contain_text("your drawing to test example 1")
    expect(ways.first.locator("li")).to_have_count(11)


def test_a_drawing_survives_another_tab_and_is_cleared_by_its_button(tab: Page, address: str) -> None:
    open_pad(tab, address)
    stroke(tab)
    expect(exhibits(tab).first).to_contain_text(PLACED)
    drawn = ink(pad(tab))
    tab.get_by_role("tab", name="Factors").click()
    expect(tab.get_by_test_id("factor-matrix")).to_have_count(2)
    tab.get_by_role("tab", name="Your own").click()
    expect(exhibits(tab).first).to_contain_text(PLACED)
    assert ink(pad(tab)) == pytest.approx(drawn, rel=0.1)  # it is kept at a quarter of the resolution
    tab.get_by_role("button", name="Clear", exact=True).click()
    expect(exhibits(tab).first).to_contain_text("draw something")
    assert ink(pad(tab)) == 0


def test_strokes_are_taken_back_one_by_one_and_so_is_clearing(tab: Page, address: str) -> None:
    open_pad(tab, address)
    undo = tab.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    stroke(tab)
    expect(exhibits(tab).first).to_contain_text(PLACED)
    first = ink(pad(tab))
    pad(tab).click(position={"x": 30, "y": 30})
    both = ink(pad(tab))
    assert both > first
    tab.get_by_role("button", name="Clear", exact=True).click()
    expect(exhibits(tab).first).to_contain_text("draw something")
    tab.keyboard.press("Control+z")
    assert ink(pad(tab)) == both
    expect(exhibits(tab).first).to_contain_text(PLACED)
    tab.keyboard.press("Control+z")
    assert ink(pad(tab)) == first
    undo.click()
    expect(exhibits(tab).first).to_contain_text("draw something")
    assert ink(pad(tab)) == 0
    expect(undo).to_be_disabled()


def test_the_pad_is_drawn_on_with_keys_and_with_a_finger(tab: Page, address: str) -> None:
    open_pad(tab, address)
    pad(tab).focus()
    tab.keyboard.down(" ")
    for _ in range(6):
        tab.keyboard.press("ArrowDown")
    tab.keyboard.up(" ")
    expect(exhibits(tab).first).to_contain_text(PLACED)
    line = ink(pad(tab))
    tab.keyboard.press("Delete")
    expect(exhibits(tab).first).to_contain_text("draw something")
    pad(tab).tap()
    expect(exhibits(tab).first).to_contain_text(PLACED)
    assert 0 < ink(pad(tab)) < line  # a dot


def test_a_typed_sentence_marks_unknown_words_and_stays_text(tab: Page, address: str) -> None:
    tab.goto(f"{address}/explore?runs=story-bn&tab=Your+own")
    field = tab.get_by_label("A sentence")
    field.fill(f"The fox hacked {HOSTILE}")
    field.press("Enter")
    expect(exhibits(tab).locator("mark.unknown", has_text="hacked")).to_be_visible()
    expect(exhibits(tab).locator("figure").first).to_contain_text("the fox hacked <img src=x onerror=")  # 10 tokens
    assert tab.title() != "666"


def test_the_ends_of_a_link_last_through_a_reload_and_the_other_tabs(tab: Page, address: str) -> None:
    tab.goto(f"{address}/explore?runs=digits-plain&ends=12,57")
    number = tab.get_by_role("spinbutton")
    expect(number.first).to_have_value("12")
    expect(number.last).to_have_value("57")
    expect(tab).to_have_url(re.compile(r"from=12&to=57"))
    tab.reload()
    expect(number.first).to_have_value("12")
    tab.get_by_role("tab", name="Traverse").click()
    expect(tab.get_by_test_id("traversal-grid").locator("[data-dimension]")).to_have_count(4)
    tab.get_by_role("tab", name="Interpolate").click()
    expect(number.last).to_have_value("57")
    expect(tab.get_by_test_id("latent-path").locator("li").first).to_contain_text("0.00")


def test_a_traversal_draws_every_picture_and_moves_with_the_example(tab: Page, address: str) -> None:
    tab.goto(f"{address}/explore?runs=digits-plain&runs=story-plain")
    grids = tab.get_by_test_id("traversal-grid")
    expect(grids).to_have_count(2)
    cells = grids.first.locator("[data-dimension] canvas")
    expect(cells).to_have_count(4 * 7)
    for place in (0, 13, 27):
        expect(cells.nth(place)).to_have_attribute("width", "8")  # it gets its size when it is drawn
        assert ink(cells.nth(place)) > 0
    expect(grids.last.locator("[data-dimension]")).to_have_count(3)
    number = tab.get_by_role("spinbutton")
    number.fill("5")
    number.press("Enter")
    expect(grids.first).to_contain_text("test example 5")
    expect(tab).to_have_url(re.compile("example=5"))


@pytest.mark.parametrize("name", ["Traverse", "Interpolate", "Your+own", "Factors"])
def test_nothing_is_wider_than_a_phone(tab: Page, address: str, name: str) -> None:
    tab.set_viewport_size({"width": 400, "height": 860})
    tab.goto(f"{address}/explore?runs=digits-plain&runs=story-bn&tab={name}")
    rests(tab)
    expect(tab.get_by_role("tab")).to_have_count(4)
    assert tab.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth + 1")
