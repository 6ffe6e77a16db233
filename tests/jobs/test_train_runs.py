"""A run from its first step to its last, with everything that can come between."""

import dataclasses
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from bnvae.config.schema import RunConfig
from bnvae.data import load_dataset
from bnvae.data.download.fetch import DownloadError
from bnvae.data.random_subset import subset_order
from bnvae.jobs import train_job
from bnvae.jobs.evaluate_runs import evaluate_run
from bnvae.jobs.train_runs import describe, train_run
from bnvae.runs import Run, RunStore, Status
from bnvae.runs import store as runs_store
from bnvae.runs.export.archive import export_run, import_run
from bnvae.runs.progress import checkpoint, intervals
from bnvae.runs.storage import lock
from bnvae.runs.storage.atomic_files import BrokenRunError
from bnvae.training.records import EvaluationRecord, Record, StepRecord

ROOT = Path(__file__).resolve().parents[2]


def longer(config: RunConfig, **changes: Any) -> RunConfig:
    return dataclasses.replace(config, training=dataclasses.replace(config.training, **changes))


def content(run: Run) -> tuple[bytes, bytes]:
    return (run.folder / "weights.safetensors").read_bytes(), (run.folder / "history.jsonl").read_bytes()


def wait_until(condition: Any, *, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint and a look for stop requests at every record."""
    monkeypatch.setattr(intervals, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(train_job, "STATUS_SECONDS", -1.0)


def stop_at(run: Run, step: int, kind: type[Record]) -> train_job.Report:
    def report(told: Run, record: Record, status: Status) -> None:
        if told.id == run.id and record.step == step and isinstance(record, kind):
            run.request_stop()

    return report


@pytest.mark.parametrize("modality", ["image", "text"])
def test_a_finished_run_has_everything_a_page_shows(
    modality: str, store: RunStore, tiny: RunConfig, tiny_text: RunConfig
) -> None:
    run = store.create("a", tiny if modality == "image" else tiny_text)
    status = train_run(run)
    assert status == run.status
    assert (status.state, status.step, status.total_steps) == ("finished", status.step, status.step)
    assert status.seconds_left is None
    assert not run.is_held
    model, (posterior, labels), preview = run.load_model(), run.encodings(), run.preview()
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert len(posterior.mean) == len(labels) == run.card.test_examples
    assert preview is not None
    assert (len(preview.originals), len(preview.reconstructions), len(preview.samples)) == (8, 8, 16)
    watched = load_dataset(run.config.data, tokenizer=run.tokenizer).validation.examples
    assert torch.equal(preview.originals, watched[subset_order(len(watched))[:8]])
    assert (run.tokenizer is None) == (modality == "image")
    assert run.history().evaluations[-1].step == status.step
    figures = run.evaluation()
    assert figures is not None
    assert set(figures) == {"test", "validation", "training"}


def test_every_kill_and_stop_leaves_the_bytes_of_an_undisturbed_run(
    store: RunStore, tiny: RunConfig, eager: None
) -> None:
    # Evaluations at steps 100 and 112, records every 3: each stop below falls on another kind of moment.
    config = longer(tiny, epochs=14)
    whole, broken = store.create("whole", config), store.create("broken", config)
    train_run(whole)
    for step, kind in ((3, StepRecord), (99, StepRecord), (100, EvaluationRecord), (111, StepRecord)):
        assert train_run(broken, stop_at(broken, step, kind)).state == "stopped"
        assert broken.status.resumable
    assert train_run(broken).state == "finished"
    assert content(broken) == content(whole)


@pytest.mark.parametrize("last", [StepRecord, EvaluationRecord])
def test_a_stop_at_the_last_step_still_finishes(
    last: type[Record], store: RunStore, tiny: RunConfig, eager: None
) -> None:
    whole, stopped = store.create("whole", tiny), store.create("stopped", tiny)
    train_run(whole)
    assert train_run(stopped, stop_at(stopped, 16, last)).state == "finished"
    assert content(stopped) == content(whole)
    assert not stopped.take_stop_request() or last is EvaluationRecord


def test_a_kill_between_the_last_checkpoint_and_its_weights_loses_no_weights(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = store.create("whole", tiny), store.create("killed", tiny)
    train_run(whole)

    def kill(self: Run, model: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Run, "write_weights", kill)
        with pytest.raises(KeyboardInterrupt):
            train_run(killed)
    assert not killed.has_weights
    assert train_run(killed).state == "finished"
    assert content(killed) == content(whole)


def test_resuming_a_finished_run_changes_nothing(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("a", tiny)
    train_run(run)
    before = content(run)
    assert train_run(run).state == "finished"
    assert content(run) == before


def test_a_stopped_run_can_be_shown(store: RunStore, tiny: RunConfig, eager: None) -> None:
    run = store.create("a", tiny)
    status = train_run(run, stop_at(run, 6, StepRecord))
    assert (status.state, status.step) == ("stopped", 6)
    second_moment = (run.encodings()[0].mean.square() + run.encodings()[0].std.square()).mean(0)
    torch.testing.assert_close(second_moment, torch.ones(4), atol=0.4, rtol=0)  # test examples, moments of training
    assert run.load_model().latent_dimensions == 4


def test_a_run_that_came_without_its_checkpoints_is_not_begun_anew(store: RunStore, tiny: RunConfig) -> None:
    train_run(store.create("a", tiny))
    elsewhere = import_run(store, export_run(store.get("a")), "b")
    before = content(elsewhere)
    with pytest.raises(ValueError, match="'b' came without the state of its training"):
        train_run(elsewhere)
    assert content(elsewhere) == before


def test_a_resumed_run_keeps_the_precision_that_auto_meant_when_it_began(
    store: RunStore, tiny: RunConfig, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = longer(tiny, precision="auto")
    run = store.create("a", config)
    (run.folder / "config.json").write_text(config.to_json())  # as earlier versions kept it
    monkeypatch.setattr("bnvae.training.device.has_bf16_units", lambda device: True)
    train_run(run, stop_at(run, 6, StepRecord))
    monkeypatch.setattr("bnvae.training.device.has_bf16_units", lambda device: False)
    assert train_run(run).device == "cpu, bfloat16"


def train_process(run: Run) -> "subprocess.Popen[bytes]":
    program = (
        "import sys; from pathlib import Path; from bnvae.jobs import train_runs; "
        "from bnvae.runs import Run; from bnvae.runs.progress import intervals\n"
        "intervals.CHECKPOINT_SECONDS = 0.2\n"
        "train_runs.train_run(Run(Path(sys.argv[1])))"
    )
    return subprocess.Popen([sys.executable, "-c", program, str(run.folder)], cwd=ROOT)


def test_a_run_that_is_killed_again_and_again_ends_with_the_bytes_of_an_undisturbed_one(
    store: RunStore, tiny: RunConfig
) -> None:
    config = longer(tiny, epochs=50)
    whole, killed = store.create("whole", config), store.create("killed", config)
    train_run(whole)
    for number in range(2):
        process = train_process(killed)
        wait_until(lambda seen=number: killed.status.step > 130 * seen and killed.is_held and any_checkpoint(killed))
        process.kill()
        process.wait()
        assert not killed.is_held
        assert killed.status.state in ("interrupted", "finished")
    assert killed.status.state == "interrupted"
    assert "ended without a word" in killed.status.message
    assert train_run(killed).state == "finished"
    assert content(killed) == content(whole)
    assert not list(killed.folder.glob(".*.part"))


def any_checkpoint(run: Run) -> bool:
    return bool(checkpoint._manifests(run.folder)[0])


def test_a_second_trainer_is_refused_and_changes_nothing(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.1)
    run = store.create("a", tiny)
    run.write_status(Status(state="training", step=7))
    with run.hold(), pytest.raises(BlockingIOError, match="run 'a' is being trained by another process"):
        train_run(run)
    assert run.status == Status(state="interrupted", step=7, message=run.status.message)


def test_a_loss_that_explodes_ends_the_run_and_says_so(store: RunStore, tiny: RunConfig) -> None:
    model = dataclasses.replace(tiny.model, head="gaussian")
    config = longer(tiny, learning_rate=100.0, gradient_clip=0.0, optimiser="sgd", epochs=50)
    run = store.create("a", dataclasses.replace(config, model=model))
    with pytest.raises(FloatingPointError):
        train_run(run)
    assert run.status.state == "failed"
    assert "Training stopped before this step" in run.status.message
    assert run.status.not_finite
    assert not run.is_held


def test_data_refused_before_the_first_step_leaves_no_run_and_its_reason_for_an_hour(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dataclasses.replace(tiny.data, training_examples=7)
    with pytest.raises(ValueError, match="8 or more"):
        train_run(store.create("a", dataclasses.replace(tiny, data=data)))
    assert store.runs() == []
    assert "8 or more" in store.refusal("a")
    store.clear_away()
    assert store.refusal("a")
    monkeypatch.setattr(runs_store, "REFUSAL_SECONDS", -1.0)
    store.clear_away()
    assert store.refusal("a") == ""
    assert not any(store.root.iterdir())


def test_a_new_run_of_the_name_of_a_refused_one_was_not_refused(store: RunStore, tiny: RunConfig) -> None:
    data = dataclasses.replace(tiny.data, training_examples=7)
    with pytest.raises(ValueError, match="8 or more"):
        train_run(store.create("a", dataclasses.replace(tiny, data=data)))
    store.create("a", tiny)
    assert store.refusal("a") == ""


@pytest.mark.parametrize("error", [DownloadError("no network"), BrokenRunError("a/config.json"), RuntimeError("odd")])
def test_what_is_no_refusal_leaves_a_run_that_can_be_resumed(
    error: Exception, store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(train_job, "load_dataset", fail)
    run = store.create("a", tiny)
    with pytest.raises(type(error)):
        train_run(run)
    assert (run.status.state, run.status.resumable, run.status.message) == ("failed", True, str(error))


def test_changed_data_is_refused_and_the_card_stays(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("a", tiny)
    train_run(run)
    card = run.card
    data = dataclasses.replace(tiny.data, training_examples=64)
    (run.folder / "config.json").write_text(dataclasses.replace(tiny, data=data).to_json())
    with pytest.raises(ValueError, match="data set has changed since step 16"):
        train_run(run)
    with pytest.raises(ValueError, match="data set of run 'a' has changed"):
        evaluate_run(run)
    assert run.card == card
    assert "data set has changed" in run.status.message  # what was learned is kept


def test_a_damaged_checkpoint_is_passed_over_and_the_run_says_so(store: RunStore, tiny: RunConfig, eager: None) -> None:
    whole, run = store.create("whole", tiny), store.create("a", tiny)
    train_run(whole)
    train_run(run, stop_at(run, 6, StepRecord))
    manifests = checkpoint._manifests(run.folder)[0]
    newest = max(manifests, key=lambda slot: manifests[slot]["step"])
    (run.folder / f"trainer-{newest}.safetensors").write_bytes(b"damaged")
    status = train_run(run)
    assert "checkpoint of step 6 passed over" in status.message
    assert content(run) == content(whole)


def test_a_stop_request_of_the_worker_before_is_forgotten(store: RunStore, tiny: RunConfig, eager: None) -> None:
    run = store.create("a", tiny)
    run.request_stop()
    assert train_run(run).state == "finished"


def test_a_stop_request_for_a_worker_that_is_starting_is_kept(store: RunStore, tiny: RunConfig, eager: None) -> None:
    run = store.create("a", tiny)
    run.write_status(Status(state="starting"))
    run.request_stop()
    assert train_run(run).state == "stopped"
    assert train_run(run).state == "finished"


def test_while_the_data_is_loaded_the_run_is_training_and_can_be_stopped(
    store: RunStore, tiny: RunConfig, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, seen = store.create("a", tiny), []

    def slow(config: object, *, tokenizer: object, progress: Any) -> None:
        seen.append(run.status)
        progress("downloading", 0.5)
        seen.append(run.status)
        run.request_stop()
        progress("downloading", 0.6)

    monkeypatch.setattr(train_job, "load_dataset", slow)
    assert train_run(run).state == "stopped"
    assert [(status.state, status.message) for status in seen] == [
        ("training", "Loading the data."),
        ("training", "downloading: 50%"),
    ]


def test_half_written_files_of_a_killed_worker_are_cleared(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("a", tiny)
    (run.folder / ".trainer-0.safetensors.k2.part").write_bytes(bytes(1000))
    train_run(run)
    assert not list(run.folder.glob(".*.part"))


def test_a_listing_shows_broken_runs_with_the_reason(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("a", tiny)
    assert "error" not in describe(run)
    (run.folder / "config.json").write_text("{")
    assert "a/config.json" in str(describe(run)["error"])
    (run.folder / "config.json").write_text(tiny.to_json())
    (run.folder / "evaluation.json").write_text('{"test": 5}')
    assert "a/evaluation.json" in str(describe(run)["error"])
