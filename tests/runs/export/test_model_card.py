"""The card of a run: complete, repeatable, and quoting whatever a user wrote as text."""

import csv
import io
import json
import shlex
import zipfile

import pytest

from bnvae.__main__ import _parser
from bnvae.cli.settings import config_of
from bnvae.config.help_texts import arguments
from bnvae.config.schema import DataConfig, ModelConfig, RunConfig, TrainingConfig
from bnvae.runs import BrokenRunError, Run, RunStore
from bnvae.runs.export.model_card import command_line, reproduction_card
from bnvae.runs.storage.atomic_files import sha256, write_json


def contents(run: Run) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(reproduction_card(run))) as archive:
        parts = {name.removeprefix(f"{run.id}-card/"): archive.read(name) for name in archive.namelist()}
    assert all(content.startswith(b"\x89PNG") == name.endswith(".png") for name, content in parts.items())
    return {name: "" if name.endswith(".png") else content.decode() for name, content in parts.items()}


def test_a_card_has_all_it_takes_to_repeat_and_quote_a_run(run: Run) -> None:
    card = contents(run)
    tables, figures = (
        {"numbers.csv", "history.csv", "evaluations.csv"},
        {f"figures/{name}.{kind}" for name in ("kl", "elbo") for kind in ("svg", "png")},
    )
    stored = {"config.json", "environment.json", "data.json", "evaluation.json"}
    assert {"README.md", "command.txt", "citation.bib"} | stored | tables | figures == set(card)
    weights = sha256((run.folder / "weights.safetensors").read_bytes())
    assert weights in card["citation.bib"]
    assert weights in card["README.md"]
    assert run.card.digest in card["README.md"]
    assert json.loads(card["config.json"]) == json.loads((run.folder / "config.json").read_text())
    rows = {(name, split): value for name, split, value in csv.reader(io.StringIO(card["numbers.csv"]))}
    test = (run.evaluation() or {})["test"]
    assert float(rows["elbo", "test"]) == test["elbo"]
    assert float(rows["kl_per_dimension[2]", "test"]) == test["kl_per_dimension"][2]
    assert len(card["history.csv"].splitlines()) == len(run.history().steps) + 1
    evaluations = list(csv.DictReader(io.StringIO(card["evaluations.csv"])))
    told = [record.mutual_information for record in run.history().evaluations]
    assert [float(row["mutual_information"]) for row in evaluations] == told


def test_equal_runs_have_equal_cards(run: Run) -> None:
    assert reproduction_card(run) == reproduction_card(run)


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(),
        RunConfig(
            data=DataConfig(name="mnist", binarise=True, seed=3),
            model=ModelConfig(network="mlp", head="bn-mean", gamma=0.7),
            training=TrainingConfig(learning_rate=3e-4, seed=5, kl_schedule="cyclical"),
        ),
        RunConfig(data=DataConfig(name="text", path="my file; rm -rf $HOME.csv", column="-x")),
    ],
)
def test_the_command_line_makes_the_same_configuration(config: RunConfig) -> None:
    words = shlex.split(command_line("a", config))
    assert words[:4] == ["python", "-m", "bnvae", "train"]
    assert words[4:-2] == arguments(config)
    assert config_of(_parser().parse_args(words[3:])) == config


def test_a_run_that_has_not_begun_has_no_card(store: RunStore) -> None:
    with pytest.raises(BrokenRunError, match=r"data\.json is missing"):
        reproduction_card(store.create("a", RunConfig()))


def test_strange_words_in_a_runs_files_stay_words(image_run: Run) -> None:
    write_json(image_run.folder / "environment.json", {"bnvae": "1} \\input{/etc/passwd} {"})
    evaluation = {"test": {"=cmd|' /C calc'!A0": "=1+1", "kl_per_dimension": ["<x>"]}, "training": {}}
    write_json(image_run.folder / "evaluation.json", evaluation)
    card = contents(image_run)
    assert r"\input" not in card["citation.bib"]
    assert not any(line.startswith("=") or ",=" in line for line in card["numbers.csv"].splitlines())
