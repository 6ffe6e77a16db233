"""What the documents say can be run, found and looked up."""

import argparse
import ast
import dataclasses
import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import bnvae
from bnvae.__main__ import _parser
from bnvae.config.help_texts import FLAGS, SECTIONS, field_help
from bnvae.metrics.test_set import Evaluation
from bnvae.runs import Status
from bnvae.training.records import EvaluationRecord, StepRecord

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/*.md")])
FIELDS = [(section, spec.name) for section, config in SECTIONS.items() for spec in dataclasses.fields(config)]


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def _commands() -> Iterator[tuple[str, str]]:
    """Every `python -m bnvae` line of a shell block, with its document."""
    for document in DOCUMENTS:
        for block in _blocks(document.read_text(encoding="utf-8"), "sh"):
            for line in block.splitlines():
                if line.startswith("python -m bnvae"):
                    yield document.name, line


def _sources() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout: its own files cannot be told from others")
    kinds = {".md", ".py", ".js", ".css", ".toml", ".txt", ".sh", ".json", ".jsonl", ""}
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [file for file in files if file.is_file() and file.suffix in kinds]


def _training_parser() -> argparse.ArgumentParser:
    (commands,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    parser = commands.choices["train"]
    assert isinstance(parser, argparse.ArgumentParser)
    return parser


def test_the_readmes_example_of_a_head_in_ones_own_model_runs_as_written() -> None:
    (block,) = _blocks(_read("README.md"), "python")
    made: dict[str, object] = {}

    exec(compile(block, "README.md", "exec"), made)  # noqa: S102  # our own document

    head, kl = made["head"], made["kl"]
    assert isinstance(head, bnvae.BatchNormScalerHead)
    # What the comment beside it promises; 1e-5 for sums in fp32.
    assert bool((kl.mean(0) >= head.fixed_floor() - 1e-5).all())  # type: ignore[attr-defined]
    assert not head.training


@pytest.mark.parametrize(("document", "command"), list(_commands()))
def test_each_documented_command_is_understood(document: str, command: str) -> None:
    _, _, _, *arguments = shlex.split(command)

    if arguments[-1] == "--help":
        with pytest.raises(SystemExit, match="0"):
            _parser().parse_args(arguments)
    else:
        _parser().parse_args(arguments)


def test_the_readme_shows_every_command() -> None:
    (commands,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    shown = {line.split()[3] for document, line in _commands() if document == "README.md"}

    assert shown == set(commands.choices)


def test_each_requirements_file_named_in_a_command_exists() -> None:
    named = re.findall(r"pip install -r ([\w.-]+\.txt)", " ".join(map(_read, ("README.md", "CONTRIBUTING.md"))))

    assert set(named) == {"requirements.txt", "requirements-dev.txt"}
    assert all((ROOT / name).is_file() for name in named)


def test_the_newest_version_in_the_changelog_is_the_packages() -> None:
    versions = re.findall(r"^## \[(.+?)\] - \d{4}-\d{2}-\d{2}$", _read("CHANGELOG.md"), re.MULTILINE)

    assert versions[0] == bnvae.__version__
    assert tomllib.loads(_read("pyproject.toml"))["project"]["version"] == bnvae.__version__


@pytest.mark.parametrize(("section", "field"), FIELDS)
def test_each_setting_is_in_the_help_with_its_unit_or_its_choices(section: str, field: str) -> None:
    config: type = SECTIONS[section]
    sentence, kind = field_help(config)[field], get_type_hints(config)[field]
    flag = FLAGS.get((section, field), field.replace("_", "-"))
    (action,) = (action for action in _training_parser()._actions if f"--{flag}" in action.option_strings)

    assert sentence.replace("%", "%%") in str(action.help)
    if choices := get_args(kind):
        assert tuple(action.choices or ()) == choices
    elif kind in (int, float) and field != "seed":  # a seed counts nothing
        assert re.search(r"\(.+\)", sentence), f"{field}: say its unit in parentheses"


def test_the_help_of_each_command_can_be_shown() -> None:
    (commands,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))

    for parser in (_parser(), *commands.choices.values()):
        assert parser.format_help()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_what_a_document_links_to_is_there(document: Path) -> None:
    links = re.findall(r"!?\[[^\]]*\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    local = [link.partition("#")[0] for link in links if "://" not in link and not link.startswith("#")]

    assert [link for link in local if not (document.parent / link).exists()] == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    somewhere = re.compile(r"(?<![\w.~-])/(?:home|work|Users|root)/\w")
    found = [file.relative_to(ROOT) for file in _sources() if somewhere.search(file.read_text(encoding="utf-8"))]

    assert found == []


def test_the_glossary_has_every_setting_and_every_figure() -> None:
    bold = re.findall(r"\*\*(.+?)\*\*", _read("docs/glossary.md"))
    entries = {word for term in bold for word in re.findall(r"`(.+?)`", term)}
    figures = [
        spec.name for kind in (Evaluation, StepRecord, EvaluationRecord, Status) for spec in dataclasses.fields(kind)
    ]

    assert {name for _, name in FIELDS} | set(figures) <= entries


def test_the_layout_gives_a_reason_for_each_module_and_folder() -> None:
    layout = _read("ARCHITECTURE.md").partition("## Import order")[0]
    explained = set(re.findall(r"`(?:bnvae/)?(\w+)(?:\.py|/)`", layout)) | {"__init__"}
    there = {
        path.stem for path in (ROOT / "bnvae").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }

    assert there - explained == set()


def test_the_import_order_is_the_one_that_is_enforced() -> None:
    (order,) = re.findall(r"`(config ← data[^`]*)`", _read("ARCHITECTURE.md"))
    tree = ast.parse(_read("tests/test_layout.py"))
    (enforced,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ORDER"
    )

    assert tuple(re.split(r"\s*←\s*", order)) == enforced


def test_the_list_of_bundled_runs_is_the_one_that_is_trained() -> None:
    table = _read("checkpoints/README.md").partition("## In a")[0]
    listed = re.findall(r"^\| `([\w.-]+)` \|.*\|$", table, re.MULTILINE)
    script = ["bash", str(ROOT / "checkpoints" / "train.sh")]
    trained = subprocess.run(script, env=os.environ | {"STEPS": "list"}, check=True, capture_output=True, text=True)
    committed = re.findall(r"^!/checkpoints/([\w.-]+)/$", _read(".gitignore"), re.MULTILINE)

    assert listed == trained.stdout.split()
    assert set(listed) == set(committed)


def test_bundled_runs_are_small_enough_to_be_committed() -> None:
    ignored = re.findall(r"^/checkpoints/\*/(\S+?)/?$", _read(".gitignore"), re.MULTILINE)
    total = 0
    for name in re.findall(r"^!/checkpoints/([\w.-]+)/$", _read(".gitignore"), re.MULTILINE):
        folder = ROOT / "checkpoints" / name
        files = [path for path in folder.rglob("*") if path.is_file()]
        kept = [path for path in files if not any(path.relative_to(folder).match(pattern) for pattern in ignored)]

        size = sum(path.stat().st_size for path in kept)
        assert size < 3.5e6, name
        total += size
    assert total < 25e6
