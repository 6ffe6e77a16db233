"""A run's folder: what can be read from it, and what is refused with file and field."""

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from bnvae.runs import BrokenRunError, Run, Status
from bnvae.runs.storage.atomic_files import read_arrays, write_arrays


def edit_json(run: Run, name: str, edit: Callable[[dict[str, Any]], object]) -> None:
    path = run.folder / name
    stored = json.loads(path.read_text())
    edit(stored)
    path.write_text(json.dumps(stored))


def edit_weights(run: Run, edit: Callable[[dict[str, torch.Tensor]], object]) -> None:
    path = run.folder / "weights.safetensors"
    tensors = load(path.read_bytes())
    edit(tensors)
    path.write_bytes(save(tensors))


def edit_arrays(run: Run, name: str, names: tuple[str, ...], **changes: Any) -> None:
    stored = read_arrays(run.folder / name, names)
    write_arrays(run.folder / name, {**stored, **changes})


def test_published_weights_are_loaded_as_they_were(run: Run) -> None:
    before = (run.folder / "weights.safetensors").read_bytes()
    run.write_weights(run.load_model())
    assert (run.folder / "weights.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda tensors: tensors.pop("head.scaler.theta"), "'head.scaler.theta' is missing"),
        (lambda tensors: tensors.update(extra=torch.ones(1)), "'extra' is unknown"),
        (
            lambda tensors: tensors.update({"head.scaler.theta": torch.ones(4)}),
            r"'head.scaler.theta' has shape \(4,\) instead of \(3,\)",
        ),
        (
            lambda tensors: tensors.update({"head.scaler.theta": torch.ones(3, dtype=torch.float16)}),
            "'head.scaler.theta' is torch.float16 instead of torch.float32",
        ),
        (
            lambda tensors: tensors["head.scaler.theta"].fill_(float("nan")),
            "'head.scaler.theta' holds numbers that are not finite",
        ),
        (lambda tensors: tensors.clear(), "is missing and [0-9]+ more"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(
    edit: Callable[[dict[str, torch.Tensor]], object], message: str, run: Run
) -> None:
    edit_weights(run, edit)
    with pytest.raises(BrokenRunError, match=f"{run.id}/weights.safetensors does not fit config.json: .*{message}"):
        run.load_model()


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\xff" * 8 + b"{}", b"PK\x03\x04" + bytes(50)])
def test_damaged_or_foreign_weights_are_refused(content: bytes, image_run: Run) -> None:
    (image_run.folder / "weights.safetensors").write_bytes(content)
    with pytest.raises(BrokenRunError, match=r"image/weights\.safetensors is damaged or of another format"):
        image_run.load_model()


def test_truncated_and_missing_weights_are_refused(image_run: Run) -> None:
    path = image_run.folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(BrokenRunError, match=r"image/weights\.safetensors is damaged"):
        image_run.load_model()
    path.unlink()
    with pytest.raises(BrokenRunError, match=r"image/weights\.safetensors is missing"):
        image_run.load_model()
    assert not image_run.has_weights


def test_a_model_too_large_for_any_machine_is_refused_before_it_is_built(image_run: Run) -> None:
    edit_json(image_run, "data.json", lambda card: card["shape"].update(height=1_000_000, width=1_000_000))
    edit_json(image_run, "config.json", lambda config: config["model"].update(hidden_units=4096))
    with pytest.raises(BrokenRunError, match=r"does not fit config\.json"):
        image_run.load_model()


def test_a_configuration_of_the_other_modality_is_refused(image_run: Run, text_run: Run) -> None:
    (image_run.folder / "config.json").write_bytes((text_run.folder / "config.json").read_bytes())
    with pytest.raises(BrokenRunError, match=r"image/data\.json is of image data, config\.json of text"):
        image_run.load_model()


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("config.json", lambda stored: stored["model"].update(tau=2)),
        ("config.json", lambda stored: stored.update(extra=1)),
        ("data.json", lambda stored: stored["shape"].update(height=-1)),
        ("data.json", lambda stored: stored["shape"].update(height=True)),
        ("data.json", lambda stored: stored["shape"].update(depth=5)),
        ("data.json", lambda stored: stored.update(shape=[1, 8, 8])),
        ("data.json", lambda stored: stored.update(label_names=5)),
        ("data.json", lambda stored: stored.pop("digest")),
    ],
)
def test_configuration_and_card_are_refused_by_file(
    name: str, edit: Callable[[dict[str, Any]], object], image_run: Run
) -> None:
    edit_json(image_run, name, edit)
    with pytest.raises(BrokenRunError, match=f"image/{name}"):
        image_run.load_model()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": np.zeros((297, 2), np.float16)}, r"mean is float16 \(297, 2\): expected .*\(297, 3\)"),
        ({"std": np.zeros((297, 3), "U1")}, "std is <U1"),
        ({"labels": np.zeros(5, np.int64)}, r"mean is float16 \(297, 3\): expected .*\(5, 3\)"),
        ({"labels": np.full(297, 10)}, "labels is int64 .*below 10"),
        ({"labels": np.zeros(297)}, "labels is float64"),
    ],
)
def test_encodings_that_do_not_fit_are_refused(changes: dict[str, Any], message: str, image_run: Run) -> None:
    edit_arrays(image_run, "encodings.npz", ("mean", "std", "labels"), **changes)
    with pytest.raises(BrokenRunError, match=rf"image/encodings\.npz: {message}"):
        image_run.encodings()


