"""What is computed for a run's map, and what happens around it; UMAP itself is replaced by PCA."""

import dataclasses
import threading

import pytest
import torch

from bnvae.config.schema import RunConfig
from bnvae.jobs import project_runs
from bnvae.jobs.project_runs import is_mapped_now, keep_strip, map_runs, progress_of, wanted_maps
from bnvae.jobs.train_runs import train_run
from bnvae.latent.projection import aligned_projections
from bnvae.latent.projection.fit_projection import Projection, project
from bnvae.latent.tau_frames import taus_of
from bnvae.runs import BrokenRunError, Run, RunStore
from bnvae.runs.artifacts import snapshots
from bnvae.runs.derived import stored_tau_frames
from bnvae.runs.derived.projected_rows import read_mapped
from bnvae.runs.derived.stored_projection import read_aligned, read_maps
from bnvae.runs.derived.stored_projection_films import FILM as FILM_FILE
from bnvae.runs.derived.stored_projection_films import album_digest, read_film, write_film
from bnvae.training.evaluation import encode


@pytest.fixture
def run(store: RunStore, tiny: RunConfig) -> Run:
    run = store.create("a", tiny)
    train_run(run)
    return run


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def instead(codes: torch.Tensor, method: str, *, dimensions: int, seed: int) -> Projection:
        return dataclasses.replace(project(codes, "pca", dimensions=dimensions, seed=seed), method="umap")

    monkeypatch.setattr(project_runs, "project", instead)
    monkeypatch.setattr(
        project_runs, "aligned", lambda models: [instead(m, "umap", dimensions=2, seed=0) for m in models]
    )


