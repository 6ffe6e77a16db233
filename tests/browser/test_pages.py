"""The app as a visitor meets it: a real server, a real browser, and workers that really train."""

import io
import json
import os
import re
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bnvae.jobs.launch import PID
from bnvae.jobs.train_runs import train_run
from bnvae.runs import RunStore
from tests.browser.watching import watched
from tests.pages.reading import TRAINED, small

"""Streamlit asks for its health under the page's own address first, where it is not."""
SECOND = 1000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunStore]:
    """The servers' folder of runs; workers that a test left are ended with it."""
    store = RunStore(tmp_path_factory.mktemp("runs"))
    for name, (data, head, dimensions) in TRAINED.items():
        train_run(store.create(name, small(data, head, dimensions)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNVAE_CHECKPOINTS", str(store.root))
        yield store
    for run in store.runs():
        if run.is_held:
            os.kill(int((run.folder / PID).read_text()), signal.SIGTERM)


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str], store: RunStore) -> str:
    return serve("app.py")


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    with watched(browser, accept_downloads=True) as page:
        yield page


def bars(page: Page) -> Locator:
    return page.get_by_test_id("kl-bars")


def heading(page: Page, title: str) -> Locator:
    return page.get_by_role("heading", name=title, exact=True)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=re.compile(label)).click()
    page.get_by_role("option", name=option, exact=True).click()


def enter(page: Page, label: str, value: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")


def shown_step(page: Page) -> int:
    words = page.get_by_text(re.compile(r"step [\d,]+ of [\d,]+")).first.text_content() or ""
    found = re.search(r"step ([\d,]+) of", words)
    assert found is not None
    return int(found[1].replace(",", ""))


def wait_for_step(page: Page, least: int) -> None:
    """Until a run that trains has taken so many steps."""
    page.wait_for_function(
        "least => [...document.querySelectorAll('*')].some(({shadowRoot}) => {"
        " const words = shadowRoot?.querySelector('[data-testid=state-words]');"
        " const found = /^training · step ([\\d,]+) of/.exec(words?.textContent);"
        " return found && Number(found[1].replaceAll(',', '')) >= least })",
        arg=least,
    )


def zoom_in(page: Page, chart: Locator) -> str:
    chart.scroll_into_view_if_needed()
    area = chart.locator("svg").bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * 0.4, area["y"] + 100)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.7, area["y"] + 100, steps=4)
    page.mouse.up()
    expect(chart).to_have_attribute("data-zoom", re.compile(r"\d+.* \d+"))
    return chart.get_attribute("data-zoom") or ""


def test_a_pair_trains_live_through_a_reload_until_it_is_stopped_and_goes_on(
    tab: Page, address: str, store: RunStore
) -> None:
    tab.goto(f"{address}/train")
    choose(tab, "Data", "Digits · 8×8 handwriting")
    enter(tab, "Epochs", "1000")
    tab.get_by_role("button", name="Train", exact=True).click()
    for name in ("digits-gaussian", "digits-rms-scaler"):
        expect(bars(tab).filter(has_text=name).get_by_test_id("summary")).to_have_text(re.compile("total .* nats"))
    assert "runs=digits-gaussian&runs=digits-rms-scaler" in tab.url

    made = tab.locator("[data-testid=kl-bars], [data-testid=curves]")
    expect(made).to_have_count(11)  # bars, -ELBO, information, rise and active units of both, the factors of one
    before = made.evaluate_all("nodes => nodes.map(node => node.dataset.created)")
    curve = tab.get_by_test_id("curves").first
    wait_for_step(tab, 60)
    zoom = zoom_in(tab, curve)
    bars(tab).first.get_by_test_id("summary").evaluate(
        """summary => {
            window.ticks = 0;
            const anything = {childList: true, characterData: true, subtree: true};
            new MutationObserver(() => window.ticks++).observe(summary, anything);
        }"""
    )
    tab.wait_for_function("() => window.ticks >= 20", timeout=60 * SECOND)
    assert made.evaluate_all("nodes => nodes.map(node => node.dataset.created)") == before
    expect(curve).to_have_attribute("data-zoom", zoom)

    reached = shown_step(tab)
    tab.reload()
    wait_for_step(tab, reached + 20)

    for run_id in ("digits-gaussian", "digits-rms-scaler"):
        tab.locator(f".st-key-stop-{run_id}").get_by_role("button").click()
    expect(tab.get_by_text(re.compile("^stopped · step"))).to_have_count(2)
    run = store.get("digits-rms-scaler")
    stopped_at = run.status.step
    assert 0 < stopped_at < run.status.total_steps
    assert run.has_weights
    tab.locator(".st-key-resume-digits-rms-scaler").get_by_role("button").click()
    expect(tab.get_by_text(re.compile("^training · step"))).to_have_count(1)
    wait_for_step(tab, stopped_at + 10)
    tab.locator(".st-key-stop-digits-rms-scaler").get_by_role("button").click()
    expect(tab.get_by_text(re.compile("^stopped · step"))).to_have_count(2)
    steps = [record.step for record in run.history().steps]
    assert steps == sorted(set(steps))
    assert steps[0] < stopped_at < steps[-1]