def test_examples_and_previews_that_do_not_fit_are_refused(image_run: Run, text_run: Run) -> None:
    pixels, tokens = np.zeros((4, 1, 9, 8), np.uint8), np.full((4, 5), 50, np.int32)
    for broken, examples in ((image_run, pixels), (text_run, tokens)):
        edit_arrays(broken, "examples.npz", ("examples", "labels"), examples=examples)
        edit_arrays(broken, "preview.npz", ("step", "originals", "reconstructions", "samples"), samples=examples)
        with pytest.raises(BrokenRunError, match=r"/examples\.npz: examples is"):
            _ = broken.examples
        with pytest.raises(BrokenRunError, match=r"/preview\.npz: samples is"):
            broken.preview()


def test_a_tokenizer_of_a_stranger_is_refused(text_run: Run) -> None:
    (text_run.folder / "tokenizer.json").write_text('{"model": {"type": "WordPiece", "vocab": {}}}')
    with pytest.raises(BrokenRunError, match=r"text/tokenizer\.json"):
        _ = text_run.tokenizer


def test_a_history_of_a_stranger_is_refused(image_run: Run) -> None:
    (image_run.folder / "history.jsonl").write_text('{"kind":"step","step":"1"}\n')
    with pytest.raises(BrokenRunError, match=r"image/history\.jsonl: not a training record"):
        image_run.history()


def test_a_training_status_without_a_worker_is_an_interruption(image_run: Run) -> None:
    image_run.write_status(Status(state="training", step=12))
    assert "step 12" in image_run.status.message
    states = [image_run.status.state]
    with image_run.hold():
        states.append(image_run.status.state)
    assert states == ["interrupted", "training"]


def test_a_run_that_ends_between_two_questions_is_not_an_interruption(
    image_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_run.write_status(Status(state="training"))

    def ends(run: Run) -> bool:
        run.write_status(Status(state="finished"))
        return False

    monkeypatch.setattr(Run, "is_held", property(ends))
    assert image_run.status.state == "finished"


def test_a_status_that_cannot_be_read_is_a_broken_run(image_run: Run) -> None:
    (image_run.folder / "status.json").write_text("{")
    assert image_run.status.state == "broken"
    assert "status.json" in image_run.status.message
    (image_run.folder / "status.json").unlink()
    assert image_run.status.state == "broken"


def test_a_status_is_never_half_written_for_a_reader(image_run: Run) -> None:
    with image_run.hold():
        for step in range(50):
            image_run.write_status(Status(state="training", step=step, message="x" * step * 100))
            assert image_run.status.step == step


def test_the_status_of_fifty_runs_takes_a_page_no_time(image_run: Run) -> None:
    image_run.write_status(Status(state="training"))
    with image_run.hold():
        started = time.process_time()
        for _ in range(50):
            _ = image_run.status
    assert time.process_time() - started < 0.1  # measured: 0.002 s


def test_a_stop_request_is_taken_once(image_run: Run) -> None:
    assert not image_run.take_stop_request()
    image_run.request_stop()
    assert image_run.take_stop_request()
    assert not image_run.take_stop_request()


def test_the_log_shows_its_last_words(image_run: Run) -> None:
    assert image_run.log_tail == ""
    (image_run.folder / "worker.log").write_bytes(b"\xff" + b"a" * 5000 + b"end")
    assert len(image_run.log_tail) == 4000
    assert image_run.log_tail.endswith("end")
