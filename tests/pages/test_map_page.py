"""The Map page without a browser: which map is shown, what is said of it, and what a choice tells."""

import base64
import csv
import dataclasses
import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from bnvae.latent.projection.fit_projection import Projection, project
from bnvae.nn.posterior import Posterior
from bnvae.runs import Run, RunStore
from bnvae.runs.derived.projected_rows import Factor, Mapped, write_mapped
from bnvae.runs.derived.stored_projection import encodings_digest, in_order, write_aligned, write_maps
from bnvae.runs.storage.atomic_files import read_json, write_json
from pages.shared import cache
from pages.shared.map.export import table_of
from pages.shared.map.panels import charts
from pages.shared.map.search import found
from tests.pages.reading import ROOT, checked, drawn, words

Visit = Callable[..., AppTest]
HOSTILE = '=<img src=x onerror="alert(1)"> **bold**'


def pretended(run: Run, dimensions: int = 2) -> Projection:
    """A map that says of itself that it is UMAP."""
    return dataclasses.replace(project(run.encodings()[0].mean, "pca", dimensions=dimensions), method="umap")


def keep_map(run: Run) -> None:
    write_maps(run, encodings_digest(run), {"umap-2": pretended(run), "umap-3": pretended(run, 3)})


def encode(run: Run, mean: torch.Tensor, std: float = 1.0, label: int = 0) -> None:
    run.write_posterior(Posterior(mean, torch.full_like(mean, std)), torch.full((len(mean),), label))


def maps(page: AppTest) -> list[dict[str, Any]]:
    (scatter,) = drawn(page, "latent_scatter")
    panels: list[dict[str, Any]] = scatter["panels"]
    return panels


def told(page: AppTest) -> list[dict[str, Any]]:
    """What is told of the choice, for each run."""
    (answer,) = drawn(page, "map_answer")
    runs: list[dict[str, Any]] = answer["runs"]
    return runs


def points(panel: dict[str, Any]) -> np.ndarray:
    flat = np.frombuffer(base64.b64decode(panel["points"]), dtype="<f4")
    return flat.reshape(-1, panel["dimensions"])


def test_pca_is_shown_until_a_map_is_there_and_the_way_to_one_is_said(runs: RunStore, visit: Visit) -> None:
    page = visit("map", "digits-plain")
    (panel,) = maps(page)
    assert panel["axes"].startswith("PCA: these axes hold")
    assert page.code[0].value == "python -m bnvae project digits-plain"

    keep_map(runs.get("digits-plain"))
    page = visit("map", "digits-plain")
    assert maps(page)[0]["axes"] == "UMAP: axes have no unit"
    assert not page.code
    assert maps(visit("map", "digits-plain", map="PCA"))[0]["axes"].startswith("PCA")
    assert maps(visit("map", "digits-plain", axes="3"))[0]["dimensions"] == 3


def test_runs_of_the_same_examples_share_a_frame_and_others_are_named(runs: RunStore, visit: Visit) -> None:
    page = visit("map", "digits-plain", "story-bn", "digits-scaler")
    panels = maps(page)
    assert [panel["title"] for panel in panels] == ["digits-plain", "digits-scaler"]
    assert "Left out, being of others than those on the map" in page.info[0].value
    assert page.text[0].value == "story-bn: storybook; on the map: digits"
    checked(page.button(key="instead-story-bn").click().run())
    assert [panel["title"] for panel in maps(page)] == ["story-bn"]
    assert page.query_params["runs"] in ("story-bn", ["story-bn"])

    pair = in_order([runs.get(name) for name in ("digits-scaler", "digits-plain")])
    common = [dataclasses.replace(pretended(run), fitted=20) for run in pair]
    write_aligned(pair, [encodings_digest(run) for run in pair], common)
    panels = maps(visit("map", "digits-scaler", "digits-plain"))
    assert all(panel["words"].startswith("AlignedUMAP, fitted on 20 examples") for panel in panels)
    # One frame: both went through the same shift and scale.
    ratio = points(panels[0]).std(0) / pretended(runs.get("digits-scaler")).points.numpy().std(0)
    assert ratio == pytest.approx(points(panels[1]).std(0) / pretended(runs.get("digits-plain")).points.numpy().std(0))


