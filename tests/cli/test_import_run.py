"""`convert` and `import`, as a terminal calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bnvae.__main__ import main
from bnvae.runs import RunStore
from tests.importers.foreign_vae import DESCRIPTION, ForeignVAE, saved
from tests.importers.test_arrays import packed

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    Path("state.pt").write_bytes(saved(ForeignVAE().state_dict()))
    Path("vae.json").write_text(json.dumps(DESCRIPTION))
    Path("codes.npz").write_bytes(packed())
    return RunStore()


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "bnvae", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_a_state_dict_becomes_a_run_and_a_file_that_becomes_the_same_run(runs: RunStore) -> None:
    converted = command("convert", "state.pt", "--description", "vae.json", "--run", "mine", "--to", "mine.safetensors")
    assert (converted.returncode, converted.stderr) == (0, "")
    assert "mine: Brought in: trained elsewhere." in converted.stdout

    imported = command("import", "mine.safetensors", "--description", "vae.json")
    assert (imported.returncode, imported.stderr) == (0, "")
    assert runs.get("mine-2").evaluation() == runs.get("mine").evaluation()

    evaluated = command("evaluate", "mine", "--json")
    assert json.loads(evaluated.stdout) == runs.get("mine").evaluation()
    resumed = command("resume", "mine")
    assert resumed.returncode == 2
    assert resumed.stderr == "bnvae: run 'mine' was brought in: it has no state of a training to go on from.\n"
    assert runs.get("mine").status.state == "finished"


def test_a_file_alone_is_asked_for_and_no_run_is_made(runs: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    wish = ["convert", "state.pt", "--description", "vae.json", "--to", "x.safetensors"]
    assert main(wish) == 0
    assert capsys.readouterr().out.startswith("x.safetensors: ")
    assert set(load_file("x.safetensors")) == set(ForeignVAE().state_dict())
    assert not runs.runs()


def test_a_run_alone_is_named_as_asked_or_after_the_file(runs: RunStore) -> None:
    assert main(["convert", "state.pt", "--description", "vae.json"]) == 0
    assert main(["convert", "state.pt", "--description", "vae.json", "--run", "mine"]) == 0
    assert sorted(run.id for run in runs.runs()) == ["mine", "state"]
    assert not list(Path().glob("*.safetensors"))


def test_a_file_whose_tensors_are_not_those_of_its_description_is_not_written(
    runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    tensors = ForeignVAE().state_dict()
    tensors["extra.weight"] = torch.ones(2)
    Path("state.pt").write_bytes(saved(tensors))
    assert main(["convert", "state.pt", "--description", "vae.json", "--to", "x.safetensors"]) == 2
    assert "extra.weight" in capsys.readouterr().err
    assert not Path("x.safetensors").exists()


def test_arrays_become_a_run_whose_figures_are_printed(runs: RunStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "codes.npz"]) == 0
    shown = capsys.readouterr().out
    assert "codes: Brought in: posteriors alone, without their model." in shown
    assert "mutual information" in shown
    assert main(["evaluate", "codes"]) == 0
    assert main(["list"]) == 0
    assert main(["export", "codes"]) == 0
    assert main(["import", "codes.zip", "--run", "again"]) == 0
    assert runs.get("again").evaluation() == runs.get("codes").evaluation()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["convert", "state.pt"], "nothing is asked for: give --description"),
        (["convert", "state.pt", "--to", "x.safetensors", "--run", "a"], "run is 'a': a run takes a --description"),
        (["convert", "nobody.pt", "--to", "x.safetensors"], "file is 'nobody.pt': there is no such file"),
        (["convert", "codes.npz", "--to", "x.safetensors"], "cannot be read as tensors alone"),
        (["convert", "state.pt", "--description", "nobody.json"], "file is 'nobody.json': there is no such file"),
        (["convert", "state.pt", "--description", "state.pt"], "the description is not"),
        (["convert", "state.pt", "--description", "vae.json", "--run", "../x"], "run is '../x'"),
        (["import", "state.pt"], "state.pt: give one .zip of a run"),
        (["import", "nobody.npz"], "file is 'nobody.npz': there is no such file"),
        (["import", "codes.npz", "--run", "a/b"], "run is 'a/b'"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_refused_input_ends_in_one_line_and_leaves_nothing(
    arguments: list[str], reason: str, runs: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("bnvae: ")
    assert reason in said
    assert said.count("\n") == 1
    assert not runs.runs()
    assert not Path("x.safetensors").exists()
