"""Evaluating a run's folder: figures kept with it, thorough ones as long as its weights stay, refusals in words."""

import dataclasses
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from bnvae.__main__ import main
from bnvae.config.schema import RunConfig
from bnvae.jobs.evaluate_runs import evaluate_run
from bnvae.jobs.train_runs import train_run
from bnvae.metrics.figures.figure_units import UNITS
from bnvae.metrics.thorough import ThoroughSettings
from bnvae.runs import BrokenRunError, Run, RunStore
from bnvae.runs.evaluation_state import PROGRESS, STOP, EvaluationDesk, EvaluationStopped, kept_thorough

WITH_ERRORS = {f"{name}_standard_error" for name in UNITS}
QUICK = ThoroughSettings(samples=3, examples=20)


@pytest.fixture
def run(store: RunStore, tiny: RunConfig) -> Run:
    run = store.create("a", tiny)
    train_run(run)
    return run


def test_evaluating_again_gives_the_same_figures(run: Run) -> None:
    assert evaluate_run(run) == run.evaluation()


def test_figures_at_another_tau_are_rescaled_and_not_kept(run: Run) -> None:
    before = run.evaluation()
    at = evaluate_run(run, tau=0.9)
    assert run.evaluation() == before
    assert at["test"]["tau"] == 0.9
    own, share = evaluate_run(run, tau=0.5), 0.9 + 0.1 * 0.5  # theta has hardly left 0 in 16 steps
    assert own["test"]["elbo"] == pytest.approx(before["test"]["elbo"])  # type: ignore[index]
    assert at["training"]["mean_second_moment_per_dimension"] == pytest.approx([share] * 4, abs=0.01)


def test_a_tau_of_a_run_without_one_or_beside_thorough_figures_is_refused(store: RunStore, tiny: RunConfig) -> None:
    plain = store.create("plain", dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, head="gaussian")))
    train_run(plain)
    assert evaluate_run(plain)["test"]["tau"] is None
    with pytest.raises(ValueError, match=r"tau is 0.3: head 'gaussian' of run 'plain' has no Scaler"):
        evaluate_run(plain, tau=0.3)
    with pytest.raises(ValueError, match=r"tau is 0.3: thorough figures are of the run's own tau"):
        evaluate_run(plain, QUICK, tau=0.3)


def test_thorough_figures_are_kept_beside_the_quick_ones(run: Run) -> None:
    quick = evaluate_run(run)
    both = evaluate_run(run, QUICK)
    thorough = both["thorough"]
    assert {name: both[name] for name in quick} == quick
    assert run.evaluation() == json.loads(json.dumps(both))
    assert (thorough["importance_samples"], thorough["examples"]) == (3, 20)
    assert thorough["bits_per_dimension"] == pytest.approx(thorough["nll"] / math.log(2) / 64)
    assert thorough["perplexity"] is None
    assert {name for name, value in thorough.items() if isinstance(value, float)} - WITH_ERRORS <= set(UNITS)
    assert {name for name, value in quick["test"].items() if isinstance(value, float)} - WITH_ERRORS <= set(UNITS)
    assert thorough["modes"]["stored_moments"] == thorough["modes"]["eval_mode"]  # published with exact ones
    assert kept_thorough(run) == thorough


def test_what_the_code_buys_is_kept_with_a_reason_for_what_is_not_there(run: Run) -> None:
    buys = evaluate_run(run)["buys"]
    assert (run.evaluation() or {})["buys"] == buys
    assert list(buys["labels_needed"]) == ["label"]
    at = buys["labels_needed"]["label"]["labels"].index(buys["accuracy_labels"])
    accuracy = buys["accuracy_from_draws"]
    assert accuracy == buys["labels_needed"]["label"]["codes"]["accuracy"][at]
    probe = buys["labels_needed"]["label"]
    parts = probe["codes"]["spread"][at] ** 2 / probe["draws"], accuracy * (1 - accuracy) / probe["test_examples"]
    assert buys["accuracy_from_draws_standard_error"] ** 2 == pytest.approx(sum(parts))
    assert buys["missing"] == {
        "causes": "data is 'digits': causes can be read from the sentences of 'storybook' only.",
        "edits": "data is 'digits': causes can be read from the sentences of 'storybook' only.",
    }
    assert {name for name, value in buys.items() if isinstance(value, float)} - WITH_ERRORS <= set(UNITS)