def test_how_faithful_a_map_is_to_codes_that_are_not_used_is_no_merit(runs: RunStore, visit: Visit) -> None:
    path = runs.root / "digits-plain" / "evaluation.json"
    kept = read_json(path)
    for information, is_shown in ((2.0, True), (0.02, False)):
        kept["test"]["mutual_information"] = information
        write_json(path, kept)
        words = maps(visit("map", "digits-plain"))[0]["words"]
        assert ("trustworthiness" in words) == is_shown
        assert ("a mutual information of 0.020 nats is less than 0.1" in words) == (not is_shown)


def test_a_collapsed_run_is_called_noise_by_its_numbers_and_another_is_not(runs: RunStore, visit: Visit) -> None:
    run = runs.get("digits-plain")
    encode(run, 0.01 * torch.randn(40, 4, generator=torch.Generator().manual_seed(0)))
    verdict = maps(visit("map", "digits-plain"))[0]["verdict"]
    # 4 dimensions of mean^2 / 2 at std 1: 0.0002 nats.
    assert verdict.startswith("This map shows noise. The codes have a rate of 0.000 nats and carry at most this much")
    assert "every posterior is 1.00 wide" in verdict

    encode(run, torch.randn(40, 4, generator=torch.Generator().manual_seed(0)), std=0.3)
    assert maps(visit("map", "digits-plain"))[0]["verdict"] == ""


def test_an_example_in_the_address_is_told_with_its_kl_and_ten_neighbours(runs: RunStore, visit: Visit) -> None:
    page = visit("map", "digits-scaler", point="5")
    posterior, labels = runs.get("digits-scaler").encodings()
    (answer,) = told(page)
    assert answer["kl"]["kl"] == pytest.approx(posterior.kl_per_dimension()[5].tolist(), rel=1e-4)
    assert answer["made"]["pictures"]["captions"] == ["example", "decoded from its mean"]
    near = answer["near"]["pictures"]
    assert near["count"] == 10
    distances = (posterior.mean - posterior.mean[5]).norm(dim=1)
    expected = [int(row) for row in distances.argsort()[1:11]]
    assert answer["named"] == f"example 5 · {labels[5]}"
    assert drawn(page, "map_answer")[0]["marks"][0]["linked"] == expected
    assert near["captions"][0].startswith(f"example {expected[0]} ")


def test_a_click_changes_nothing_of_what_the_map_was_sent(runs: RunStore, visit: Visit) -> None:
    # The browser keeps a message that it has had: as long as these are equal, the points are sent once.
    page = visit("map", "digits-plain", "digits-scaler", layers="posterior of what is chosen")
    before = drawn(page, "latent_scatter")
    key = "latent-map-digits-plain,digits-scaler"
    page.session_state[key] = {"view": {"pick": {"example": 7}, "lasso": [1, 2], "after": "address"}}
    assert [answer["named"][:9] for answer in told(checked(page.run()))] == ["example 7", "example 7"]
    assert drawn(page, "latent_scatter") == before


def test_an_empty_place_is_answered_by_the_code_there_and_its_distance(runs: RunStore, visit: Visit) -> None:
    page = visit("map", "story-bn", point="0~0.9~-0.9")
    (answer,) = told(page)
    assert answer["words"].startswith("A map has no inverse")
    assert " at distance " in answer["near"]["title"]
    assert answer["kl"] is None
    assert [line["name"] for line in answer["made"]["sentences"]] == ["decoded from this code"]


@pytest.mark.parametrize("point", ["-1", "99999", "x", "1e9", "nan", "0~inf~0", "7~0~0", "~", "1~2~3~4"])
def test_a_wrong_point_in_the_address_is_no_point(point: str, runs: RunStore, visit: Visit) -> None:
    page = visit("map", "digits-plain", point=point, camera="1~2", chosen="a~b")
    assert told(page) == []
    assert drawn(page, "map_answer")[0]["hint"].startswith("Click a point")


def test_a_selection_in_the_address_is_counted_by_label_decoded_and_told_apart(runs: RunStore, visit: Visit) -> None:
    page = visit("map", "digits-plain", chosen="0~1~2~99999~-3~1")
    assert "3 examples are chosen." in words(page)
    labels = runs.get("digits-plain").encodings()[1][:3].tolist()
    table = page.dataframe[0].value
    assert table["chosen"].sum() == 3
    assert set(table["kind"]) == {str(label) for label in labels}
    telling = page.dataframe[1].value["difference, std within"].abs().tolist()
    assert telling == sorted(telling, reverse=True)
    assert len(drawn(page, "image_grid")) == 2  # the mean code, and five strengths of the direction


