"""What a terminal shows, at the widths that terminals have."""

import dataclasses
import io
from typing import Any

import pytest
from rich.console import Console

from bnvae.cli.terminal.progress import TerminalProgress, print_evaluation, print_runs
from bnvae.comparison.columns import COLUMNS
from bnvae.config.schema import DataConfig, RunConfig
from bnvae.data import load_dataset
from bnvae.jobs.train_runs import describe
from bnvae.metrics.figures.figure_units import UNITS
from bnvae.runs import RunStore, Status
from bnvae.training.records import EvaluationRecord, StepRecord

LONG = "a-name-of-64-characters-" + "x" * 40


def listed(entries: list[dict[str, Any]], *, columns: int, terminal: bool) -> str:
    shown = io.StringIO()
    print_runs(entries, Console(file=shown, width=columns, force_terminal=terminal, color_system=None))
    return shown.getvalue()


@pytest.fixture
def entries(store: RunStore, tiny: RunConfig) -> list[dict[str, Any]]:
    test = {"elbo": -120.5, "rate": 3.25, "active_units": 7}
    return [describe(store.create(name, tiny)) | {"test": test} for name in (LONG, "b")]


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("terminal", [True, False])
def test_the_list_cuts_no_name_at_any_width(entries: list[dict[str, Any]], columns: int, terminal: bool) -> None:
    shown = listed(entries, columns=columns, terminal=terminal)
    assert len(LONG) == 64
    assert LONG in shown
    assert "-120.50" in shown
    assert "…" not in shown


def test_the_list_is_a_table_with_one_line_a_run_where_it_fits(entries: list[dict[str, Any]]) -> None:
    for terminal, columns in ((True, 160), (False, 80)):
        shown = listed(entries, columns=columns, terminal=terminal)
        (line,) = [line for line in shown.splitlines() if LONG in line]
        assert "3.25" in line
    (line,) = [line for line in listed(entries[1:], columns=80, terminal=True).splitlines() if "-120.50" in line]
    assert line.split()[0] == "b"


def test_broken_and_failed_runs_are_listed_with_the_reason(store: RunStore, tiny: RunConfig) -> None:
    store.create("cracked", tiny)
    (store.root / "cracked" / "config.json").write_text("{")
    failed = store.create("lost", tiny)
    failed.write_status(Status(state="failed", message="no such [file]"))
    shown = listed([describe(run) for run in store.runs()], columns=80, terminal=True)
    assert "cracked: broken: cracked/config.json" in shown
    assert "lost: failed: no such [file]" in shown


def test_own_data_are_listed_by_their_file_without_its_folder(store: RunStore, tiny: RunConfig) -> None:
    data = DataConfig(name="images", path="/data/secret/birds.zip")
    entry = describe(store.create("a", dataclasses.replace(tiny, data=data)))
    shown = listed([entry], columns=120, terminal=True)
    assert "birds.zip (images)" in shown
    assert "secret" not in shown


SPLIT = {"examples": 12, "tau": 0.5, "elbo": -20.7356, "elbo_standard_error": 0.05, "active_units": 4, "kl": [0.5]}
THOROUGH = {"nll": 580.3, "bits_per_dimension": 8.07, "hole_share": 0.12, "nll_by_samples": {"1": 2.0}, "weights": "ab"}


@pytest.mark.parametrize("columns", [80, 200])
def test_every_figure_of_an_evaluation_says_its_own_unit(columns: int) -> None:
    shown = io.StringIO()
    figures = {"test": SPLIT, "training": SPLIT, "thorough": THOROUGH}
    print_evaluation("a[b]", figures, Console(file=shown, width=columns, force_terminal=True, color_system=None))
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    assert lines[0] == "a[b]"
    assert [line for line in lines if line and line[-1].isdigit()] == [
        "examples examples 12 12",
        "tau fraction 0.5000 0.5000",
        "elbo nats per example -20.7356 ± 0.0500 -20.7356 ± 0.0500",
        "active units dimensions 4 4",
        "nll nats per example 580.3000",
        "bits per dimension bits per pixel value 8.0700",
        "hole share share of prior draws 0.1200",
    ]


