"""The table of runs, one of which can be chosen."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from bnvae.config import SCALED
from bnvae.launcher import state
from bnvae.runs import Run
from pages.shared.words import HEAD_NAMES


def run_table(runs: Sequence[Run]) -> Run | None:
    """All runs with their figures on test examples; the one whose row is ticked."""
    if not runs:
        st.info("There are no runs yet. Train one, or bring one in below.")
        st.page_link("pages/train.py", label="Train a pair", icon=":material/play_circle:")
        return None
    event: Any = st.dataframe(
        [_row(run) for run in runs],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="run-table",
        column_config={
            "ELBO": st.column_config.NumberColumn("ELBO", format="%.2f", help="nats per example, higher is better"),
            "rate": st.column_config.NumberColumn("rate", format="%.2f", help="total KL, nats per example"),
            "tau": st.column_config.NumberColumn("τ", format="%.2f"),
        },
    )
    rows: list[int] = event.selection.rows
    if not rows:
        st.caption("Tick a row to open, rename, download or delete its run.")
        return None
    return runs[rows[0]]


def _row(run: Run) -> dict[str, Any]:
    row: dict[str, Any] = {"run": run.id, "state": state(run).state}
    try:
        config, evaluation = run.config, run.evaluation() or {}
    except ValueError as error:
        return row | {"state": "broken", "data": str(error)}
    test = evaluation.get("test", {})
    return row | {
        "data": config.data.name,
        "head": HEAD_NAMES[config.model.head],
        "tau": config.model.tau if config.model.head in SCALED else None,
        "dimensions": config.model.latent_dimensions,
        "ELBO": test.get("elbo"),
        "rate": test.get("rate"),
        "active units": test.get("active_units"),
    }