def test_a_direction_that_no_decoder_could_see_is_called_noise(runs: RunStore, visit: Visit) -> None:
    random = torch.Generator().manual_seed(0)
    sides = torch.cat([torch.full((20, 4), 0.01), torch.full((20, 4), -0.01)])
    for std, is_noise in ((1.0, True), (0.001, False)):
        encode(runs.get("digits-plain"), sides + 0.001 * torch.randn(40, 4, generator=random), std=std)
        page = visit("map", "digits-plain", chosen="~".join(map(str, range(20))))
        (answer,) = drawn(page, "map_answer")
        assert ("nothing but noise tells them from the rest" in answer["chosen"]) == is_noise
        assert bool(page.warning) == is_noise


def test_the_first_colour_is_the_cause_that_the_code_tells_best(runs: RunStore, visit: Visit) -> None:
    run = runs.get("story-bn")
    posterior, labels = run.encodings()
    random = torch.Generator().manual_seed(0)
    told, silent = (
        (posterior.mean[:, 0] > posterior.mean[:, 0].median()).float(),
        torch.rand(len(labels), generator=random).round(),
    )
    kept = cache.examples(run).examples
    for factors, colour in (
        (
            {"silent": Factor(values=silent, names=("a", "b")), "told": Factor(values=told, names=("no", "yes"))},
            "cause-told",
        ),
        ({"silent": Factor(values=silent, names=("a", "b"))}, "label"),
    ):
        write_mapped(
            run, Mapped(examples=kept, distortion=torch.zeros(len(labels)), factors=factors, rows=run.encoded_rows())
        )
        assert visit("map", "story-bn").selectbox(key="colour").value == colour


def test_pictures_come_once_and_sentences_as_text(runs: RunStore, visit: Visit) -> None:
    (digits,), (story,) = (drawn(visit("map", name), "latent_scatter") for name in ("digits-plain", "story-bn"))
    thumbnails = digits["thumbnails"]
    assert (thumbnails["width"], thumbnails["height"]) == (8, 8)
    assert thumbnails["count"] == len(cache.examples(runs.get("digits-plain")).examples)
    assert story["thumbnails"] is None


def test_the_table_of_a_selection_holds_the_codes_and_no_formula(runs: RunStore, visit: Visit) -> None:
    run = runs.get("digits-plain")
    card = read_json(run.folder / "data.json")
    write_json(run.folder / "data.json", card | {"label_names": [HOSTILE] * 10})
    visit("map", "digits-plain")  # sets the folder's caches up as the page does

    (chart,), _ = charts([run], "pca", 2)
    rows = list(csv.DictReader(io.StringIO(table_of(chart, [4, 2]).decode())))

    posterior, _ = run.encodings()
    assert [row["example"] for row in rows] == ["4", "2"]
    assert float(rows[0]["mean_3"]) == pytest.approx(posterior.mean[4, 3].item(), rel=1e-4)
    assert float(rows[1]["kl_nats"]) == pytest.approx(posterior.kl_per_dimension()[2].sum().item(), rel=1e-4)
    assert rows[0]["label"] == f"'{HOSTILE}"


def test_examples_are_found_by_index_label_and_word(runs: RunStore, visit: Visit) -> None:
    visit("map", "story-bn")
    run, pictures = runs.get("story-bn"), runs.get("digits-plain")
    labels = run.encodings()[1]
    assert found(run, " #41 ") == [41]
    assert found(run, "41") == [41]
    assert found(run, "SAD") == (labels == 1).nonzero()[:, 0].tolist()
    assert found(pictures, "7") == (pictures.encodings()[1] == 7).nonzero()[:, 0].tolist()
    assert 0 < len(found(run, "the fox")) < len(labels)
    assert [found(run, text) for text in ("", "   ", "#", "#99999999999", "zzz", HOSTILE, "x" * 5000)] == [[]] * 7


def test_a_search_chooses_what_it_finds_on_the_map(runs: RunStore, visit: Visit) -> None:
    page = visit("map", "story-bn")
    page = checked(page.text_input(key="map-search").set_value("sad").run())
    (scatter,) = drawn(page, "latent_scatter")
    expected = (runs.get("story-bn").encodings()[1] == 1).nonzero()[:, 0].tolist()
    assert scatter["view"]["lasso"] == expected
    page = checked(page.text_input(key="map-search").set_value("zzz").run())
    assert "No example fits this search." in words(page)


