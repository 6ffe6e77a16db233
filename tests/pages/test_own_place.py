"""A visitor's own input on a run's map, without a browser: where it lies, who is near, and what is said of it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from bnvae.latent.projection.fit_projection import project
from bnvae.runs import RunStore
from bnvae.runs.derived.stored_projection import PROJECTION, encodings_digest, write_maps
from bnvae.runs.storage.atomic_files import write_arrays
from pages.components.latent_scatter import Legend
from pages.components.place_map import MOST_DRAWN, Neighbour, payload
from pages.shared.explore import place as explore_place
from pages.shared.explore.place import place_of
from pages.shared.map import cache as map_cache
from pages.shared.map.panels import Chart, charts
from tests.pages.reading import checked, drawn, words
from tests.pages.test_explore_page import with_a_drawing

Visit = Callable[..., AppTest]


def test_on_pca_the_own_code_lies_where_the_axes_put_it(runs: RunStore, visit: Visit) -> None:
    run = runs.get("digits-plain")
    mean = run.encodings()[0].mean

    for row in (0, 7):
        place = place_of(run, mean[row])
        # The linear map is fitted to points within -1 to 1 in fp32.
        assert place.point.numpy() == pytest.approx(place.chart.points[row].numpy(), abs=1e-4)
        assert place.near[0] == row
        assert place.distances[0] == 0


def test_on_umap_an_example_lies_on_its_own_point_and_its_neighbour_near_it(runs: RunStore, visit: Visit) -> None:
    run = runs.get("digits-scaler")
    mean = run.encodings()[0].mean
    write_maps(run, encodings_digest(run), {"umap-2": project(mean, "umap")})

    place = place_of(run, mean[5])

    assert place.point.numpy() == pytest.approx(place.chart.points[5].numpy(), abs=1e-5)
    between = place_of(run, (mean[5] + 1e-3 * mean[6]) / (1 + 1e-3)).point
    assert (between - place.point).norm() < 0.3  # of a map that is 2 wide


def test_a_typed_sentence_gets_a_place_ten_neighbours_and_a_way_to_the_map(runs: RunStore, visit: Visit) -> None:
    page = visit("explore", "story-bn", tab="Your own")
    checked(page.text_input(key="own_text").set_value("the happy fox baked a honey cake .").run())

    (shown,) = drawn(page, "place_map")

    assert len(shown["near"]) == 10
    assert all(": " in one["words"] for one in shown["near"])
    assert "Placed exactly" in shown["words"]
    (listed,) = drawn(page, "sentence_list")
    assert len(listed["columns"][0]["sentences"]) == 10


def test_a_drawing_is_placed_on_the_map_that_was_made(runs: RunStore, visit: Visit) -> None:
    run = runs.get("digits-scaler")
    write_maps(run, encodings_digest(run), {"umap-2": project(run.encodings()[0].mean, "umap")})

    page = with_a_drawing(visit("explore", "digits-scaler"))

    (shown,) = drawn(page, "place_map")
    assert "UMAP's own objective" in shown["words"]
    assert np.isfinite(shown["own"]).all()
    assert len(drawn(page, "image_grid")[0]["captions"]) == 10


def test_a_damaged_map_is_told_and_the_rest_of_the_tab_stands(runs: RunStore, visit: Visit) -> None:
    run = runs.get("digits-scaler")
    write_arrays(run.folder / PROJECTION, {"header": np.zeros(3, np.uint8)})

    page = with_a_drawing(visit("explore", "digits-scaler"))

    assert PROJECTION in words(page)
    assert drawn(page, "exhibits")
    assert not drawn(page, "place_map")


def test_codes_that_are_not_finite_have_no_place(runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.get("digits-plain")
    with pytest.raises(ValueError, match="Its code is not finite"):
        place_of(run, torch.full((4,), torch.nan))
    (chart,), granted = charts([run], "pca", 2)
    lost = Chart(**{**vars(chart), "points": torch.full_like(chart.points, torch.nan)})
    monkeypatch.setattr(explore_place, "charts", lambda *_: ([lost], granted))
    with pytest.raises(ValueError, match="No example has a finite code"):
        place_of(run, map_cache.encoded(run).mean[0])


def test_many_examples_are_thinned_out_and_the_nearest_are_not() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (10_000, 2))

    sent = payload(
        title="", points=points, colours=np.zeros(10_000, np.uint32), legend=Legend(text="kl"), own=(0.5, -0.5),
        near=[Neighbour(point=(0.1, 0.2), words="example 3")] * 10, axes="", words="",
    )  # fmt: skip

    assert len(sent["points"]) * 3 / 4 / 8 == pytest.approx(MOST_DRAWN, rel=0.01)  # base64 of pairs of four bytes
    assert len(sent["near"]) == 10
