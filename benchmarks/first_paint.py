"""How long a visitor waits: the first request to a fresh server until bars stand, then every other page.

    python -m benchmarks.first_paint [--repetitions 5] [--checkpoints checkpoints]

Each repetition starts a new server process, waits until it answers, and opens the overview in a new browser context
(empty cache; Chromium itself is already running). A page counts as painted when Streamlit no longer runs its script and
what the page is about is in view: drawn bars, or its heading and no placeholder. The server imports torch before it
answers; who starts it and opens the page at once waits for both. Resident memory is the server's, with that one
visitor, after the last page.
"""

import argparse
import time
from pathlib import Path

from playwright.sync_api import Browser, Page

from benchmarks.browser import DRAWN_BARS, ROOT, chromium, serving
from benchmarks.report import publish, with_spread

OTHERS = tuple(sorted(path.stem for path in (ROOT / "pages").glob("[!_]*.py") if path.stem != "overview"))
TARGET_FIRST_SECONDS, TARGET_OTHER_SECONDS, TARGET_GB = 3.0, 1.0, 1.0

SETTLED = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  return app?.getAttribute('data-test-script-state') === 'notRunning'
    && document.querySelector('[data-testid="stMain"] h1') !== null
    && document.querySelector('[data-testid="stSkeleton"], [data-testid="stSpinner"]') === null;
}"""


def open_page(page: Page, address: str, condition: str, argument: int = 0) -> float:
    """Seconds from the request until the condition holds, looked at in every animation frame."""
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(condition, arg=argument, polling="raf", timeout=60_000)
    return time.perf_counter() - started


def visit(browser: Browser, checkpoints: Path, seconds: dict[str, list[float]], gigabytes: list[float]) -> None:
    with serving(checkpoints) as server:
        seconds.setdefault("server until it answers", []).append(server.answering_seconds)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        seconds.setdefault("overview, first request", []).append(open_page(page, server.address, DRAWN_BARS, 2))
        for name in OTHERS:
            found = open_page(page, f"{server.address}/{name}", SETTLED)
            seconds.setdefault(f"{name}, first visit", []).append(found)
        gigabytes.append(server.resident_bytes / 1e9)
        for name in OTHERS:
            found = open_page(page, f"{server.address}/{name}", SETTLED)
            seconds.setdefault(f"{name}, again", []).append(found)
        seconds.setdefault("overview, again", []).append(open_page(page, server.address, DRAWN_BARS, 2))
        context.close()


def target(name: str) -> str:
    if name.startswith("server"):
        return ""
    return f"≤ {TARGET_FIRST_SECONDS:g} s" if name == "overview, first request" else f"≤ {TARGET_OTHER_SECONDS:g} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints", help="folder with at least two runs")
    chosen = parser.parse_args()
    seconds: dict[str, list[float]] = {}
    gigabytes: list[float] = []
    with chromium() as browser:
        for _ in range(chosen.repetitions):
            visit(browser, chosen.checkpoints.resolve(), seconds, gigabytes)
    rows = [[name, target(name), with_spread(found, "s")] for name, found in seconds.items()]
    rows.append(["server's resident memory, one visitor", f"< {TARGET_GB:g} GB", with_spread(gigabytes, "GB")])
    publish("First paint", ["page", "target", "median (smallest to largest)"], rows)


if __name__ == "__main__":
    main()