def test_a_pipe_gets_each_figure_in_one_line_however_narrow_it_says_it_is() -> None:
    shown = io.StringIO()
    print_evaluation("a", {"test": SPLIT, "training": SPLIT}, Console(file=shown, width=20))
    assert "elbo nats per example -20.7356 ± 0.0500 -20.7356 ± 0.0500" in " ".join(shown.getvalue().split())
    assert len([line for line in shown.getvalue().splitlines() if line.strip()]) == 7  # title, head, rule, four figures


@pytest.mark.parametrize("columns", [40, 60])
def test_a_narrow_terminal_shows_names_and_numbers_whole(columns: int) -> None:
    shown = io.StringIO()
    print_evaluation(
        "a",
        {"test": SPLIT, "training": SPLIT},
        Console(file=shown, width=columns, force_terminal=True, color_system=None),
    )
    assert "…" not in shown.getvalue()


def test_units_in_the_terminal_are_those_of_the_comparison() -> None:
    for column in COLUMNS:
        assert UNITS[column.name].startswith(column.unit)


def test_no_runs_are_said_to_be_none() -> None:
    assert "no runs yet" in listed([], columns=80, terminal=True)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_training_has_two_lines_however_many_dimensions(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    run = store.create("of-some-length-as-people-name-them", tiny)
    progress = TerminalProgress([run])
    record = StepRecord(
        step=1234,
        epoch=1,
        kl_per_dimension=[1.0] * 64,
        mean_second_moment=[0.5] * 64,
        std_second_moment=[0.5] * 64,
        distortion=1234.5,
        rate=64.0,
        active_units=64,
        loss=1298.5,
        kl_weight=1.0,
        current_floor=[0.0] * 64,
    )
    progress.report(run, record, Status(state="training", step=1234, total_steps=56789))
    shown = Console(file=io.StringIO(), width=columns, force_terminal=True, color_system=None)
    lines = shown.render_lines(progress._progress.get_renderable(), pad=False)
    assert len(lines) == 2
    first, second = ("".join(segment.text for segment in line) for line in lines)
    assert "1234/56789" in first
    assert "-ELBO" in second.replace("−", "-")
    assert "64/64 active" in second


def test_an_evaluation_says_what_the_code_tells_where_it_was_taken(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    run = store.create("a", tiny)
    run.write_data(load_dataset(tiny.data))
    progress = TerminalProgress([run])
    older = EvaluationRecord(
        step=100,
        epoch=1,
        kl_per_dimension=[1.0, 1.0],
        mean_second_moment=[0.5, 0.5],
        std_second_moment=[0.5, 0.5],
        distortion=10.0,
        rate=2.0,
        active_units=2,
        examples=1000,
    )
    taken = {"mutual_information": 1.5, "mutual_information_examples": 1000, "permuted_rise": 0.25}
    for record in (older, dataclasses.replace(older, **taken)):  # type: ignore[arg-type]
        progress.report(run, record, Status(state="training", step=100, total_steps=200))
    before, after = capsys.readouterr().out.splitlines()
    assert before.endswith("2 of 2 active")
    assert after == f"{before}, mutual information 1.50 of at most 6.91, rise if z is permuted 0.25 nats"


def test_what_a_code_buys_is_a_table_of_accuracies_with_their_spread() -> None:
    told = {"accuracy": [0.25, 0.5], "spread": [0.125, 0.0625]}
    probe = {
        "factor": "mood",
        "labels": [10, 1_000],
        "majority": 0.2,
        "baseline_input": "bag of words",
        "codes": told,
        "means": told,
        "baseline": told,
    }
    shown = io.StringIO()
    buys = {"accuracy_from_draws": 0.25, "labels_needed": {"mood": probe}, "missing": {}}
    print_evaluation("a", {"test": SPLIT, "training": SPLIT, "buys": buys}, Console(file=shown, width=200))
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    assert "accuracy from draws share of test examples 0.2500" in lines
    assert "1,000 0.500 ± 0.062 0.500 ± 0.062 0.500 ± 0.062" in lines
    assert "whose mood is classified correctly (majority 0.200)" in " ".join(lines)