def test_a_worker_goes_on_when_the_tab_is_closed(browser: Browser, address: str, store: RunStore) -> None:
    first = browser.new_page()
    first.goto(f"{address}/train")
    choose(first, "Data", "Digits · 8×8 handwriting")
    choose(first, "Posterior head", "plain VAE")
    enter(first, "Epochs", "400")
    before = {run.id for run in store.runs()}
    first.get_by_role("button", name="Train", exact=True).click()
    expect(first.get_by_text(re.compile("^training · step"))).to_have_count(1, timeout=30 * SECOND)
    [run_id] = {run.id for run in store.runs()} - before
    left_at = store.get(run_id).status.step
    first.close()
    second = browser.new_page()
    second.goto(f"{address}/train?runs={run_id}")
    wait_for_step(second, left_at + 50)
    stop = second.locator(f".st-key-stop-{run_id}").get_by_role("button")
    stop.click()
    expect(second.get_by_text(re.compile("^stopped · step"))).to_be_visible(timeout=30 * SECOND)
    second.close()


def test_own_data_that_is_not_there_is_said_at_its_field(tab: Page, address: str) -> None:
    tab.goto(f"{address}/train")
    choose(tab, "Data", "My own sentences")
    enter(tab, "Folder, file or https address", "/no/such/<b>**place**</b>.txt")
    expect(tab.get_by_text("path is '/no/such/<b>**place**</b>.txt': there is no such file")).to_be_visible()
    expect(tab.get_by_role("button", name="Train", exact=True)).to_be_disabled()


@pytest.mark.parametrize(("path", "title"), [("train", "Train"), ("samples", "Samples"), ("runs", "Runs")])
def test_the_first_visit_of_a_fresh_server_may_be_any_page(
    path: str, title: str, tab: Page, serve: Callable[[str], str], store: RunStore
) -> None:
    fresh = serve("app.py")
    tab.goto(f"{fresh}/{path}?runs=story-plain&runs=story-bn")
    expect(heading(tab, title)).to_be_visible()
    expect(tab.get_by_test_id("stException")).to_have_count(0)
    link = tab.get_by_test_id("stSidebar").get_by_role("link", name="Overview")
    link.click()
    expect(heading(tab, "Posterior collapse, seen")).to_be_visible()
    expect(bars(tab)).to_have_count(2)
    assert "runs=story-plain&runs=story-bn" in tab.url


def test_the_first_page_is_also_found_by_its_name_and_keeps_what_the_address_says(tab: Page, address: str) -> None:
    tab.goto(address)  # since then the server knows the pages by app.py
    expect(heading(tab, "Posterior collapse, seen")).to_be_visible()
    tab.add_init_script(
        "const seen = () => { window.missed ||= document.documentElement.textContent.includes('Page not found') };"
        "new MutationObserver(seen).observe(document, {childList: true, subtree: true})"
    )
    tab.goto(f"{address}/overview?runs=story-bn&runs=story-plain")
    expect(tab).to_have_url(f"{address}/?runs=story-bn&runs=story-plain")
    expect(bars(tab)).to_have_count(2)
    assert tab.evaluate("window.missed") is False


def test_a_copied_address_opens_the_same_samples(tab: Page, address: str, browser: Browser) -> None:
    tab.goto(f"{address}/samples?runs=story-plain&runs=story-bn")
    enter(tab, "Seed", "7")
    choose(tab, "Words", "drawn at random")
    tab.get_by_role("tab", name="Reconstructions").click()
    expect(tab).to_have_url(re.compile(r"seed=7"))
    expect(tab).to_have_url(re.compile(r"words=drawn"))
    expect(tab).to_have_url(re.compile(r"show=Reconstructions"))
    expect(tab.get_by_role("slider", name="Temperature")).to_be_visible()
    sentences = tab.get_by_test_id("sentence-list").last
    expect(sentences).to_contain_text("test example")
    copy = browser.new_page()
    copy.goto(tab.url)
    expect(copy.get_by_label("Seed", exact=True)).to_have_value("7")
    expect(copy.get_by_role("tab", name="Reconstructions")).to_have_attribute("aria-selected", "true")
    assert copy.get_by_test_id("sentence-list").last.inner_text() == sentences.inner_text()
    copy.close()


def test_the_back_button_returns_to_the_page_before(tab: Page, address: str) -> None:
    tab.goto(f"{address}/?runs=story-plain&runs=digits-scaler")
    tab.get_by_role("link", name="Decode other samples").click()
    expect(heading(tab, "Samples")).to_be_visible()
    expect(tab).to_have_url(re.compile(r"/samples\?runs=story-plain&runs=digits-scaler"))
    tab.go_back()
    expect(heading(tab, "Posterior collapse, seen")).to_be_visible()
    expect(bars(tab).filter(has_text="digits-scaler")).to_be_visible()


def rows(tab: Page) -> Locator:
    """The cells of the table's first column, which is a canvas: they are its text for a screen reader."""
    return tab.locator("[data-testid^=glide-cell-1-]")


