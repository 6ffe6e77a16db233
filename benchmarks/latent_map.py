"""How fast the latent map is: first picture, UMAP against its defaults, panning, from a click to its answer.

    python -m benchmarks.latent_map [--repetitions 5] [--checkpoints checkpoints] [--run mnist-scaler]
                                    [--skip-umap | --only-umap]

PCA and UMAP are timed on 10,000 codes in 16 dimensions of a trained run, in this warm process: one map of them all
by each program first pays for the compilation. Rounds alternate between both, each with a seed of its own. Panning
moves the camera in every animation frame of a headless Chromium without a GPU; a frame counts from one animation frame
to the next, drawing included. A click counts from the press of the button until the answer is drawn and
the page is at rest.
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
from bnvae.latent.neighbours import NEIGHBOURS, fidelity
from bnvae.latent.projection.fit_projection import principal_axes, project
from bnvae.latent.projection.umap_layout import laid_out
from bnvae.runs import RunStore

POINTS = 70_000
PAN_FRAMES = 120
CLICKS = 40
TRUST_EXAMPLES = 3_000

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
    compiled: list[tuple[float, float]] = []
    with _timed(compiled):
        from umap import UMAP

        # All 10,000: of less than 4,096 umap-learn compares every pair, and would compile its search when timed.
        UMAP().fit(codes.numpy())
    with _timed(compiled):
        _laid_out(codes, 0)
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    trust: dict[str, list[float]] = {"ours": [], "UMAP()": []}
    for seed in range(repetitions):
        with _timed(ours):
            found = _laid_out(codes, seed)
        with _timed(theirs):
            points = torch.from_numpy(UMAP().fit_transform(codes.numpy()))
        for name, made in (("ours", found), ("UMAP()", points)):
            seen = fidelity(codes, made, examples=TRUST_EXAMPLES)
            assert seen is not None
            trust[name].append(seen.trustworthiness)
    pairs = list(zip(ours, theirs, strict=True))
    said = ", ".join(
        f"{name} {statistics.mean(seen):.4f} ± {statistics.pstdev(seen):.4f}" for name, seen in trust.items()
    )
    return [
        ["umap-learn's import and first map, and ours", "", " and ".join(f"{wall:.0f} s" for wall, _ in compiled)],
        ["UMAP of 10,000 codes", "", with_spread([wall for wall, _ in ours], "s")],
        ["the same by UMAP(), which uses all cores", "", with_spread([wall for wall, _ in theirs], "s")],
        ["how many times faster on the clock", "≥ 3", with_spread([other[0] / own[0] for own, other in pairs])],
        ["how many times less processor time", "", with_spread([other[1] / own[1] for own, other in pairs])],
        [f"trustworthiness ({TRUST_EXAMPLES:,} of 10,000 points; mean and spread)", "not lower", said],
    ]


def _laid_out(codes: torch.Tensor, seed: int) -> torch.Tensor:
    """A map without the figures that tell how far it may be believed, which umap-learn doesn't take either."""
    return laid_out(codes, principal_axes(codes).points(codes), count=NEIGHBOURS, seed=seed)


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
    page.goto(f"{address}/map?runs={run}")
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


TOLD = """() => {
  const roots = [...document.querySelectorAll('*')].map(node => node.shadowRoot).filter(root => root);
  const answer = roots.map(root => root.querySelector('[data-testid=map-answer]')).find(found => found);
  return answer?.getAttribute('data-answered');
}"""
"""JavaScript: the example or the place that the answer on the page is of; set when it is drawn"""
ANSWERED = "document.querySelector('[data-testid=stApp]').getAttribute('data-test-script-state') === 'notRunning'"
"""JavaScript: whether all of the answer has arrived"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints")
    parser.add_argument("--run", default="mnist-scaler", help="a run with 10,000 encodings")
    parser.add_argument("--skip-umap", action="store_true", help="leave out what takes minutes")
    parser.add_argument("--only-umap", action="store_true", help="leave out what needs a browser")
    chosen = parser.parse_args()
    codes = RunStore(chosen.checkpoints).get(chosen.run).encodings()[0].mean
    rows = measure_maps(codes, chosen.repetitions, skip_umap=chosen.skip_umap)
    if chosen.only_umap:
        publish("The latent map", ["figure", "target", "seen"], rows)
        return
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
