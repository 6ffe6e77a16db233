"""The command line, in this process and in real ones."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bnvae.__main__ import main
from bnvae.config.help_texts import FLAGS, SECTIONS
from bnvae.config.schema import RunConfig
from bnvae.runs import Run, RunStore

ROOT = Path(__file__).resolve().parents[2]
TINY = (
    *("--data", "digits", "--training-examples", "128"),
    *("--network", "mlp", "--head", "rms-scaler", "--hidden-units", "16", "--latent-dimensions", "4"),
    *("--batch-size", "16", "--device", "cpu", "--precision", "fp32", "--threads", "1"),
)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    return RunStore()


def start(*arguments: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", "bnvae", *arguments], env=environment, stdout=pipe, stderr=pipe, text=True
    )


def wait_until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def content(run: Run) -> tuple[bytes, bytes]:
    return (run.folder / "weights.safetensors").read_bytes(), (run.folder / "history.jsonl").read_bytes()


def test_a_run_is_trained_evaluated_listed_exported_and_resumed(
    runs: RunStore, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["train", *TINY, "--epochs", "1", "--run", "a"]) == 0
    assert capsys.readouterr().out.strip().endswith("a: Finished.")

    assert main(["evaluate", "a", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    figures = json.loads(line)
    assert set(figures) == {"test", "validation", "training", "buys"}
    for split in (figures["test"], figures["validation"], figures["training"]):
        assert {
            "elbo",
            "distortion",
            "rate",
            "kl_per_dimension",
            "active_units",
            "mutual_information",
            "mutual_information_examples",
            "second_moment_per_dimension",
        } <= set(split)
        assert len(split["kl_per_dimension"]) == len(split["second_moment_per_dimension"]) == 4
    assert figures["training"]["second_moment_per_dimension"] == pytest.approx([1] * 4, abs=1e-3)

    assert main(["list", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["run"], entry["status"]["state"], entry["test"]) == ("a", "finished", figures["test"])

    assert main(["export", "a"]) == 0
    assert "a/weights.safetensors" in zipfile.ZipFile(tmp_path / "a.zip").namelist()

    before = content(runs.get("a"))
    assert main(["resume", "a", "--quiet"]) == 0
    assert content(runs.get("a")) == before


def test_tables_are_printed_for_people(runs: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    main(["train", *TINY, "--epochs", "1", "--quiet"])
    broken = runs.create("broken", runs.get("digits-rms-scaler").config)
    (broken.folder / "config.json").write_text("{")
    capsys.readouterr()
    assert main(["list"]) == 0
    assert main(["evaluate", "digits-rms-scaler"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("digits-rms-scaler", "finished", "broken", "mutual information"))


def test_a_run_of_every_tau_is_trained_and_evaluated_at_several(
    runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *TINY, "--tau", "amortised", "--tau-max", "0.8", "--run", "every", "--quiet"]) == 0
    config = runs.get("every").config
    assert (config.model.amortised, config.model.tau, config.model.tau_max) == (True, 0.5, 0.8)
    rates = []
    for tau in ("0.1", "0.8"):
        capsys.readouterr()
        assert main(["evaluate", "every", "--tau", tau, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["test"]["tau"] == float(tau)
        assert found["training"]["second_moment_per_dimension"] == pytest.approx([1] * 4, abs=1e-3)
        rates.append(found["training"]["rate"])
    # of four dimensions each, -ln(1 - tau) / 2 at least
    assert rates[0] >= 4 * 0.0527 - 1e-3
    assert rates[1] >= 4 * 0.8047 - 1e-3
    assert (runs.get("every").evaluation() or {})["test"]["tau"] == 0.5  # of the run's own tau, as training left them
    assert main(["evaluate", "every", "--tau", "0.9"]) == 2
    assert "tau is 0.9: this model was trained from 0 to 0.8." in capsys.readouterr().err


def test_a_sweep_trains_each_tau_in_turn_and_given_again_leaves_what_is_finished(
    runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sweep", "--run", "s", "--tau", "0.9", "0.1", *TINY, "--epochs", "1", "--quiet"]
    assert main(command) == 0
    low, high = runs.groups()["s"]
    assert [run.status.state for run in (low, high)] == ["finished", "finished"]
    rates = [(run.evaluation() or {})["training"]["rate"] for run in (low, high)]
    assert rates[0] >= 4 * 0.0527 - 1e-3  # of four dimensions each, -ln(1 - tau) / 2 at least
    assert rates[1] >= 4 * 1.1513 - 1e-3
    before = content(low), content(high)
    assert main(command) == main(["sweep", "--run", "s", "--quiet"]) == 0
    assert (content(low), content(high)) == before
    capsys.readouterr()
    assert main(["list", "--json"]) == 0
    assert {entry["group"] for entry in json.loads(capsys.readouterr().out)} == {"s"}


def test_a_sweep_over_methods_trains_each_and_lists_them_as_one_group(
    runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = [part for part in TINY if part not in ("--head", "rms-scaler")]
    assert main(["sweep", "--run", "m", "--methods", "rms-scaler,none", *sizes, "--epochs", "1", "--quiet"]) == 0
    assert {run.id: run.config.model.head for run in runs.groups()["m"]} == {
        "m-none": "gaussian",
        "m-rms-scaler": "rms-scaler",
    }
    assert {run.status.state for run in runs.groups()["m"]} == {"finished"}


def test_an_interrupted_sweep_stops_as_a_whole_and_goes_on_where_it_was(runs: RunStore) -> None:
    command = ["sweep", "--run", "s", "--tau", "0.1", "0.9", *TINY, "--epochs", "60", "--quiet"]
    sweep = start(*command)
    wait_until(lambda: "s-tau-0.1" in runs and runs.get("s-tau-0.1").status.step > 8)
    sweep.send_signal(signal.SIGINT)
    sweep.communicate(timeout=60)
    assert sweep.returncode == 3
    low, high = runs.groups()["s"]
    assert low.status.state == "stopped"
    assert 0 < low.status.step < low.status.total_steps
    assert high.status.message == "Not started yet."
    assert main(["sweep", "--run", "s", "--quiet"]) == 0
    assert [run.status.state for run in (low, high)] == ["finished", "finished"]


def test_help_shows_every_field_with_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["train", "--help"])
    assert end.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    for section, config in SECTIONS.items():
        for field in dataclasses.fields(config):
            assert f"--{FLAGS.get((section, field.name), field.name.replace('_', '-'))} " in shown + " "
    for unit in ("(nats)", "(tokens)", "(pixels)", "(epochs)", "(examples)", "0 <= tau < 1"):
        assert unit in shown


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["train", "--tau", "1"], "tau is 1.0"),
        (["train", "--tau", "nan"], "tau is nan"),
        (["train", "--tau", "all"], "tau is 'all': give a number, or 'amortised'"),
        (["train", "--tau", "amortised", "--head", "gaussian"], "amortised is True: head 'gaussian' has no tau"),
        (["train", "--epochs", "many"], "argument --epochs: invalid int value: 'many'"),
        (["train", "--head", "batchnorm"], "argument --head: invalid choice: 'batchnorm'"),
        (["train", "--batch-size", "4"], "batch_size is 4"),
        (["train", "--run", "../x"], "run is '../x'"),
        (["train", "--unknown"], "unrecognized arguments: --unknown; see python -m bnvae train --help"),
        (["train", "--hed", "gaussian"], "unrecognized arguments: --hed gaussian (did you mean --head?)"),
        (["train", *TINY, "--training-examples", "7", "--quiet"], "training_examples is 7"),
        (["resume", "nobody"], "run is 'nobody': there is none"),
        (["evaluate", "nobody"], "run is 'nobody'"),
        (["export", "nobody"], "run is 'nobody'"),
        (["sweep", "--run", "nobody"], "run is 'nobody': there is no sweep of that name"),
        (["sweep", "--run", "s", "--tau", "0.1", "1"], "tau is 1.0"),
        (["sweep", "--run", "s", "--methods", "nothing"], "method is 'nothing': choose of none, beta-0.2"),
        (["sweep", "--run", "s", "--methods", "all", "--beta", "0.5"], "beta is 0.5: the methods of a sweep decide it"),
        (["sweep", "--run", "s", "--tau", "0.1", "--ladder"], "ladder is given without --methods"),
        (["sweep", "--run", "s", "--methods", "all", "--tau", "0.1"], "not allowed with argument"),
        (["dance"], "invalid choice: 'dance'"),
        ([], "required"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_refused_input_ends_in_one_line(
    arguments: list[str], reason: str, runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(arguments)
    except SystemExit as end:
        status = end.code  # type: ignore[assignment]
    said = capsys.readouterr().err
    assert status == 2
    assert said.startswith("bnvae: ")
    assert reason in said
    assert said.count("\n") == 1


def test_a_second_trainer_is_refused_in_one_line(
    runs: RunStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bnvae.runs.storage.lock.WAIT_SECONDS", 0.05)
    with runs.create("a", RunConfig()).hold():
        assert main(["resume", "a"]) == 2
    assert "run 'a' is being trained by another process" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_stops_in_order_and_a_kill_loses_nothing(runs: RunStore) -> None:
    arguments = [*TINY, "--epochs", "100", "--quiet"]
    assert main(["train", *arguments, "--run", "whole"]) == 0
    process = start("train", *arguments, "--run", "a")
    wait_until(lambda: "a" in runs and runs.get("a").status.step > 0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (3, "")
    stopped = runs.get("a").status
    assert stopped.state == "stopped"
    assert 0 < stopped.step < stopped.total_steps

    process = start("resume", "a", "--quiet")
    wait_until(lambda: runs.get("a").status.state == "training" and runs.get("a").status.step > stopped.step)
    process.kill()
    process.communicate()
    assert runs.get("a").status.state == "interrupted"

    assert main(["resume", "a", "--quiet"]) == 0
    assert content(runs.get("a")) == content(runs.get("whole"))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_second_ctrl_c_ends_a_race_at_once(runs: RunStore, tiny: RunConfig) -> None:
    for name in ("a", "b"):
        runs.create(name, tiny)
    stuck = (
        "import sys, time; from bnvae.training import trainer; from bnvae.__main__ import main\n"
        "trainer.Trainer._advance = lambda self: time.sleep(60)\n"
        "sys.exit(main(['resume', 'a', 'b', '--quiet']))"
    )
    process = subprocess.Popen([sys.executable, "-c", stuck], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: all(runs.get(name).status.message == "Training." for name in ("a", "b")))
    process.send_signal(signal.SIGINT)
    wait_until(lambda: runs.get("b").desk.control().stop)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "bnvae: interrupted\n")
    assert not runs.get("a").is_held


def test_a_reader_that_has_seen_enough_is_no_error(runs: RunStore) -> None:
    main(["train", *TINY, "--epochs", "1", "--run", "a", "--quiet"])
    process = start("list", "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 0


def test_own_data_that_cannot_be_trained_on_leaves_no_run_behind(
    runs: RunStore, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["train", "--data", "text", "--path", str(tmp_path / "gone.txt")]) == 2
    assert "there is no such file" in capsys.readouterr().err
    assert runs.runs() == []


@pytest.fixture
def overlapping(tmp_path: Path) -> str:
    """A folder whose test file holds sentences for training: a glance at it sees nothing wrong."""
    folder = tmp_path / "mine"
    folder.mkdir()
    lines = [f"sentence {number}" for number in range(100)]
    (folder / "train.txt").write_text("\n".join(lines))
    (folder / "test.txt").write_text("\n".join(lines[:20]))
    return str(folder)


@pytest.mark.parametrize(
    "command",
    [
        ["train"],
        ["sweep", "--run", "s", "--tau", "0.1", "0.9"],
        ["sweep", "--run", "s", "--methods", "none,bn-mean"],
        ["sweep", "--run", "s", "--seed", "0", "1"],
    ],
    ids=" ".join,
)
def test_splits_that_overlap_leave_no_run_behind(
    command: list[str], overlapping: str, runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--data", "text", "--path", overlapping, "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "20 of the 20 different sentences for test stand among those for training" in said
    assert said.count("\n") == 1
    assert runs.runs() == []


def test_a_sweep_over_data_that_is_not_there_makes_no_run(
    runs: RunStore, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(tmp_path / "gone.txt")
    assert main(["sweep", "--run", "s", "--tau", "0.1", "0.9", "--data", "text", "--path", path]) == 2
    assert "there is no such file" in capsys.readouterr().err
    assert not runs.root.exists()  # not even for a moment


def test_an_export_replaces_no_file_unless_told_to(
    runs: RunStore, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(["train", *TINY, "--epochs", "1", "--run", "a", "--quiet"])
    (tmp_path / "a.zip").write_text("precious")
    assert main(["export", "a"]) == 2
    assert "replace it with --force" in capsys.readouterr().err
    assert (tmp_path / "a.zip").read_text() == "precious"
    assert main(["export", "a", "--force"]) == 0
    assert zipfile.is_zipfile(tmp_path / "a.zip")


def test_a_finished_run_is_not_resumed_but_said_to_be_finished(
    runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", *TINY, "--epochs", "1", "--run", "a", "--quiet"])
    written = (runs.get("a").folder / "status.json").stat().st_mtime_ns
    capsys.readouterr()
    assert main(["resume", "a"]) == 0
    assert capsys.readouterr().out == "a: finished already; there is nothing to go on with.\n"
    assert (runs.get("a").folder / "status.json").stat().st_mtime_ns == written


def test_the_evaluation_of_a_run_that_failed_says_why_it_failed(
    runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runs.create("a", RunConfig())
    run.write_status(run.status.replace(state="failed", message="No network."))
    assert main(["evaluate", "a"]) == 2
    said = capsys.readouterr().err
    assert "its training failed" in said
    assert "(No network)" in said
