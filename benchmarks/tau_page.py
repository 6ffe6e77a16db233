"""How the Tau page feels: drawn updates while its slider is dragged, and the time of a first film strip.

    python -m benchmarks.tau_page [--rounds 3] [--seconds 5]

Dragged: a run of 32 dimensions with 150 ellipses and 32 pictures (16 of which tau moves) in headless Chromium without a
GPU, a mouse that reports 125 positions a second, and every panel in a window as high as the page. Counted are the marks
"tau-draw" that the page sets at the end of each drawing, and the time from an input event to the next of them. Film
strips: of the bundled runs, rendered and kept anew each time, with the model already loaded.
"""

import argparse
import asyncio
import dataclasses
import math
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from playwright.async_api import CDPSession, Page, async_playwright

from benchmarks.browser import FLAGS, chromium_path, serving
from benchmarks.report import publish, with_spread
from bnvae.latent.tau_frames import chosen_examples, render, strip_taus
from bnvae.metrics.scaler_curves import LARGEST_TAU
from bnvae.nn.vae import VAE
from bnvae.runs import Run, RunStore, default_root
from bnvae.runs.derived import stored_tau_frames
from bnvae.runs.progress.status import Status
from bnvae.training.evaluation import encode, recompute_statistics

INPUTS_PER_SECOND = 125
DIMENSIONS = 32
WINDOW = {"width": 1280, "height": 1800}

LISTEN = """() => {
  window.inputs = [];
  window.addEventListener("input", (event) => window.inputs.push(event.timeStamp), { capture: true });
  performance.clearMarks("tau-draw");
}"""
SEEN = (
    "() => ({ inputs: window.inputs, draws: performance.getEntriesByName('tau-draw').map((mark) => mark.startTime) })"
)


def wide_run(root: Path) -> Run:
    """A run of 32 dimensions on MNIST's shapes, untrained: it is drawn as fast as any other."""
    bundled = RunStore().get("mnist-scaler")
    config = dataclasses.replace(
        bundled.config, model=dataclasses.replace(bundled.config.model, latent_dimensions=DIMENSIONS)
    )
    run = RunStore(root).create("wide", config)
    for name in ("data.json", "examples.npz"):
        shutil.copy(bundled.folder / name, run.folder / name)
    kept = run.examples
    model = VAE.build(config.network, config.model, run.card.shape, seed=0).eval()
    recompute_statistics(model, kept.examples)
    run.write_weights(model)
    run.write_posterior(encode(model, kept.examples), kept.labels)
    run.write_status(Status(state="finished"))
    return run


@dataclass(frozen=True)
class Drag:
    inputs: float
    """that reached the page, a second"""
    draws: float
    """a second"""
    median: float
    """from input to drawn (ms)"""
    percentile: float
    """95th, from input to drawn (ms)"""
    processor: float
    """of all of Chromium, for each drawn update (ms)"""


async def processor_seconds(session: CDPSession) -> float:
    found = await session.send("SystemInfo.getProcessInfo")
    return float(sum(process["cpuTime"] for process in found["processInfo"]))


async def dragged(page: Page, whole: CDPSession, seconds: float) -> Drag:
    box = await page.get_by_role("slider", name="τ").bounding_box()
    assert box is not None
    session = await page.context.new_cdp_session(page)
    middle, reach, y = box["x"] + box["width"] / 2, box["width"] * 0.48, box["y"] + box["height"] / 2
    await page.mouse.move(middle, y)
    await page.mouse.down()
    await page.evaluate(LISTEN)
    spent = await processor_seconds(whole)
    begun = time.perf_counter()
    sent = []
    for place in range(round(seconds * INPUTS_PER_SECOND)):
        x = middle + reach * math.sin(place / 60)
        event = {"type": "mouseMoved", "x": x, "y": y, "button": "left", "buttons": 1}
        sent.append(asyncio.ensure_future(session.send("Input.dispatchMouseEvent", event)))
        await asyncio.sleep(max(0, begun + (place + 1) / INPUTS_PER_SECOND - time.perf_counter()))
    await asyncio.gather(*sent)
    took = time.perf_counter() - begun
    spent = await processor_seconds(whole) - spent
    seen = await page.evaluate(SEEN)
    await page.mouse.up()
    inputs, draws = seen["inputs"], seen["draws"]
    waits = [min(draw - given for draw in draws if draw >= given) for given in inputs if given <= draws[-1]]
    return Drag(
        inputs=len(inputs) / took,
        draws=len(draws) / took,
        median=statistics.median(waits),
        percentile=statistics.quantiles(waits, n=20)[-1],
        processor=1000 * spent / len(draws),
    )


async def drag_rounds(address: str, rounds: int, seconds: float) -> list[Drag]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = await browser.new_page(viewport=WINDOW)  # type: ignore[arg-type]
        await page.goto(f"{address}/tau?runs=wide")
        await page.get_by_test_id("tau-explorer").wait_for(timeout=60_000)
        await page.get_by_test_id("decoded").locator("canvas").first.wait_for()
        await page.wait_for_timeout(2000)
        whole = await browser.new_browser_cdp_session()
        found = [await dragged(page, whole, seconds) for _ in range(rounds)]
        await browser.close()
        return found


def strip_seconds(run: Run, folder: Path) -> float:
    """Wall-clock time to render a run's film strip and to keep it."""
    copy = Run(Path(shutil.copytree(run.folder, folder / run.id, dirs_exist_ok=True)))
    model, kept = copy.load_model(), copy.examples
    taus = strip_taus(LARGEST_TAU if model.amortised is None else model.amortised.tau_max)
    codes = torch.randn(8, model.latent_dimensions, generator=torch.Generator().manual_seed(0))
    begun = time.perf_counter()
    stored_tau_frames.keep(
        copy.folder, render(model, copy.card.shape, kept.examples, chosen_examples(kept.labels), codes, taus)
    )
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wide_run(Path(folder))
        with serving(Path(folder)) as server:
            rounds = asyncio.run(drag_rounds(server.address, chosen.rounds, chosen.seconds))
    rows = [
        ["drawn updates a second", "50", f"**{with_spread([one.draws for one in rounds])}**"],
        ["inputs a second that reached the page", "", with_spread([one.inputs for one in rounds])],
        ["input to drawn, median", "", with_spread([one.median for one in rounds], "ms")],
        ["input to drawn, 95th percentile", "33 ms", f"**{with_spread([one.percentile for one in rounds], 'ms')}**"],
        [
            "processor time of all of Chromium's threads for one update",
            "40 ms on two cores",
            with_spread([one.processor for one in rounds], "ms"),
        ],
    ]
    with tempfile.TemporaryDirectory() as folder:
        for run in RunStore(default_root()).runs():
            if run.has_weights and run.load_model().tau is not None:
                times = [strip_seconds(run, Path(folder)) for _ in range(chosen.rounds)]
                rows.append([f"film strip of `{run.id}`", "2 s", f"**{with_spread(times, 's')}**"])
    publish("The Tau page", ["what", "target", "seen"], rows)


if __name__ == "__main__":
    main()
