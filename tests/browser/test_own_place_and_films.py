"""In a real browser: one's own drawing and sentence on a map, and a training and a sweep as films."""

import dataclasses
import json
import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bnvae.jobs.train_runs import train_run
from bnvae.latent.projection.fit_projection import project
from bnvae.runs import RunStore
from bnvae.runs.artifacts import snapshots
from bnvae.runs.derived.stored_projection import encodings_digest, write_maps
from bnvae.runs.derived.stored_projection_films import album_digest, write_film
from bnvae.runs.groups import join
from tests.browser.test_explore import stroke
from tests.browser.watching import watched
from tests.pages.reading import small


@pytest.fixture(scope="module")
def address(serve: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = RunStore(tmp_path_factory.mktemp("runs"))
    digits = store.create("digits-scaler", small("digits", "rms-scaler", 6))
    train_run(digits)
    write_maps(digits, encodings_digest(digits), {"umap-2": project(digits.encodings()[0].mean, "umap")})
    album = snapshots.load(digits.folder, digits.card)
    maps = {moment.step: dataclasses.replace(project(moment.mean, "pca"), method="umap") for moment in album}
    write_film(digits, album_digest(digits, album), maps)
    train_run(store.create("story", small("storybook", "bn-mean", 5)))
    for tau in (0.2, 0.6):
        folder = store.root / f"s-tau-{tau:g}"
        shutil.copytree(digits.folder, folder)
        config = json.loads((folder / "config.json").read_text())
        config["model"]["tau"] = tau
        (folder / "config.json").write_text(json.dumps(config))
        join(folder, "s")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNVAE_CHECKPOINTS", str(store.root))
        patch.setenv("BNVAE_MAPS", "0")
        yield serve("app.py")


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    with watched(browser) as page:
        yield page


def place(page: Page) -> Locator:
    return page.get_by_test_id("place-map")


def picture(canvas: Locator) -> str:
    found: str = canvas.evaluate("node => node.toDataURL()")
    return found


def test_a_drawing_gets_a_star_among_its_nearest_and_a_way_to_the_large_map(tab: Page, address: str) -> None:
    tab.goto(f"{address}/explore?runs=digits-scaler&tab=Your+own")
    expect(tab.get_by_test_id("exhibits")).to_contain_text("draw something")
    stroke(tab)

    expect(place(tab)).to_contain_text("UMAP's own objective")
    expect(place(tab)).to_contain_text("10 nearest codes")
    described = place(tab).locator("canvas").get_attribute("aria-label") or ""
    assert len(re.findall(r"example \d+", described)) == 10

    tab.get_by_role("link", name="Open this place on the Map").click()
    expect(tab).to_have_url(re.compile(r"/map\?.*point=0"))
    expect(tab.get_by_test_id("map-panel")).to_be_visible()


def test_a_sentence_moves_its_star_when_it_is_another(tab: Page, address: str) -> None:
    tab.goto(f"{address}/explore?runs=story&tab=Your+own")
    field = tab.get_by_role("textbox", name="A sentence")
    field.fill("the happy fox baked a honey cake .")
    field.press("Enter")
    expect(place(tab)).to_contain_text("Placed exactly")
    canvas = place(tab).locator("canvas")
    before = picture(canvas)

    field.fill("at dawn , the sad owl sang .")
    field.press("Enter")

    expect(canvas).not_to_have_attribute("aria-label", canvas.get_attribute("aria-label") or "")
    assert picture(canvas) != before


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [("runs=digits-scaler&training=true", r"^step 1 of \d+$", r"^step (\d+) of \1$"),
     ("runs=s-tau-0.6&through_tau=true", "^τ = 0.2$", "^τ = 0.6$")],
)  # fmt: skip
def test_a_film_is_dragged_and_played_to_its_end(tab: Page, address: str, query: str, first: str, last: str) -> None:
    tab.goto(f"{address}/map?{query}")
    moment, slider = tab.get_by_test_id("map-moment"), tab.get_by_label("moment", exact=True)
    expect(moment).to_have_text(re.compile(last))

    slider.fill("0")
    expect(moment).to_have_text(re.compile(first))
    tab.get_by_role("button", name="Play").click()

    expect(moment).to_have_text(re.compile(last))
    expect(tab.get_by_role("button", name="Play")).to_be_visible()