def open_row(tab: Page, address: str, run_id: str) -> None:
    """Tick the run's row by its place: rows are 35 pixels high, and the first is the header."""
    tab.goto(f"{address}/runs")
    cell = rows(tab).filter(has_text=re.compile(f"^{run_id}$"))
    expect(cell).to_have_count(1)
    row = int((cell.get_attribute("data-testid") or "").rsplit("-", 1)[1])
    tab.get_by_test_id("stDataFrame").click(position={"x": 16, "y": 35 * (row + 1) + 17})
    expect(tab.get_by_label("Name", exact=True)).to_have_value(run_id)


def test_a_run_is_downloaded_renamed_deleted_after_asking_and_taken_in_again(
    tab: Page, address: str, store: RunStore, tmp_path: Path
) -> None:
    original = {file.name: file.read_bytes() for file in store.get("digits-plain").folder.glob("*.*")}
    open_row(tab, address, "digits-plain")
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download", exact=True).click()
    archive = tmp_path / "digits-plain.zip"
    download.value.save_as(archive)

    tab.get_by_label("Name", exact=True).fill("renamed")
    tab.get_by_role("button", name="Rename").click()
    expect(rows(tab).filter(has_text="renamed")).to_have_count(1)
    assert "renamed" in store
    assert "digits-plain" not in store

    open_row(tab, address, "renamed")
    tab.get_by_role("button", name="Delete", exact=True).click()
    assert "renamed" in store
    tab.get_by_role("button", name="Delete it").click()
    expect(tab.get_by_role("button", name="Rename")).to_have_count(0)
    assert "renamed" not in store

    tab.get_by_text("Bring in a run").click()
    tab.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(archive)
    tab.get_by_role("button", name="Take it in").click()
    expect(rows(tab).filter(has_text="digits-plain")).to_have_count(1)
    returned = store.get("digits-plain").folder
    for name in ("config.json", "weights.safetensors", "history.jsonl", "examples.npz", "evaluation.json"):
        assert (returned / name).read_bytes() == original[name]


def test_a_hostile_archive_is_refused_with_the_reason(tab: Page, address: str, tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("run/../../<b>**evil**</b>.py", "x")
    tab.goto(f"{address}/runs")
    tab.get_by_text("Bring in a run").click()
    file = {"name": "evil.zip", "mimeType": "application/zip", "buffer": content.getvalue()}
    tab.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)  # type: ignore[arg-type]
    tab.get_by_role("button", name="Take it in").click()
    expect(tab.get_by_text("This is refused:")).to_be_visible()
    expect(tab.get_by_text("<b>**evil**</b>.py")).to_be_visible()


@pytest.mark.parametrize("path", ["", "train", "samples", "runs"])
def test_nothing_sticks_out_of_a_phone(path: str, tab: Page, address: str) -> None:
    tab.set_viewport_size({"width": 400, "height": 860})
    tab.goto(f"{address}/{path}?runs=story-plain&runs=digits-scaler")
    last = {"": "Decode other", "train": "γ of the mean, lowest", "samples": "first coordinates", "runs": "Tick a row"}
    expect(tab.get_by_text(re.compile(last[path])).first).to_be_visible()
    assert tab.get_by_test_id("stMain").evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    for chart in tab.locator("[data-testid=kl-bars] svg, [data-testid=curves] svg").all():
        box = chart.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 400


def test_a_dark_visitor_meets_no_white_box(browser: Browser, address: str) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(f"{address}/train?runs=story-plain&runs=digits-scaler")
    expect(bars(page)).to_have_count(2, timeout=30 * SECOND)
    bright = page.get_by_test_id("stApp").evaluate(
        """app => [app, ...app.querySelectorAll('*')].filter(node => {
            const {width, height} = node.getBoundingClientRect();
            const style = getComputedStyle(node);
            const colour = style.backgroundColor.match(/[\\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
            const [red, green, blue, alpha = 1] = colour;
            const bright = alpha > 0.5 && red + green + blue > 600;
            return bright && width * height > 2000 && style.visibility === 'visible';
        }).map(node => node.outerHTML.slice(0, 100))"""
    )
    assert bright == []
    page.close()


def test_words_of_a_vocabulary_stay_words_in_the_browser(tab: Page, address: str, store: RunStore) -> None:
    file = store.get("story-plain").folder / "tokenizer.json"
    original = file.read_text(encoding="utf-8")
    stored = json.loads(original)
    hostile = "<img src=x onerror='document.title=666'> **bold** :smile:"
    table = stored["model"]["vocab"]
    stored["model"]["vocab"] = {word if index < 5 else f"{hostile} {index}": index for word, index in table.items()}
    try:
        file.write_text(json.dumps(stored), encoding="utf-8")
        tab.goto(f"{address}/samples?runs=story-plain")
        expect(tab.get_by_test_id("sentence-list").first).to_contain_text(
            "<img src=x onerror='document.title=666'> **bold**"
        )
        expect(tab.locator("[data-testid=stMain] img")).to_have_count(0)
        expect(tab).to_have_title("Samples · bnvae")
    finally:
        file.write_text(original, encoding="utf-8")
