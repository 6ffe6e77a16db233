"""What a visitor sees who opens the Train page and presses Train: seconds to the collapse, and the lag of the bars.

    python -m benchmarks.pressing_train [--repetitions 3]

The real app in a headless Chromium, nothing changed in the form: storybook, the plain VAE and its twin with a Scaler.
The first figure ends when both charts show bars, the plain one's total is below 0.1 nats, and the twin's lowest bar is
at its fixed floor or above; a plain VAE may begin there, so it is also counted how often that still held in the 20 s
that follow. In those, 20 times a second, the step that the page shows beside its bars, which is that of the bars, is
compared with the newest line of the trainer's history.jsonl. The lag is for how long the history has held something
newer than what is shown.
"""

import argparse
import json
import os
import re
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page

from benchmarks.browser import chromium, serving
from benchmarks.report import publish, with_spread
from bnvae.nn.scaler import fixed_floor
from bnvae.runs import RunStore

COLLAPSED_NATS = 0.1
TARGET_SECONDS, TARGET_LAG_SECONDS = 30.0, 1.0
WATCHED_SECONDS = 20.0
TAU = 0.5
LONGEST_SECONDS = 180.0

SHOWN = """() => {
  const shadows = [...document.querySelectorAll('*')].map(node => node.shadowRoot).filter(root => root);
  const charts = shadows.flatMap(root => [...root.querySelectorAll('[data-testid="kl-bars"] svg')]);
  const states = shadows.flatMap(root => [...root.querySelectorAll('[data-testid="state-words"]')]);
  return [charts.map(svg => svg.getAttribute('aria-label') ?? ''), states.map(node => node.textContent)];
}"""
"""JavaScript: what the bars say to a screen reader (total, lowest and highest KL), and how each run is doing"""


@dataclass
class Seen:
    """The trainer's side: when each step was first found in a history."""

    history: Path
    reached: list[tuple[float, int]] = field(default_factory=list)
    _offset: int = 0

    def look(self) -> None:
        with self.history.open("rb") as file:
            file.seek(self._offset)
            appended = file.read()
        complete = appended[: appended.rfind(b"\n") + 1]
        self._offset += len(complete)
        for line in complete.splitlines():
            self.reached.append((time.perf_counter(), json.loads(line)["step"]))

    def outdated_seconds(self, shown: int) -> float:
        """For how long there has been a step later than the one shown."""
        later = [when for when, step in self.reached if step > shown]
        return time.perf_counter() - min(later) if later else 0.0


def press(page: Page, address: str) -> float:
    page.goto(f"{address}/train")
    button = page.get_by_role("button", name="Train", exact=False).filter(has_text=re.compile(r"Train$"))
    button.first.wait_for(timeout=60_000)
    page.wait_for_function(
        "document.querySelector('[data-testid=\"stApp\"]')?.getAttribute('data-test-script-state') === 'notRunning'"
    )
    button.first.click()
    return time.perf_counter()


def numbers(label: str) -> tuple[float, float] | None:
    """Total and lowest KL of one chart's label; None before there are any."""
    total, lowest = re.search(r"total ([\d.e+-]+) nats", label), re.search(r"lowest ([\d.e+-]+)", label)
    return (float(total[1]), float(lowest[1])) if total and lowest else None


def collapse_is_shown(labels: Sequence[str]) -> bool:
    found = [numbers(label) for label in labels]
    if len(found) != 2 or found[0] is None or found[1] is None:
        return False
    # The label has two significant digits, so the floor is rounded as well.
    return found[0][0] < COLLAPSED_NATS and found[1][1] >= round(fixed_floor(TAU), 2)


def shown_steps(texts: Sequence[str]) -> list[int]:
    found = (re.search(r"step ([\d,]+) of", text) for text in texts)
    return [int(match[1].replace(",", "")) for match in found if match]


@dataclass(frozen=True)
class Repetition:
    bars_seconds: float
    collapse_seconds: float
    lags: list[float]
    """seconds"""
    still_collapsed: list[bool]


def repetition(browser: Browser) -> Repetition:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        started = press(page, server.address)
        store = RunStore(Path(folder))
        try:
            bars_seconds = 0.0
            while True:
                labels, _ = page.evaluate(SHOWN)
                waited = time.perf_counter() - started
                if not bars_seconds and len(labels) == 2 and all(numbers(label) for label in labels):
                    bars_seconds = waited
                if collapse_is_shown(labels):
                    break
                if waited > LONGEST_SECONDS:
                    raise RuntimeError(f"no collapse within {LONGEST_SECONDS:g} s; the bars say {labels}")
                time.sleep(0.02)
            return Repetition(bars_seconds, waited, *_watch(page, store))
        finally:
            for run in store.runs():
                run.request_stop()
            page.close()
            _wait_for_workers(store)


def _watch(page: Page, store: RunStore) -> tuple[list[float], list[bool]]:
    # The page shows runs in the order of their making: the plain twin first.
    ids = page.evaluate("new URLSearchParams(location.search).getAll('runs')")
    histories = [Seen(store.get(run_id).folder / "history.jsonl") for part in ids for run_id in part.split(",")]
    lags: list[float] = []
    still_collapsed: list[bool] = []
    begun = time.perf_counter()
    while time.perf_counter() - begun < WATCHED_SECONDS:
        for history in histories:
            history.look()
        labels, texts = page.evaluate(SHOWN)
        still_collapsed.append(collapse_is_shown(labels))
        steps = shown_steps(texts)
        if len(steps) == len(histories) and time.perf_counter() - begun > 1:  # what came before is not known in time
            lags += [history.outdated_seconds(step) for history, step in zip(histories, steps, strict=True)]
        time.sleep(0.05)
    return lags, still_collapsed


def _wait_for_workers(store: RunStore) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(run.is_held for run in store.runs()):
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    chosen = parser.parse_args()
    os.environ.pop("BNVAE_CHECKPOINTS", None)
    # Ended by a time limit it still stops its workers, which would go on without it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    with chromium() as browser:
        found = [repetition(browser) for _ in range(chosen.repetitions)]
    lags = [lag for each in found for lag in each.lags]
    still = [held for each in found for held in each.still_collapsed]
    high = statistics.quantiles(lags, n=20)[-1]
    rows = [
        ["both charts have bars", "", with_spread([each.bars_seconds for each in found], "s")],
        [
            "plain collapsed (rate < 0.1), twin at its floor or above",
            f"≤ {TARGET_SECONDS:g} s",
            with_spread([each.collapse_seconds for each in found], "s"),
        ],
        [f"and still so in the {WATCHED_SECONDS:g} s after", "", f"{sum(still) / len(still):.0%} of looks"],
        [
            f"lag of the page behind the trainer over {WATCHED_SECONDS:g} s",
            f"≤ {TARGET_LAG_SECONDS:g} s",
            f"median {statistics.median(lags):.2f} s, 95 % below {high:.2f} s, largest {max(lags):.2f} s",
        ],
    ]
    publish("Pressing Train", ["from the press until", "target", "median (smallest to largest)"], rows)


if __name__ == "__main__":
    main()
