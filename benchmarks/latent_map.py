"""How fast the latent map is: first picture, UMAP against its defaults, panning, from a click to its answer.

    python -m benchmarks.latent_map [--repetitions 5] [--checkpoints checkpoints] [--run mnist-scaler] [--skip-umap]

PCA and UMAP are timed on 10,000 codes in 16 dimensions of a trained run, in this warm process: one fit of 500 codes
first pays for the compilation. UMAP's rounds alternate between both settings. Panning moves the camera in every
animation frame of a headless Chromium without a GPU; a frame counts from one animation frame to the next, drawing
included. A click counts from the press of the button until the answer's picture or sentence is there and the page is
at rest.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from playwright.sync_api import Page

from benchmarks.browser import ROOT, chromium, serving
from benchmarks.report import publish, with_spread
from bnvae.analysis.neighbours import fidelity
from bnvae.analysis.projection import project
from bnvae.runs import RunStore

POINTS = 70_000
PAN_FRAMES = 120
CLICKS = 40

PAN = """async frames => {
  const roots = [...document.querySelectorAll('*')].map(node => node.shadowRoot).filter(root => root);
  const canvas = roots.map(root => root.querySelector('.map-frame canvas')).find(found => found);
  const box = canvas.getBoundingClientRect();
  const send = (name, x, y) => canvas.dispatchEvent(new PointerEvent(name, {
    pointerId: 1, button: 0, bubbles: true, clientX: box.left + x, clientY: box.top + y }));
  canvas.setPointerCapture = () => {};
  const next = () => new Promise(requestAnimationFrame);
  send('pointerdown', 200, 200);
  const times = [];
  let before = await next();
  for (let i = 0; i < frames; i++) {
    send('pointermove', 200 + 60 * Math.sin(i / 8), 200 + 60 * Math.cos(i / 8));
    const now = await next();
    times.push(now - before);
    before = now;
  }
  send('pointerup', 200, 200);
  return times;
}"""
"""JavaScript: milliseconds between animation frames while a drag moves the map in each"""

SCRIPT = f"""
import numpy as np
import streamlit as st
from pages.components.latent_scatter import Legend, Panel, View, class_colours, latent_scatter

st.set_page_config(layout="wide")
random = np.random.default_rng(0)
classes = random.integers(0, 10, {POINTS})
centres = random.uniform(-0.7, 0.7, (10, 2))
points = np.clip(centres[classes] + 0.1 * random.standard_normal(({POINTS}, 2)), -1, 1)
palette = ["#0072B2", "#D55E00", "#009E73", "#C46FA0", "#B07A00", "#4596C8", "#8A6FD1", "#A65B3C", "#6B8F23", "#7A7A7A"]
latent_scatter(
    key="map", view=View(id="first"), classes=classes, names=list("0123456789"),
    legend=Legend(classes=[(i, str(i), palette[i]) for i in range(10)]),
    panels=[Panel(title="{POINTS:,} points", points=points, colours=class_colours(classes, palette))],
)
"""


def measure_maps(codes: torch.Tensor, repetitions: int, *, skip_umap: bool) -> list[list[str]]:
    torch.set_num_threads(1)
    first = []
    for _ in range(repetitions):
        started = time.perf_counter()
        project(codes, "pca")
        first.append(time.perf_counter() - started)
    rows = [["PCA of 10,000 codes with its figures", "< 0.5 s", with_spread(first, "s")]]
    return rows if skip_umap else rows + _measure_umap(codes, repetitions)


def _measure_umap(codes: torch.Tensor, repetitions: int) -> list[list[str]]:
    warnings.simplefilter("ignore")
    from umap import UMAP

    started = time.perf_counter()
    project(codes[:500], "umap")
    UMAP().fit_transform(codes[:500].numpy())
    compiled = time.perf_counter() - started
    seconds: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    trust = {}
    for _ in range(repetitions):
        with _timed(seconds["ours"]):
            found = project(codes, "umap")
        with _timed(seconds["theirs"]):
            points = torch.from_numpy(UMAP().fit_transform(codes.numpy()))
        trust = {"ours": found.fidelity, "umap-learn's default": fidelity(codes, points)}
    pairs = list(zip(seconds["ours"], seconds["theirs"], strict=True))
    said = ", ".join(f"{name} {seen.trustworthiness:.4f}" for name, seen in trust.items() if seen is not None)
    return [
        ["UMAP, import and compilation (paid in its own process)", "", f"{compiled:.0f} s"],
        ["UMAP of 10,000 codes with its figures", "", with_spread([wall for wall, _ in seconds["ours"]], "s")],
        ["the same by UMAP(), without figures", "", with_spread([wall for wall, _ in seconds["theirs"]], "s")],
        ["how many times faster on the clock", "≥ 3", with_spread([theirs[0] / ours[0] for ours, theirs in pairs])],
        ["how many times less processor time", "", with_spread([theirs[1] / ours[1] for ours, theirs in pairs])],
        ["trustworthiness (1,000 of 10,000 points)", "not lower", said],
    ]


@contextmanager
def _timed(into: list[tuple[float, float]]) -> Iterator[None]:
    """Seconds on the clock, and of processor time in all threads."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    into.append((time.perf_counter() - wall, time.process_time() - processor))


