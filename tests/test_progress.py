"""What a terminal shows, at the widths that terminals have."""

import io
from typing import Any

import pytest
from rich.console import Console

from bnvae.config import RunConfig
from bnvae.progress import TerminalProgress, print_runs
from bnvae.records import StepRecord
from bnvae.runs import RunStore, Status
from bnvae.worker import describe

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
