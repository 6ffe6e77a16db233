"""TensorBoard event files, read back by TensorBoard itself."""

import importlib.util
import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bnvae.__main__ import main
from bnvae.config.schema import RunConfig
from bnvae.runs import Run, RunStore
from bnvae.runs.export.event_files import FILE, FOLDER, write_event_file
from bnvae.runs.progress.step_times import CLOCK


def read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    return events


def test_every_record_is_there_with_its_step(image_run: Run, tmp_path: Path) -> None:
    assert write_event_file(image_run, tmp_path / "events") == tmp_path / "events" / FILE
    assert [path.name for path in (tmp_path / "events").iterdir()] == [FILE]
    events, history = read(tmp_path / "events"), image_run.history()
    for name in ("loss", "distortion", "rate", "elbo", "kl_weight", "active_units"):
        written = [(one.step, one.value) for one in events.Scalars(f"training/{name}")]
        assert written == [(one.step, pytest.approx(getattr(one, name))) for one in history.steps]
    for name in ("elbo", "mutual_information", "permuted_rise"):
        tested = [(one.step, one.value) for one in events.Scalars(f"validation/{name}")]
        assert tested == [(one.step, pytest.approx(getattr(one, name))) for one in history.evaluations]


def test_an_older_history_without_an_information_has_its_other_scalars(image_run: Run, tmp_path: Path) -> None:
    path = image_run.folder / "history.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    new = ("mutual_information", "mutual_information_examples", "permuted_rise", "permuted_rise_standard_error")
    path.write_text("".join(json.dumps({k: v for k, v in line.items() if k not in new}) + "\n" for line in lines))
    write_event_file(image_run, tmp_path)
    written = read(tmp_path).Tags()["scalars"]
    assert "validation/elbo" in written
    assert not {"validation/mutual_information", "validation/permuted_rise"} & set(written)


def test_the_kl_of_all_dimensions_is_a_histogram(image_run: Run, tmp_path: Path) -> None:
    write_event_file(image_run, tmp_path)
    last, record = read(tmp_path).Histograms("training/kl_per_dimension")[-1], image_run.history().steps[-1]
    assert last.step == record.step
    assert last.histogram_value.num == len(record.kl_per_dimension) == 3
    assert last.histogram_value.sum == pytest.approx(sum(record.kl_per_dimension))
    assert last.histogram_value.max == pytest.approx(max(record.kl_per_dimension))


def test_the_wall_time_is_the_seconds_of_training(image_run: Run, tmp_path: Path) -> None:
    (image_run.folder / CLOCK).write_text("0 0\n1000 500\n")  # half a second a step
    write_event_file(image_run, tmp_path)
    for one in read(tmp_path).Scalars("training/loss"):
        assert one.wall_time == pytest.approx(one.step / 2)


def test_written_again_it_replaces_what_was_there(image_run: Run, tmp_path: Path) -> None:
    write_event_file(image_run, tmp_path)
    count = len(read(tmp_path).Scalars("training/loss"))
    write_event_file(image_run, tmp_path)
    assert len(read(tmp_path).Scalars("training/loss")) == count


def test_numbers_that_are_none_are_left_out_of_a_histogram(image_run: Run, tmp_path: Path) -> None:
    path = image_run.folder / "history.jsonl"
    record = json.loads(path.read_text().splitlines()[0]) | {"kl_per_dimension": [float("nan"), 1.0, 2.0]}
    path.write_text(json.dumps(record) + "\n")
    write_event_file(image_run, tmp_path)
    assert read(tmp_path).Histograms("training/kl_per_dimension")[0].histogram_value.num == 2


def test_a_run_without_a_history_has_no_event_file(store: RunStore, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run 'a' has no history: train it first"):
        write_event_file(store.create("a", RunConfig()), tmp_path / "events")
    assert not (tmp_path / "events").exists()


def test_the_command_line_writes_them_beside_a_run_and_elsewhere(
    image_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(image_run.folder.parent))
    assert main(["export", "image", "--tensorboard", "--to", str(tmp_path / "there")]) == 0
    assert str(tmp_path / "there" / FILE) in capsys.readouterr().out
    sizes = ["--hidden-units", "8", "--latent-dimensions", "3", "--training-examples", "64", "--batch-size", "32"]
    assert (
        main(
            [
                "train",
                "--data",
                "digits",
                "--network",
                "mlp",
                *sizes,
                "--epochs",
                "1",
                "--run",
                "b",
                "--tensorboard",
                "--quiet",
            ]
        )
        == 0
    )
    assert read(image_run.folder.parent / "b" / FOLDER).Scalars("training/loss")


def test_without_the_library_training_does_not_begin_and_the_remedy_is_named(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(store.root))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["train", "--data", "digits", "--run", "b", "--tensorboard"]) == 2
    assert "pip install tensorboard" in capsys.readouterr().err
    assert "b" not in store
