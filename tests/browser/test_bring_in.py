"""Uploading a model of one's own in a real browser, and finding it on the Samples page."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, expect
from safetensors.torch import save_file

from tests.browser.watching import watched
from tests.importers.foreign_vae import DESCRIPTION, ForeignVAE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(serve: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address, with a folder of runs of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNVAE_CHECKPOINTS", str(tmp_path_factory.mktemp("runs")))
        yield serve("app.py")


def test_a_model_is_uploaded_and_decodes(app: str, browser: Browser, tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_file(ForeignVAE().state_dict(), tmp_path / "mine.safetensors")
    for name in ("vae.json", "alone.json"):
        (tmp_path / name).write_text(json.dumps(DESCRIPTION))
    with watched(browser) as page:
        page.goto(f"{app}/runs")
        uploads, take_in = page.locator("input[type=file]"), page.get_by_role("button", name="Take it in")
        uploads.set_input_files([tmp_path / "alone.json"])
        take_in.click()
        expect(page.get_by_text("This is refused:")).to_be_visible()
        expect(page.get_by_text("alone.json: give one .zip of a run")).to_be_visible()

        page.get_by_role("button", name="Remove alone.json").click()
        expect(page.get_by_text("This is refused:")).to_be_hidden()
        uploads.set_input_files([tmp_path / "mine.safetensors", tmp_path / "vae.json"])
        expect(page.get_by_text("mine.safetensors")).to_be_visible()
        take_in.click()
        expect(page.get_by_text("Tick a row to open")).to_be_visible()

        page.get_by_role("link", name="Samples").click()
        expect(page.get_by_text("mine · plain VAE, trained elsewhere").first).to_be_visible()
        expect(page.get_by_role("img", name="Decoded from the same latent codes").first).to_be_visible()