def test_sentences_with_known_causes_have_all_that_a_code_buys(store: RunStore, tiny_text: RunConfig) -> None:
    run = store.create("a", tiny_text)
    train_run(run)
    buys = evaluate_run(run, factors=["tense"], labels=[20, 40])["buys"]
    assert list(buys["labels_needed"]) == ["mood", "tense"]
    assert buys["labels_needed"]["tense"]["labels"] == [20, 40]
    assert not buys["missing"]
    assert buys["accuracy_labels"] == 40
    assert buys["causes_kept"] == buys["causes"]["mean"]
    assert buys["edits_took"] == buys["edits"]["took"]
    assert {name for name, value in buys.items() if isinstance(value, float)} - WITH_ERRORS <= set(UNITS)
    with pytest.raises(ValueError, match="factor is 'colour'"):
        evaluate_run(run, factors=["colour"])
    with pytest.raises(ValueError, match="labels is 100000: give 2 or more, and at most the"):
        evaluate_run(run, labels=[100_000])


def test_thorough_figures_of_sentences_have_a_perplexity(store: RunStore, tiny_text: RunConfig) -> None:
    run = store.create("a", tiny_text)
    train_run(run)
    thorough = evaluate_run(run, QUICK)["thorough"]
    assert thorough["perplexity"] == pytest.approx(math.exp(thorough["nll"] / thorough["tokens"]))
    assert thorough["bits_per_dimension"] is None
    assert set(thorough["factor_gaps"]) >= {"mood", "who", "tense"}
    assert {name for name, value in thorough.items() if isinstance(value, float)} - WITH_ERRORS <= set(UNITS)
    assert thorough["modes"]["training_mode"]["distortion"] > thorough["modes"]["eval_mode"]["distortion"]  # dropout


def test_a_quick_evaluation_keeps_thorough_figures_until_the_weights_change(run: Run) -> None:
    thorough = evaluate_run(run, QUICK)["thorough"]
    assert evaluate_run(run)["thorough"] == thorough
    path = run.folder / "weights.safetensors"
    tensors = load_file(path)
    save_file({name: value + 1e-3 for name, value in tensors.items()}, path)
    assert kept_thorough(run) is None
    assert "thorough" not in evaluate_run(run)


def test_moments_that_lag_behind_are_seen_in_the_published_ones(run: Run) -> None:
    path = run.folder / "weights.safetensors"
    tensors = load_file(path)
    save_file({name: value * 4 if name.endswith("square") else value for name, value in tensors.items()}, path)
    modes = evaluate_run(run, QUICK)["thorough"]["modes"]
    assert modes["stored_moments"]["second_moment"] == pytest.approx(0.25, abs=1e-3)
    assert modes["eval_mode"]["second_moment"] == pytest.approx(1, abs=1e-3)


def test_a_run_without_a_training_has_nothing_to_evaluate(store: RunStore, tiny: RunConfig) -> None:
    with pytest.raises(ValueError, match="run 'a' has no weights to evaluate: it has not been trained yet"):
        evaluate_run(store.create("a", tiny))


@pytest.mark.parametrize("name", ["examples", "seed"])
def test_what_only_thorough_figures_have_is_refused_without_them(
    name: str, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(run.folder.parent))
    assert main(["evaluate", run.id, f"--{name}", "5"]) == 2
    said = capsys.readouterr()
    assert said.err == (
        f"bnvae: {name} is 5: it is of the thorough figures. Give --samples as well, or leave --{name} out.\n"
    )
    assert not said.out


def test_a_terminal_shows_a_figure_with_its_error_behind_it(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(run.folder.parent))
    assert main(["evaluate", run.id]) == 0
    figures, shown = (run.evaluation() or {})["test"], capsys.readouterr().out
    assert f"{figures['elbo']:.4f} ± {figures['elbo_standard_error']:.4f}" in shown
    assert "standard error" not in shown


