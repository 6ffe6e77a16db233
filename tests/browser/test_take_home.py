"""Files to take home in a browser: they arrive while the page runs again and again, once, and whole."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from bnvae.jobs.train_runs import train_run
from bnvae.runs import RunStore
from tests.browser.watching import watched
from tests.pages.reading import small

SCRIPT = """
import time
import streamlit as st
from pages.components.take_home import Offered, take_home

st.set_page_config(page_title="demo")

def slowly():
    time.sleep(0.3)
    return bytes(range(256)) * 50

def never():
    raise ValueError("weights.safetensors is missing: <b>train it</b>.")

@st.fragment(run_every=0.4)
def restless():
    # Every other tick ends the run of the page where it is, and begins another.
    st.session_state.ticks = st.session_state.get("ticks", 0) + 1
    if "restless" in st.query_params and st.session_state.ticks % 2 == 0:
        st.rerun()

restless()
time.sleep(0.2)
take_home(key="files", label="Card", files=[
    Offered(title="one", caption="plain VAE", file_name="one.bin", make=slowly),
    Offered(title="two <b>", caption="RMS", file_name="two.bin", make=never),
])
time.sleep(0.2)
st.text("the end of the page")
"""


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str]) -> str:
    return serve(SCRIPT)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with watched(browser, accept_downloads=True) as page:
        page.goto(address)
        yield page


def content(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def test_a_file_arrives_while_the_page_runs_again_and_again(page: Page, address: str) -> None:
    page.goto(f"{address}/?restless=1")
    arrived: list[Download] = []
    page.on("download", lambda download: arrived.append(download))
    button = page.get_by_role("button", name="Card of one")
    for count in range(1, 7):
        with page.expect_download() as download:
            button.click()
        assert download.value.suggested_filename == "one.bin"
        assert content(download.value) == bytes(range(256)) * 50
        expect(button).to_be_enabled()
        assert len(arrived) == count  # each once, however often the page was told of it


def test_what_cannot_be_made_says_why_as_plain_text_beside_its_button(page: Page) -> None:
    page.get_by_role("button", name="Card of two <b>").click()
    expect(page.get_by_role("alert")).to_have_text("weights.safetensors is missing: <b>train it</b>.")
    with page.expect_download():
        page.get_by_role("button", name="Card of one").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_card_is_taken_home_from_the_compare_page(
    browser: Browser, serve: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(tmp_path)
    for name in ("one", "two"):
        train_run(store.create(name, small("digits", "gaussian", 4)))
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(tmp_path))
    with watched(browser, accept_downloads=True) as page:
        page.goto(f"{serve('app.py')}/compare?runs=one&runs=two&view=Take+home")
        with page.expect_download() as download:
            page.get_by_role("button", name="Card of two").click()
        assert download.value.suggested_filename == "two-card.zip"
        names = zipfile.ZipFile(io.BytesIO(content(download.value))).namelist()
        assert {"two-card/config.json", "two-card/numbers.csv", "two-card/figures/kl.svg"} <= set(names)
