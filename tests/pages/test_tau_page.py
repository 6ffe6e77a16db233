"""The Tau page: which meaning is on, what cannot be shown, and that what it sends is what `evaluate` says."""

import base64
import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bnvae.jobs.train_runs import train_run
from bnvae.metrics.scaler_curves import UnscaledMoments, kl_per_dimension, shares
from bnvae.runs import Run, RunStore
from bnvae.runs.derived import stored_tau_frames
from bnvae.runs.storage.atomic_files import write_arrays, write_json
from tests.pages.reading import ROOT, drawn, small, words

Visit = Callable[..., AppTest]


@pytest.fixture(scope="session")
def more_trained(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    """What the other runs lack: a Scaler on text, two taus of one recipe, one model for all; look, don't touch."""
    store = RunStore(tmp_path_factory.mktemp("more"))
    scaled = small("digits", "rms-scaler", 6)
    recipes = {
        "story-scaler": small("storybook", "rms-scaler", 3),
        "digits-low": dataclasses.replace(scaled, model=dataclasses.replace(scaled.model, tau=0.2)),
        "digits-all": dataclasses.replace(scaled, model=dataclasses.replace(scaled.model, amortised=True)),
        "digits-one": small("digits", "rms-scaler", 1),
        "digits-wide": small("digits", "bn-scaler", 256),
    }
    for name, config in recipes.items():
        train_run(store.create(name, config))
    return store


@pytest.fixture
def all_runs(runs: RunStore, more_trained: RunStore) -> RunStore:
    for run in more_trained.runs():
        shutil.copytree(run.folder, runs.root / run.id)
    return runs


def explorer(page: AppTest) -> dict[str, Any]:
    (data,) = drawn(page, "tau_explorer")
    return data


def numbers(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").astype(float)


def kl_shown(data: dict[str, Any], tau: float) -> np.ndarray:
    """What the browser will draw at tau, by the closed form of the arrays."""
    model = data["model"]
    rows = numbers(model["theta"]).reshape(-1, model["dimensions"])
    row = int(np.argmin(np.abs(np.array(model["taus"]) - tau))) if len(rows) > 1 else 0
    means = numbers(model["examples"][0]["moments"]).reshape(3, -1)
    moments = UnscaledMoments(mean_square=means[0], std_square=means[1], log_std_square=means[2])
    return kl_per_dimension(moments, shares(rows[row], tau))


@pytest.mark.parametrize("name", ["digits-scaler", "story-scaler", "digits-one", "digits-wide", "digits-all"])
def test_the_kl_at_the_trained_tau_is_that_of_the_evaluation(name: str, all_runs: RunStore, visit: Visit) -> None:
    run = all_runs.get(name)
    evaluation = run.evaluation()
    assert evaluation is not None
    kl = kl_shown(explorer(visit("tau", name)), run.config.model.tau)
    # Encodings are kept in fp16, a centred std near 0 with few digits of its logarithm.
    np.testing.assert_allclose(kl, evaluation["test"]["kl_per_dimension"], rtol=5e-3, atol=2e-3)


def test_the_page_says_which_meaning_is_on_and_what_it_is_not(all_runs: RunStore, visit: Visit) -> None:
    for name, meaning in (("digits-scaler", "Rescaled"), ("digits-all", "Amortised")):
        said = explorer(visit("tau", name))["meaning"]
        assert said["name"] == meaning
        assert said["is"]
        assert said["is_not"].startswith("Not ")


def test_a_model_for_every_tau_sends_theta_for_each_place_of_the_slider(all_runs: RunStore, visit: Visit) -> None:
    data = explorer(visit("tau", "digits-all"))
    assert data["model"]["taus"][:2] == [0, 0.001]
    assert data["model"]["taus"][-1] == data["largest_tau"] == 0.95
    assert len(data["strip"]["taus"]) == 49
    rows = [part["made"]["rows"] for part in data["strip"]["parts"]]
    assert rows[:3] == [1, 49, 49]


def test_a_sweep_snaps_to_its_members(all_runs: RunStore, visit: Visit) -> None:
    page = visit("tau", "digits-scaler", "digits-low", "digits-plain", meaning="retrained", tau="0.3")
    data = explorer(page)
    assert data["members"] == [0.2, 0.5]
    assert data["titles"] == ["digits-low", "digits-scaler"]
    assert len(data["model"]["examples"]) == 2
    assert data["strip"]["taus"] == [0.2, 0.5]
    assert [rival["title"] for rival in data["rivals"]] == ["digits-plain"]


def test_runs_of_one_group_are_a_sweep_though_only_one_is_chosen(all_runs: RunStore, visit: Visit) -> None:
    for name in ("digits-scaler", "digits-low"):
        write_json(all_runs.root / name / "group.json", {"group": "pair"})
    page = visit("tau", "digits-low", meaning="retrained")
    assert explorer(page)["titles"] == ["digits-low", "digits-scaler"]
    assert "is of no sweep" not in words(page)


def test_a_member_of_a_sweep_without_encodings_yet_is_left_out(all_runs: RunStore, visit: Visit) -> None:
    for name in ("digits-scaler", "digits-low"):
        write_json(all_runs.root / name / "group.json", {"group": "pair"})
    (all_runs.root / "digits-scaler" / "encodings.npz").unlink()
    page = visit("tau", "digits-low", meaning="retrained")
    assert explorer(page)["titles"] == ["digits-low"]
    assert "cannot be shown" not in words(page)


def test_a_meaning_that_another_run_has_is_shown_by_that_run(all_runs: RunStore, visit: Visit) -> None:
    page = visit("tau", "digits-scaler", meaning="amortised")
    assert explorer(page)["meaning"]["name"] == "Amortised"
    assert "Shown instead" in words(page)
    assert "digits-all" in [text.value for text in page.text]


def test_a_meaning_that_no_run_has_is_said_and_the_runs_own_shown(runs: RunStore, visit: Visit) -> None:
    for wish, remedy in (("amortised", "--tau amortised"), ("retrained", "sweep")):
        page = visit("tau", "digits-scaler", meaning=wish)
        assert remedy in words(page)
        assert explorer(page)["meaning"]["name"] == "Rescaled"


def test_runs_without_a_scaler_are_told_that_they_have_no_tau(runs: RunStore, visit: Visit) -> None:
    page = visit("tau", "digits-plain", "story-bn")
    assert "none of these runs has one" in words(page)
    assert not drawn(page, "tau_explorer")


def test_a_plain_run_of_the_same_data_stands_beside_unasked(runs: RunStore, visit: Visit) -> None:
    data = explorer(visit("tau", "digits-scaler"))
    assert data["plain"]["title"] == "digits-plain"
    sums = np.add(data["plain"]["mean"], data["plain"]["std"])
    assert len(sums) == 4
    assert data["strip"]["parts"][3]["title"] == "prior sample, digits-plain"


def test_a_run_of_other_data_is_not_compared_and_it_is_said(runs: RunStore, visit: Visit) -> None:
    page = visit("tau", "digits-scaler", "story-plain")
    assert "of other data" in words(page)
    assert [rival["title"] for rival in explorer(page)["rivals"]] == ["digits-plain"]


@pytest.mark.parametrize(
    ("tau", "stands"), [("0.7", 0.7), ("0", 0), ("1", 0.5), ("-1", 0.5), ("nan", 0.5), ("<b>", 0.5), ("9" * 400, 0.5)]
)
def test_the_slider_stands_where_the_address_says_if_it_can(
    tau: str, stands: float, runs: RunStore, visit: Visit
) -> None:
    assert explorer(visit("tau", "digits-scaler", tau=tau))["tau"] == stands


def test_the_strip_is_kept_with_the_run_and_found_again(runs: RunStore, visit: Visit) -> None:
    first = explorer(visit("tau", "digits-scaler"))
    assert (runs.root / "digits-scaler" / stored_tau_frames.NAME).is_file()
    assert explorer(visit("tau", "digits-scaler")) == first


def test_a_strip_of_another_version_is_rendered_anew_and_it_is_said(runs: RunStore, visit: Visit) -> None:
    (runs.root / "digits-scaler" / stored_tau_frames.NAME).write_bytes(b"not a strip")
    data = explorer(visit("tau", "digits-scaler"))
    assert "rendered anew" in data["strip"]["note"]
    assert len(data["strip"]["taus"]) == 51


def test_a_folder_that_cannot_be_written_keeps_the_strip_in_memory(
    runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(stored_tau_frames, "keep", refuse)
    assert "in memory only" in explorer(visit("tau", "digits-scaler"))["strip"]["note"]


def test_another_eight_test_examples_are_reconstructed_by_the_same_noise(runs: RunStore, visit: Visit) -> None:
    first, other = (explorer(visit("tau", "digits-scaler", eight=eight))["strip"]["parts"] for eight in ("1", "2"))
    changed = [one != another for one, another in zip(first, other, strict=True)]
    assert changed == [True, True, False, False]  # prior samples are the same


def spoiled(run: Run, share: slice) -> None:
    posterior, labels = run.encodings()
    posterior.mean[share] = float("nan")
    write_arrays(
        run.folder / "encodings.npz",
        {"mean": posterior.mean.numpy(), "std": posterior.std.numpy(), "labels": labels.numpy()},
    )


def test_encodings_that_are_not_numbers_are_left_out_and_counted(runs: RunStore, visit: Visit) -> None:
    spoiled(runs.get("digits-scaler"), slice(0, 3))
    page = visit("tau", "digits-scaler")
    assert "3 of 297 of digits-scaler" in words(page)
    assert np.isfinite(kl_shown(explorer(page), 0.5)).all()


def test_encodings_without_a_number_are_said(runs: RunStore, visit: Visit) -> None:
    spoiled(runs.get("digits-scaler"), slice(None))
    page = visit("tau", "digits-scaler")
    assert "no example whose posterior is made of numbers" in words(page)
    assert not drawn(page, "tau_explorer")


def test_a_run_without_its_vocabulary_shows_its_numbers(all_runs: RunStore, visit: Visit) -> None:
    (all_runs.root / "story-scaler" / "tokenizer.json").unlink()
    page = visit("tau", "story-scaler")
    assert "Nothing can be decoded" in words(page)
    assert explorer(page)["strip"] is None


def test_a_vocabulary_without_words_is_said(all_runs: RunStore, visit: Visit) -> None:
    path = all_runs.root / "story-scaler" / "tokenizer.json"
    stored = json.loads(path.read_text())
    special = {token["content"] for token in stored["added_tokens"]}
    stored["model"]["vocab"] = {word: place for word, place in stored["model"]["vocab"].items() if word in special}
    path.write_text(json.dumps(stored))
    page = visit("tau", "story-scaler")
    assert "no words" in words(page)
    assert explorer(page)["model"]["dimensions"] == 3


def test_sentences_keep_the_room_of_the_longest(all_runs: RunStore, visit: Visit) -> None:
    _, rebuilt, *_ = (part["made"] for part in explorer(visit("tau", "story-scaler"))["strip"]["parts"])
    assert len(rebuilt["sentences"]) == 51
    for place, reserve in enumerate(rebuilt["reserve"]):
        assert len(reserve) == max(len(frame[place]) for frame in rebuilt["sentences"])


def test_one_model_for_every_tau_says_from_where_on_its_floor_decides(runs: RunStore, visit: Visit) -> None:
    shutil.copytree(ROOT / "checkpoints" / "digits-amortised", runs.root / "every")
    says = explorer(visit("tau", "every"))["meaning"]["is"]
    assert re.search(
        r"The floor binds from τ = 0\.\d\d on, where the slider sets the rate; below it the data take \d\.\d to \d\.\d",
        says,
    )
