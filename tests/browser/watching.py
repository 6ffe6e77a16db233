"""A browser's page that fails its test if something went wrong on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect

SECOND = 1_000
HARMLESS = "Failed to load resource"


@contextmanager
def watched(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page of 1280 x 1000 pixels; afterwards nothing but Streamlit's own probe may have been logged as an error."""
    errors: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 1000}, **options)
    page.set_default_timeout(30 * SECOND)
    expect.set_options(timeout=30 * SECOND)
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    serious = [error for error in errors if HARMLESS not in error]
    assert not serious, "\n".join(serious)


def rests(page: Page) -> None:
    """Until the page's script has run to its end, and all that it drew has come."""
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
