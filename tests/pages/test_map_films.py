"""Films on the Map page without a browser: through a training, and through the τ of a sweep."""

import base64
import dataclasses
import json
import shutil
from collections.abc import Callable

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from bnvae.latent.projection.fit_projection import Projection, project
from bnvae.nn.posterior import Posterior
from bnvae.runs import Run, RunStore
from bnvae.runs.artifacts import snapshots
from bnvae.runs.derived.stored_projection import encodings_digest, in_order, write_aligned
from bnvae.runs.derived.stored_projection_films import FILM, album_digest, write_film
from bnvae.runs.groups import join
from pages.shared.map.tau import sweep_over_tau
from tests.pages.reading import drawn, words

Visit = Callable[..., AppTest]


def pretended(run: Run, *left_out: int) -> None:
    """A film of PCA that calls itself UMAP, without the moments at these places of the album."""
    album = snapshots.load(run.folder, run.card)
    maps = {
        moment.step: dataclasses.replace(project(moment.mean, "pca"), method="umap")
        for place, moment in enumerate(album)
        if place not in left_out
    }
    write_film(run, album_digest(run, album), maps)


def test_a_kept_film_is_shown_with_as_many_moments_as_the_album_has(runs: RunStore, visit: Visit) -> None:
    run = runs.get("digits-scaler")
    pretended(run, 1)

    (shown,) = drawn(visit("map", "digits-scaler", training="true"), "latent_scatter")

    (panel,) = shown["panels"]
    album = snapshots.load(run.folder, run.card)
    assert shown["steps"] == [moment.step for moment in album]
    assert len(panel["moments"]) == len(album)
    assert panel["moments"][1] == panel["moments"][0]  # what cannot be mapped looks like the moment before
    assert f"AlignedUMAP of 150 test examples at {len(album) - 1} moments" in panel["words"]
    assert "1 more could not be mapped" in panel["words"]


def test_the_film_of_a_collapsed_run_says_that_it_shows_noise(runs: RunStore, visit: Visit) -> None:
    run = runs.get("digits-scaler")
    posterior, labels = run.encodings()
    run.write_posterior(Posterior(posterior.mean * 0.01, torch.ones_like(posterior.std)), labels)
    pretended(run)
    (shown,) = drawn(visit("map", "digits-scaler", training="true"), "latent_scatter")
    assert "This map shows noise" in shown["panels"][0]["verdict"]


def test_two_films_lie_on_each_other_as_well_as_turning_can_make_them(runs: RunStore, visit: Visit) -> None:
    for name in ("digits-plain", "digits-scaler"):
        pretended(runs.get(name))

    (shown,) = drawn(visit("map", "digits-plain", "digits-scaler", training="true"), "latent_scatter")

    assert all("AlignedUMAP" in panel["axes"] for panel in shown["panels"])


def test_without_a_film_pca_moves_and_it_is_said_how_to_make_one(runs: RunStore, visit: Visit) -> None:
    page = visit("map", "digits-plain", training="true")

    (shown,) = drawn(page, "latent_scatter")
    assert "PCA of the last moment" in shown["panels"][0]["axes"]
    assert [element.value for element in page.code] == ["python -m bnvae project digits-plain --method film"]


def test_a_training_that_no_film_can_be_made_of_says_so(runs: RunStore, visit: Visit) -> None:
    run = runs.get("digits-plain")
    write_film(run, album_digest(run, snapshots.load(run.folder, run.card)), {})

    page = visit("map", "digits-plain", training="true")

    assert "No two moments of this training can be mapped" in words(page)
    assert drawn(page, "latent_scatter")


def test_a_damaged_film_is_told_and_pca_shown(runs: RunStore, visit: Visit) -> None:
    (runs.get("digits-plain").folder / FILM).write_bytes(b"no archive")

    page = visit("map", "digits-plain", training="true")

    assert FILM in words(page)
    assert "PCA of the last moment" in drawn(page, "latent_scatter")[0]["panels"][0]["axes"]


@pytest.fixture
def sweep(runs: RunStore) -> list[Run]:
    """The same codes at two values of τ: copies of a run that was trained at one."""
    first = runs.get("digits-scaler")
    members = []
    for tau in (0.6, 0.2):
        folder = runs.root / f"s-tau-{tau:g}"
        shutil.copytree(first.folder, folder)
        config = json.loads((folder / "config.json").read_text())
        config["model"]["tau"] = tau
        (folder / "config.json").write_text(json.dumps(config))
        join(folder, "s")
        members.append(runs.get(folder.name))
    return members


def aligned_maps(members: list[Run]) -> list[Projection]:
    ordered = in_order(members)
    maps = [dataclasses.replace(project(run.encodings()[0].mean, "pca"), method="umap") for run in ordered]
    write_aligned(ordered, [encodings_digest(run) for run in ordered], maps)
    return maps


def test_a_sweep_is_shown_from_the_least_tau_to_the_largest(runs: RunStore, sweep: list[Run], visit: Visit) -> None:
    assert [run.id for run in sweep_over_tau(sweep[0])] == ["s-tau-0.2", "s-tau-0.6"]
    aligned_maps(sweep)

    (shown,) = drawn(visit("map", "s-tau-0.6", through_tau="true"), "latent_scatter")

    assert shown["steps"] == ["τ = 0.2", "τ = 0.6"]
    assert "AlignedUMAP: 297 test examples" in shown["panels"][0]["words"]
    assert len(shown["panels"][0]["moments"]) == 2


def test_until_a_sweep_is_aligned_pca_moves(runs: RunStore, sweep: list[Run], visit: Visit) -> None:
    page = visit("map", "s-tau-0.6", through_tau="true")

    (shown,) = drawn(page, "latent_scatter")
    assert "turned as a whole" in shown["panels"][0]["words"]
    # The copies have equal codes, so that turning leaves nothing between the two moments.
    first, last = shown["panels"][0]["moments"]
    assert np.abs(np.array(floats(first)) - np.array(floats(last))).max() == pytest.approx(0, abs=1e-4)


def floats(packed: str) -> list[float]:
    found: list[float] = np.frombuffer(base64.b64decode(packed), "<f4").tolist()
    return found


def test_only_members_of_a_sweep_are_offered_a_film_through_tau(runs: RunStore, sweep: list[Run], visit: Visit) -> None:
    assert sweep_over_tau(runs.get("digits-plain")) == []
    assert not [toggle for toggle in visit("map", "digits-plain").toggle if toggle.label == "Through τ"]
    (sweep[1].folder / "encodings.npz").unlink()
    assert [run.id for run in sweep_over_tau(sweep[0])] == ["s-tau-0.6"]
    assert not [toggle for toggle in visit("map", "s-tau-0.6").toggle if toggle.label == "Through τ"]