def test_a_broken_run_is_refused(run: Run) -> None:
    (run.folder / "data.json").unlink()
    with pytest.raises(BrokenRunError, match=r"a/data\.json is missing"):
        evaluate_run(run)


def test_weights_that_are_not_numbers_are_refused_and_older_figures_stay(run: Run) -> None:
    before = run.evaluation()
    path = run.folder / "weights.safetensors"
    tensors = load_file(path)
    name = next(name for name in tensors if name.endswith("weight"))
    save_file(tensors | {name: torch.full_like(tensors[name], math.nan)}, path)
    with pytest.raises(ValueError, match="not finite"):
        evaluate_run(run, QUICK)
    assert run.evaluation() == before
    assert EvaluationDesk(run.folder).look().state == "failed"


def test_weights_too_large_to_reckon_with_are_refused(run: Run) -> None:
    path = run.folder / "weights.safetensors"
    tensors = load_file(path)
    save_file({name: value * 1e30 if "decoder" in name else value for name, value in tensors.items()}, path)
    with pytest.raises(ValueError, match="not finite"):
        evaluate_run(run)


def test_a_wish_to_stop_ends_the_evaluation_and_writes_nothing(run: Run) -> None:
    before, desk = run.evaluation(), EvaluationDesk(run.folder)
    desk.request_stop()
    with pytest.raises(EvaluationStopped):
        evaluate_run(run, QUICK)
    assert run.evaluation() == before
    assert desk.look().state == "idle"
    assert not (run.folder / STOP).exists()
    assert not desk.is_held


def test_a_wish_to_stop_is_heard_in_the_last_stage_too(run: Run) -> None:
    before, desk = run.evaluation(), EvaluationDesk(run.folder)

    def listen(what: str, share: float) -> None:
        if what == "ELBO and moments of training examples":
            desk.request_stop()

    with pytest.raises(EvaluationStopped):
        evaluate_run(run, QUICK, listen)
    assert run.evaluation() == before


def test_progress_is_told_to_the_caller_and_to_the_folder(run: Run) -> None:
    told: list[tuple[str, float, Any]] = []

    def listen(what: str, share: float) -> None:
        told.append((what, share, EvaluationDesk(run.folder).look()))

    evaluate_run(run, QUICK, listen)
    assert {what for what, _, _ in told} >= {"loading", "importance sampling, K = 3", "decoding"}
    assert told[-1][2].state == "running"
    assert not (run.folder / PROGRESS).exists()


def test_two_cannot_evaluate_one_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bnvae.runs.storage.lock.WAIT_SECONDS", 0.05)
    with (
        EvaluationDesk(run.folder).working(),
        pytest.raises(BlockingIOError, match="run 'a' is being evaluated by another process"),
    ):
        evaluate_run(run, QUICK)


def test_one_that_died_has_failed(run: Run) -> None:
    desk = EvaluationDesk(run.folder)
    (run.folder / PROGRESS).write_text(
        json.dumps({"state": "running", "what": "x", "share": 0.5, "process": os.getpid(), "at": time.time()})
    )
    assert desk.look().state == "failed"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"state": "x", "what": 1, "share": 1}', '{"state": "running"}'])
def test_a_damaged_report_is_no_report(content: str, run: Run) -> None:
    (run.folder / PROGRESS).write_text(content)
    assert EvaluationDesk(run.folder).look().state == "idle"


def test_the_command_line_takes_a_number_of_draws(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(run.folder.parent))
    assert main(["evaluate", "a", "--samples", "2", "--examples", "10", "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["thorough"]["importance_samples"] == 2
    assert main(["evaluate", "a", "--quiet"]) == 0
    assert "effective samples" in capsys.readouterr().out
    assert main(["evaluate", "a", "--samples", "0"]) == 2
    assert "samples is 0" in capsys.readouterr().err
    assert main(["evaluate", "a", "--samples", "2", "--examples", "-1"]) == 2
    assert "examples is -1" in capsys.readouterr().err
    EvaluationDesk(run.folder).request_stop()
    assert main(["evaluate", "a", "--samples", "2", "--quiet"]) == 3
    assert "stopped" in capsys.readouterr().err