@pytest.mark.parametrize("layer", ["posterior of what is chosen", "prior samples"])
def test_layers_are_drawn_and_counted(layer: str, runs: RunStore, visit: Visit) -> None:
    page = visit("map", "digits-plain", point="3", layers=layer)
    (answer,) = drawn(page, "map_answer")
    shown = answer["marks"][0] if "posterior" in layer else maps(page)[0]
    assert shown["layers"]
    assert ("draws of q(z|x)" if "posterior" in layer else "400 prior samples") in shown["words"]


@pytest.mark.parametrize(
    "mean",
    [
        torch.zeros(1, 4),
        torch.zeros(30, 4),
        torch.full((5, 4), torch.nan),
        torch.cat([torch.randn(20, 4), torch.full((3, 4), torch.inf), torch.full((2, 4), torch.nan)]),
        torch.randn(3, 4),
    ],
    ids=["one example", "equal codes", "no finite code", "some not finite", "fewer than neighbours"],
)
@pytest.mark.parametrize("options", [{}, {"point": "0"}, {"point": "0~0.5~0.5"}, {"chosen": "0~1"}])
def test_odd_codes_have_a_clear_page(mean: torch.Tensor, options: dict[str, str], runs: RunStore, visit: Visit) -> None:
    encode(runs.get("digits-plain"), mean)
    page = visit("map", "digits-plain", layers="prior samples", colour="KL of the example", **options)
    (panel,) = maps(page)
    assert len(points(panel)) == len(mean)
    if not torch.isfinite(mean).all():
        assert "are not finite and are left out" in panel["verdict"]


def test_hostile_labels_stay_text(runs: RunStore, visit: Visit) -> None:
    run = runs.get("digits-plain")
    card = read_json(run.folder / "data.json")
    write_json(run.folder / "data.json", card | {"label_names": [HOSTILE + str(i) for i in range(10)]})
    page = visit("map", "digits-plain", point="3", chosen="0~1")
    interpreted = [*page.markdown, *page.caption, *page.info, *page.warning, *page.error]
    assert not any("onerror" in str(element.value) for element in interpreted)
    assert HOSTILE in drawn(page, "latent_scatter")[0]["legend"]["entries"][0]["text"]


@pytest.mark.parametrize("file", ["projection.npz", "mapped.npz", "encodings.npz"])
def test_a_damaged_file_is_named(file: str, runs: RunStore, visit: Visit) -> None:
    (runs.root / "digits-plain" / file).write_bytes(b"PK broken")
    page = visit("map", "digits-plain")
    assert "This run cannot be shown" in page.error[0].value
    assert file in words(page)


def test_the_album_is_a_film_of_the_same_examples_that_ends_with_its_last_moment(runs: RunStore, visit: Visit) -> None:
    page = visit("map", "digits-plain", "digits-scaler", training="true")
    (scatter,) = drawn(page, "latent_scatter")
    album = runs.get("digits-plain").snapshots()
    assert scatter["steps"] == sorted({moment.step for moment in album})
    assert scatter["count"] == len(album[-1].mean)
    for panel in scatter["panels"]:
        assert len(panel["moments"]) == len(scatter["steps"])
        assert panel["moments"][-1] == panel["points"]
    # In prior standard deviations, 3.5 to the edge: the width is the codes' own, whichever way they were turned.
    for panel, name in zip(scatter["panels"], ("digits-plain", "digits-scaler"), strict=True):
        means = runs.get(name).snapshots()[-1].mean
        widest = torch.linalg.eigvalsh(torch.cov(means.T))[-2:].sum().sqrt().item()
        assert 3.5 * np.sqrt(points(panel).var(0, ddof=1).sum()) == pytest.approx(widest, rel=1e-3)


def test_a_run_without_an_album_or_with_a_broken_one_is_named(runs: RunStore, visit: Visit) -> None:
    album = runs.root / "digits-plain" / "snapshots"
    next(album.glob("*.npz")).write_bytes(b"broken")
    assert "digits-plain/snapshots" in words(visit("map", "digits-plain", training="true"))
    for moment in album.glob("*.npz"):
        moment.unlink()
    assert "kept moments of their training" in words(visit("map", "digits-plain", training="true"))


def test_opening_the_map_imports_neither_umap_nor_its_compiler(trained: RunStore) -> None:
    program = """
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("pages/map.py", default_timeout=60)
page.query_params["runs"] = ["digits-plain", "digits-scaler"]
page.query_params["point"] = "3"
assert not page.run().exception
print([name for name in ("umap", "numba", "sklearn", "scipy", "torchvision") if name in sys.modules])
"""
    environment = {"BNVAE_CHECKPOINTS": str(trained.root), "PYTHONPATH": str(ROOT), "BNVAE_MAPS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"
