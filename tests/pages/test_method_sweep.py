"""The form that begins a sweep over methods, and the comparison that follows it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bnvae.config.methods import METHODS
from bnvae.runs import Run, RunStore
from bnvae.runs.groups import group_of
from pages.shared.train import method_sweep
from tests.pages.reading import ROOT, checked, words

Visit = Callable[..., AppTest]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """What was submitted, instead of submitting it."""
    found: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(method_sweep, "submit", lambda *members, **options: found.append((members, options)))
    return found


def test_one_press_begins_a_run_for_each_method_in_one_worker(runs: RunStore, visit: Visit, begun: list[Any]) -> None:
    page = checked(visit("train").button(key="methods-go").click().run())
    ((members, options),) = begun
    assert [run.id.removeprefix("storybook-methods-") for run in members] == list(METHODS)
    assert options["sweep"] == "storybook-methods"
    assert {group_of(run) for run in members} == {"storybook-methods"}
    assert len({run.config.training.seed for run in members}) == 1
    assert "0 of 10 trainings" in words(page)


def test_a_second_sweep_has_a_name_of_its_own(
    runs: RunStore, visit: Visit, begun: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.shared.presses.DOUBLE_SECONDS", 0.0)  # no visitor chooses other methods as fast
    page = visit("train")
    page.multiselect(key="methods").set_value(["none", "bn-mean"])
    page.toggle(key="methods-ladder").set_value(True)
    checked(page.button(key="methods-go").click().run())
    page.multiselect(key="methods").set_value(["none"])
    page.toggle(key="methods-ladder").set_value(False)
    checked(page.button(key="methods-go").click().run())
    assert [len(members) for members, _ in begun] == [8, 1]
    assert [options["sweep"] for _, options in begun] == ["storybook-methods", "storybook-methods-2"]


def test_what_a_method_refuses_is_said_before_anything_is_made(runs: RunStore, visit: Visit, begun: list[Any]) -> None:
    page = visit("train")
    page.selectbox(key="set-head").set_value("gaussian").run()
    checked(page.number_input(key="set-batch").set_value(4).run())
    assert "batch_size is 4" in words(page)
    assert begun == []


def test_a_sweep_of_refused_data_leaves_no_run_and_says_why_once(
    empty: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = "\n".join(f"sentence {number}" for number in range(100))
    (tmp_path / "train.txt").write_text(lines)
    (tmp_path / "test.txt").write_text(lines)

    def work(*members: Run, threads: int, sweep: str) -> None:
        command = [sys.executable, "-m", "bnvae", "sweep", "--run", sweep, "--quiet"]
        assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 2

    monkeypatch.setattr(method_sweep, "submit", work)
    page = visit("train")
    page.selectbox(key="set-data").set_value("text").run()
    page.text_input(key="set-path").set_value(str(tmp_path)).run()
    checked(page.button(key="methods-go").click().run())
    assert empty.runs() == []
    assert words(page).count("100 of the 100 different sentences for test stand among those for training") == 1


def test_members_that_have_not_begun_are_named_in_one_message(runs: RunStore, visit: Visit, begun: list[Any]) -> None:
    checked(visit("train").button(key="methods-go").click().run())
    page = visit("compare", "digits-plain", "storybook-methods-none", "storybook-methods-linear")
    assert "storybook-methods-none, storybook-methods-linear" in words(page)