def test_a_finished_run_gets_maps_examples_distortions_and_no_second_time(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    map_runs([run])

    posterior, labels = run.encodings()
    maps = read_maps(run, count=len(labels))
    assert {name: found.dimensions for name, found in maps.items()} == {"umap-2": 2, "umap-3": 3}
    mapped = read_mapped(run, count=len(labels))
    assert mapped is not None
    # The means are those of the examples; fp16 keeps three digits.
    again = encode(run.load_model(), mapped.examples).mean
    assert again.numpy() == pytest.approx(posterior.mean.numpy(), abs=5e-3)
    evaluation = run.evaluation()
    assert evaluation is not None
    # One draw of z an example, another one than the evaluation's in its last digits only.
    assert mapped.distortion.mean().item() == pytest.approx(evaluation["test"]["distortion"], rel=0.02)
    assert progress_of(run) == {"state": "finished", "message": "", "share": 1}

    monkeypatch.setattr(project_runs, "project", None)
    map_runs([run])  # all is there


def test_two_runs_of_the_same_data_get_a_common_map_and_others_do_not(
    run: Run, store: RunStore, tiny: RunConfig, tiny_text: RunConfig
) -> None:
    twin, text = store.create("b", tiny), store.create("text", tiny_text)
    train_run(twin)
    train_run(text)

    map_runs([twin, run])
    map_runs([run, text])

    count = len(run.encodings()[1])
    assert set(read_aligned([run, twin], count=count) or {}) == {"a", "b"}
    assert read_aligned([run, text], count=count) is None
    factors = read_mapped(text, count=len(text.encodings()[1]))
    assert factors is not None
    assert factors.factors["tense"].names == ("past", "present", "future")


def test_known_causes_keep_their_names(store: RunStore, tiny_text: RunConfig) -> None:
    run = store.create("text", tiny_text)
    train_run(run)
    map_runs([run], wanted=[])

    mapped = read_mapped(run, count=len(run.encodings()[1]))

    assert mapped is not None
    assert {"mood", "who", "tense"} <= set(mapped.factors)
    assert mapped.factors["mood"].values.long().tolist() == run.encodings()[1].tolist()


def test_a_run_without_encodings_is_refused_and_the_page_can_say_why(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("fresh", tiny)

    with pytest.raises(ValueError, match=r"fresh/encodings\.npz is missing"):
        map_runs([run])

    assert progress_of(run)["state"] == "failed"
    assert "encodings.npz is missing" in progress_of(run)["message"]


def test_a_second_process_on_the_same_run_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    began, may_end = threading.Event(), threading.Event()

    def wait(codes: torch.Tensor, method: str, *, dimensions: int, seed: int) -> Projection:
        began.set()
        may_end.wait(60)
        return project(codes, "pca", dimensions=dimensions)

    monkeypatch.setattr(project_runs, "project", wait)
    thread = threading.Thread(target=map_runs, args=([run],))
    thread.start()
    assert began.wait(60)
    assert is_mapped_now(run)
    assert progress_of(run)["message"] == "UMAP in 2 dimensions, a"
    may_end.set()
    thread.join()
    assert not is_mapped_now(run)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"state": 1, "message": "x", "share": 0}'])
def test_a_damaged_word_on_the_progress_is_no_word(run: Run, content: str) -> None:
    (run.folder / "projecting.json").write_text(content)

    assert progress_of(run) == {}


def test_a_method_that_there_is_not_is_refused() -> None:
    assert wanted_maps(["tsne"]) == [("tsne", 2), ("tsne", 3)]
    with pytest.raises(ValueError, match="method is 'magic': expected umap, tsne, film or strip"):
        wanted_maps(["magic"])


def test_the_moments_of_a_training_become_a_film_that_goes_with_its_album(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        aligned_projections,
        "aligned",
        lambda models, *, seed: [dataclasses.replace(project(m, "pca"), method="umap") for m in models],
    )
    album = snapshots.load(run.folder, run.card)

    map_runs([run], wanted=[], films=True)

    film = read_film(run, album)
    assert film is not None
    assert list(film) == [moment.step for moment in album]
    assert torch.equal(film[album[0].step].points, project(album[0].mean, "pca").points)
    assert read_maps(run, count=len(run.encodings()[1])) == {}  # asked for the film alone
    assert progress_of(run)["state"] == "finished"

    monkeypatch.setattr(aligned_projections, "aligned", None)
    map_runs([run], wanted=[], films=True)  # it is there

    snapshots.save(run.folder, dataclasses.replace(album[-1], mean=album[-1].mean + 1))
    assert read_film(run, snapshots.load(run.folder, run.card)) is None


def test_a_damaged_film_is_refused_in_words_and_made_anew(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    album = snapshots.load(run.folder, run.card)
    made = {album[-1].step: project(album[-1].mean, "pca")}
    write_film(run, album_digest(run, album), made | {10**8: made[album[-1].step]})
    with pytest.raises(BrokenRunError, match=r"film\.npz has moments that the album lacks"):
        read_film(run, album)
    write_film(run, album_digest(run, album), {album[-1].step: project(album[-1].mean[:3], "pca")})
    with pytest.raises(BrokenRunError, match=r"film\.npz: step-\d+ is float32"):
        read_film(run, album)
    (run.folder / FILM_FILE).write_bytes(b"no archive")
    with pytest.raises(BrokenRunError):
        read_film(run, album)

    monkeypatch.setattr(aligned_projections, "aligned", lambda models, *, seed: [project(m, "pca") for m in models])
    map_runs([run], wanted=[], films=True)
    assert read_film(run, album) is not None


def test_a_film_is_asked_for_like_a_method() -> None:
    assert wanted_maps(["film"]) == []
    assert wanted_maps(["tsne", "film"]) == [("tsne", 2), ("tsne", 3)]


def test_a_strip_over_tau_is_kept_for_the_page(store: RunStore, tiny: RunConfig) -> None:
    scaled = store.create("scaled", dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, head="rms-scaler")))
    train_run(scaled)
    keep_strip(scaled)
    taus = taus_of(scaled.load_model())
    kept = stored_tau_frames.load(scaled.folder, scaled.card, taus)
    assert kept is not None
    assert len(kept.reconstructions) == len(taus)


def test_a_model_without_a_scaler_has_no_strip(store: RunStore, tiny: RunConfig) -> None:
    plain = store.create("plain", dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, head="gaussian")))
    train_run(plain)
    with pytest.raises(ValueError, match="head 'gaussian' has no Scaler"):
        keep_strip(plain)
