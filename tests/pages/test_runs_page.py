"""The table of runs: what is one row of it, and what a row says."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from bnvae.runs import RunStore
from bnvae.sweep import members, method_members
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


def test_a_run_whose_curves_were_changed_afterwards_says_so(runs: RunStore, visit: Visit) -> None:
    history = runs.get("digits-scaler").folder / "history.jsonl"
    content = history.read_bytes()
    place = content.index(b'"loss":') + len(b'"loss":')
    history.write_bytes(content[:place] + b"1" + content[place + 1 :])
    table = visit("runs").dataframe[0].value.set_index("run")
    assert "history.jsonl is not what its training wrote" in table.loc["digits-scaler", "note"]
    others = [note for run, note in table["note"].items() if run != "digits-scaler"]
    assert not any(isinstance(note, str) for note in others)