def measure_panning(page: Page, address: str) -> list[list[str]]:
    page.goto(address)
    page.get_by_test_id("latent-scatter").locator("canvas").first.wait_for(timeout=60_000)
    page.wait_for_timeout(2_000)
    times = sorted(page.evaluate(PAN, PAN_FRAMES))
    middle, slowest = statistics.median(times), times[int(0.95 * len(times))]
    return [
        [f"frames a second while {POINTS:,} points are panned, median", "≥ 30", f"{1000 / middle:.0f}"],
        ["the same, slowest 5 % of the frames", "", f"{1000 / slowest:.0f}"],
    ]


def measure_clicks(page: Page, address: str, run: str) -> list[list[str]]:
    page.goto(f"{address}/latent_map?runs={run}")
    canvas = page.get_by_test_id("map-panel").first.locator("canvas").first
    canvas.wait_for(timeout=60_000)
    page.wait_for_timeout(3_000)
    box = canvas.bounding_box()
    assert box is not None
    draws = random.Random(0)
    seconds = []
    for _ in range(CLICKS):
        x, y = (box["width"] * draws.uniform(0.1, 0.9) for _ in range(2))
        before = page.evaluate(TOLD)
        started = time.perf_counter()
        page.mouse.click(box["x"] + x, box["y"] + y)
        page.wait_for_function(
            f"before => ({ANSWERED}) && ({TOLD})() !== before", arg=before, polling="raf", timeout=20_000
        )
        seconds.append(time.perf_counter() - started)
        page.wait_for_timeout(700)
    ordered = sorted(seconds)
    return [
        ["from a click to its answer, median", "", f"{statistics.median(ordered):.2f} s"],
        [f"the same, 95th percentile of {CLICKS}", "< 0.3 s", f"{ordered[int(0.95 * len(ordered))]:.2f} s"],
    ]


TOLD = """() => [...document.querySelectorAll('[data-testid=stText]')].map(node => node.textContent).join('|')"""
"""JavaScript: the plain text on the page, which names the example or the place and its distances"""
ANSWERED = "document.querySelector('[data-testid=stApp]').getAttribute('data-test-script-state') === 'notRunning'"
"""JavaScript: whether all of the answer has arrived"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints")
    parser.add_argument("--run", default="mnist-scaler", help="a run with 10,000 encodings")
    parser.add_argument("--skip-umap", action="store_true", help="leave out what takes minutes")
    chosen = parser.parse_args()
    codes = RunStore(chosen.checkpoints).get(chosen.run).encodings()[0].mean
    rows = measure_maps(codes, chosen.repetitions, skip_umap=chosen.skip_umap)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1300})
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "many_points.py"
            script.write_text(SCRIPT, encoding="utf-8")
            os.environ["PYTHONPATH"] = str(ROOT)
            with serving(chosen.checkpoints.resolve(), str(script)) as server:
                rows += measure_panning(page, server.address)
        with serving(chosen.checkpoints.resolve()) as server:
            rows += measure_clicks(page, server.address, chosen.run)
    publish("The latent map", ["figure", "target", "seen"], rows)


if __name__ == "__main__":
    main()
