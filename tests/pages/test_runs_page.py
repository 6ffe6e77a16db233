"""The table of runs: what is one row of it, and what a row says."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bnvae.jobs.sweep_members import members, method_members
from bnvae.runs import Run, RunStore
from bnvae.runs.progress import checkpoint
from bnvae.runs.progress.history import HISTORY
from pages.shared.cache import history_doubt
from pages.shared.runs.table import _row
from tests.pages.reading import small

Visit = Callable[..., AppTest]


def test_a_sweep_is_one_row_that_says_how_far_it_is(runs: RunStore, visit: Visit) -> None:
    alone = {run.id for run in runs.runs()}
    members(runs, "s", small("digits", "rms-scaler", 3), [0.1, 0.5, 0.9])

    table = visit("runs").dataframe[0].value.set_index("run")

    assert set(table.index) == alone | {"sweep s"}
    assert table.loc["sweep s", "state"] == "0 of 3 finished"
    assert table.loc["sweep s", "data"] == "digits"


def test_a_sweep_over_methods_is_one_row_without_a_head_of_its_own(runs: RunStore, visit: Visit) -> None:
    method_members(runs, "m", small("digits", "rms-scaler", 3), ["none", "bn-mean"])
    table = visit("runs").dataframe[0].value.set_index("run")
    assert table.loc["sweep m", "note"] == "one run for each method"
    assert not isinstance(table.loc["sweep m"].get("head"), str)


def change_a_digit(run: Run) -> None:
    history = run.folder / HISTORY
    content = history.read_bytes()
    place = content.index(b'"loss":') + len(b'"loss":')
    history.write_bytes(content[:place] + b"1" + content[place + 1 :])


def test_a_run_whose_curves_were_changed_afterwards_says_so(runs: RunStore, visit: Visit) -> None:
    change_a_digit(runs.get("digits-scaler"))
    table = visit("runs").dataframe[0].value.set_index("run")
    assert "history.jsonl is not what its training wrote" in table.loc["digits-scaler", "note"]
    others = [note for run, note in table["note"].items() if run != "digits-scaler"]
    assert not any(isinstance(note, str) for note in others)


def test_a_sweep_says_which_member_has_changed_curves(runs: RunStore, visit: Visit) -> None:
    made = members(runs, "s", small("digits", "rms-scaler", 3), [0.1, 0.9])
    for run in made:
        for name in (HISTORY, *checkpoint.MANIFESTS):
            if (runs.root / "digits-scaler" / name).exists():
                shutil.copyfile(runs.root / "digits-scaler" / name, run.folder / name)
    change_a_digit(made[1])
    note = visit("runs").dataframe[0].value.set_index("run").loc["sweep s", "note"]
    assert note.startswith(f"one run for each τ. {made[1].id}/history.jsonl is not what its training wrote")


def test_a_passing_read_error_is_said_once_and_forgotten(runs: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run, real = runs.get("digits-scaler"), Path.open

    def failing(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == HISTORY:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))
        return real(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", failing)
        assert history_doubt(run) == f"digits-scaler/history.jsonl cannot be read ({os.strerror(errno.EIO)})."
    assert history_doubt(run) == ""


def test_a_run_that_is_deleted_while_the_table_is_made_does_not_fail_it(runs: RunStore) -> None:
    run = runs.get("digits-scaler")
    shutil.rmtree(run.folder)
    assert history_doubt(run) == ""
    assert _row(run)["state"] == "broken"
