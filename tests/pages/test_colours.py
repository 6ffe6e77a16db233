"""A run's colour is the same wherever it is shown beside the same others."""

import pytest
from streamlit.testing.v1 import AppTest

from bnvae.plotting.palette import HEAD_COLOURS
from bnvae.runs import RunStore
from tests.pages.reading import small


def coloured(runs: RunStore, chosen: list[str], asked: str) -> str:
    """The colour of a run among those chosen, as a page asks for it."""

    def page(run_id: str) -> None:
        import streamlit as st

        from pages.shared.colours import colour_of
        from pages.shared.state import store

        st.text(colour_of(store().get(run_id)))

    shown = AppTest.from_function(page, args=(asked,), default_timeout=60)
    shown.query_params["runs"] = chosen
    shown.run()
    assert not shown.exception
    return str(shown.text[0].value)


@pytest.fixture
def alike(empty: RunStore) -> RunStore:
    for name in ("one", "two", "three"):
        empty.create(name, small("digits", "rms-scaler", 4))
    empty.create("plain", small("digits", "gaussian", 4))
    return empty


def test_runs_with_the_same_head_are_told_apart(alike: RunStore) -> None:
    chosen = ["plain", "one", "two", "three"]
    found = [coloured(alike, chosen, run_id) for run_id in chosen]
    assert found[:2] == [HEAD_COLOURS["gaussian"], HEAD_COLOURS["rms-scaler"]]
    assert len(set(found)) == 4


def test_a_run_that_was_not_chosen_looks_like_none_that_was(alike: RunStore) -> None:
    assert coloured(alike, ["one"], "two") != coloured(alike, ["one"], "one")


def test_a_run_that_cannot_be_read_costs_no_page_its_colours(alike: RunStore) -> None:
    (alike.root / "two" / "config.json").write_text("{")
    assert coloured(alike, ["two", "gone", "../one", "one"], "one") == HEAD_COLOURS["rms-scaler"]
    assert coloured(alike, ["two", "one"], "two")
