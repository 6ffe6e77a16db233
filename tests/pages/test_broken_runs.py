"""Every file of a run missing, cut off or foreign: each page stays whole and says what is wrong as plain text."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bnvae.runs import RunStore
from bnvae.runs.storage.atomic_files import write_arrays, write_json
from tests.pages.reading import runs_choice, sections, words

Visit = Callable[..., AppTest]
FILES = ("config.json", "data.json", "status.json", "history.jsonl", "weights.safetensors", "tokenizer.json",
         "examples.npz", "preview.npz", "evaluation.json", "encodings.npz")  # fmt: skip
HOSTILE = '<img src=x onerror="alert(1)"> **bold** :smile: $x$ [a](http://a)'


def missing(path: Path) -> None:
    path.unlink()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def foreign(path: Path) -> None:
    path.write_bytes(HOSTILE.encode() + b"\n")


def of_another_run(path: Path) -> None:
    path.write_bytes((path.parents[1] / "digits-scaler" / path.name).read_bytes())


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = (missing, truncated, foreign, of_another_run, a_folder)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_pages_survive_a_damaged_file(file: str, damage: Callable[[Path], None], runs: RunStore, visit: Visit) -> None:
    if damage is of_another_run and file == "tokenizer.json":
        pytest.skip("pictures have no vocabulary")
    damage(runs.root / "story-bn" / file)
    for name in ("train", "samples", "runs"):  # the overview is made of the same panels as the Train page
        page = visit(name, "story-bn", "digits-plain")
        shown = "\n".join(str(element.value) for element in (*page.markdown, *page.caption, *page.error, *page.info))
        assert "onerror" not in shown
        if name != "runs":
            assert "digits-plain" in runs_choice(page).value


@pytest.mark.parametrize(
    ("file", "pages"),
    [
        ("config.json", ("overview", "train", "samples")),
        ("history.jsonl", ("overview", "train")),
        ("weights.safetensors", ("samples",)),
        ("tokenizer.json", ("overview", "train", "samples")),
        ("examples.npz", ("samples",)),
        ("preview.npz", ("overview", "train")),
        ("data.json", ("overview", "train", "samples")),
    ],
)
def test_a_page_that_needs_a_broken_file_names_it(
    file: str, pages: tuple[str, ...], runs: RunStore, visit: Visit
) -> None:
    foreign(runs.root / "story-bn" / file)
    for name in pages:
        page = visit(name, "story-bn", "digits-plain")
        assert any("This run cannot be shown" in error.value for error in page.error), name
        assert any(file in text.value for text in page.text), name


def test_the_list_shows_a_broken_run_with_the_reason(runs: RunStore, visit: Visit) -> None:
    foreign(runs.root / "story-bn" / "config.json")
    table = visit("runs").dataframe[0].value.set_index("run")
    assert table.loc["story-bn", "state"] == "broken"
    assert "config.json" in table.loc["story-bn", "note"]
    assert table.loc["digits-plain", "state"] == "finished"


def history_line(**changes: object) -> str:
    record = {
        "kind": "step", "step": 1, "epoch": 0.1, "distortion": 20.0, "rate": 1.0, "active_units": 5, "loss": 21.0,
        "kl_per_dimension": [0.2] * 5, "mean_second_moment": [0.2] * 5, "std_second_moment": [0.8] * 5,
        "kl_weight": 1.0, "gamma_mean": None, "gamma_std": None, "current_floor": [0.1] * 5,
    }  # fmt: skip
    return json.dumps(record | changes) + "\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"kl_per_dimension": []},
        {"kl_per_dimension": [0.1] * 9},
        {"current_floor": []},
        {"mean_second_moment": []},
        {"std_second_moment": [0.1] * 9},
        {"gamma_mean": [], "gamma_std": []},
        {"kl_per_dimension": [float("nan"), float("inf"), -1.0, 1e300, 0.0]},
        {"distortion": float("nan"), "rate": float("inf")},
        {"distortion": -1e300, "rate": -1e300},
        {"distortion": 10**400},
        {"kl_per_dimension": [10**400] * 5},
        {"rate": -(10**400)},
        {"active_units": 10**18, "step": 2**62},
        {"epoch": 10**400},
    ],
)
def test_pages_survive_a_history_of_odd_numbers(changes: dict[str, object], runs: RunStore, visit: Visit) -> None:
    (runs.root / "story-bn" / "history.jsonl").write_text(history_line() + history_line(**({"step": 2} | changes)))
    for name in ("overview", "train", "replay"):
        visit(name, "story-bn", "digits-plain")


@pytest.mark.parametrize(
    "changes",
    [
        {"step": 50, "total_steps": 10},
        {"step": -50, "total_steps": 10},
        {"step": 10**400, "total_steps": 3},
        {"step": 3, "total_steps": -3},
        {"examples_per_second": 10**400},
        {"seconds_left": float("nan")},
        {"seconds_left": 10**400},
        {"message": HOSTILE, "device": HOSTILE},
        {"state": "failed", "message": HOSTILE},
        {"state": HOSTILE},
    ],
)
def test_pages_survive_an_odd_status(
    changes: dict[str, object], runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bnvae.runs.run.is_held", lambda path: True)
    write_json(runs.root / "story-bn" / "status.json", {"state": "training"} | changes)
    for name in ("overview", "train", "runs"):
        page = visit(name, "story-bn")
        assert "onerror" not in "".join(str(element.value) for element in (*page.caption, *page.markdown))


@pytest.mark.parametrize("value", ["<b>", {"a": 1}, [1], True, None, float("nan"), 10**400, -(2**70)])
def test_the_list_survives_an_odd_evaluation(value: object, runs: RunStore, visit: Visit) -> None:
    figures = {"elbo": value, "rate": value, "active_units": value}
    write_json(runs.root / "story-bn" / "evaluation.json", {"test": figures, "training": figures})
    assert "story-bn" in list(visit("runs").dataframe[0].value["run"])


@pytest.mark.parametrize("rows", [np.zeros((0, 12)), np.zeros((4, 0)), np.ones((4, 400)), np.full((4, 12), 2)])
def test_pages_survive_examples_of_odd_sizes(rows: np.ndarray, runs: RunStore, visit: Visit) -> None:
    folder, tokens = runs.root / "story-bn", rows.astype(np.int32)
    write_arrays(folder / "examples.npz", {"examples": tokens, "labels": np.full(len(tokens), -1)})
    parts = dict.fromkeys(("originals", "reconstructions", "samples"), tokens)
    write_arrays(folder / "preview.npz", {"step": np.array(3), **parts})
    for name in ("overview", "train", "samples"):
        visit(name, "story-bn", "digits-plain")


def test_hostile_words_reach_a_page_only_as_text(runs: RunStore, visit: Visit) -> None:
    file = runs.root / "story-bn" / "tokenizer.json"
    stored = json.loads(file.read_text())
    vocabulary = stored["model"]["vocab"]
    stored["model"]["vocab"] = {
        word if index < 5 else f"{HOSTILE} {index}": index for word, index in vocabulary.items()
    }
    file.write_text(json.dumps(stored))
    card = runs.root / "story-bn" / "data.json"
    write_json(card, json.loads(card.read_text()) | {"label_names": [HOSTILE] * 99})
    for name in ("overview", "train", "samples"):
        page = visit(name, "story-bn")
        columns = [column for section in sections(page) for column in section["table"]["columns"]]
        sentences = [sentence for column in columns for sentence in column["sentences"]]
        assert any("onerror" in sentence for sentence in sentences)
        assert "onerror" not in words(page)
        assert not page.error


def test_an_upload_that_is_no_run_is_refused_with_the_reason(
    runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"../{HOSTILE}", "x")
    page = visit("runs")
    page.file_uploader[0].set_value(("run.zip", content.getvalue(), "application/zip"))
    page.run()
    next(button for button in page.button if button.label == "Take it in").click().run()
    assert [error.value for error in page.error] == ["This is refused:"]
    assert "onerror" in page.text[-1].value
