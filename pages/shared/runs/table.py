"""The table of runs and sweeps, one of which can be chosen."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from bnvae.config.display_names import HEAD_NAMES, data_title, head_words
from bnvae.config.schema import SCALED, RunConfig
from bnvae.jobs.launch import state
from bnvae.runs import Run
from bnvae.runs.groups import differ_in_tau_alone, group_of, groups, sweep_words
from pages.shared.cache import history_doubt, version
from pages.shared.frame import say_sideways
from pages.shared.links import TRAIN, link_to
from pages.shared.words import ACTIVE_UNITS

LARGEST_FIGURE = 1e12
COLUMNS = ("run", "state", "data", "head", "tau", "dimensions", "ELBO", "rate", "active units", "note")


def run_table(runs: Sequence[Run]) -> Sequence[Run]:
    """All runs with their figures on test examples, a sweep as one row; the run, or the sweep's, that is ticked."""
    if not runs:
        st.info("There are no runs yet. Train one, or bring one in below.")
        link_to(TRAIN, {}, "Train a pair")
        return ()
    # In the order of their making: sorted by change, a run that trains would move under the tick.
    runs = sorted(runs, key=lambda run: (version(run, "config.json"), run.id), reverse=True)
    sweeps = groups(runs)
    entries: dict[str, Sequence[Run]] = {}
    for run in runs:
        group = group_of(run)
        entries[run.id if group is None else f"sweep {group}"] = (run,) if group is None else sweeps[group]
    rows = [_row(entry[0]) if len(entry) == 1 else _sweep_row(name, entry) for name, entry in entries.items()]
    event: Any = st.dataframe(
        rows,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        # A tick is the number of a row: in another list it would mean another run.
        key="table-" + ",".join(entries),
        placeholder="",
        column_order=COLUMNS,
        column_config={
            "ELBO": st.column_config.NumberColumn(
                "test ELBO (nats)", format="%.2f", help="per example, higher is better"
            ),
            "rate": st.column_config.NumberColumn("test rate (nats)", format="%.2f", help="total KL per example"),
            "tau": st.column_config.NumberColumn("τ", format="%.2f"),
            "active units": st.column_config.NumberColumn(help=f"{ACTIVE_UNITS} On test examples."),
        },
    )
    say_sideways("runs")
    chosen: list[int] = event.selection.rows
    if not chosen:
        st.caption("Tick a row to open, rename, download or delete its run.")
        return ()
    return list(entries.values())[chosen[0]]


def _sweep_row(name: str, members: Sequence[Run]) -> dict[str, Any]:
    first, over_tau = _row(members[0]), differ_in_tau_alone(members)
    states = [state(run) for run in members]
    doubts = (history_doubt(run) for run, status in zip(members, states, strict=True) if not status.alive)
    doubt = next(filter(None, doubts), "")
    finished = sum(status.state == "finished" for status in states)
    return {
        "run": name,
        "state": f"{finished} of {len(members)} finished",
        **{column: first.get(column) for column in ("data", "dimensions")},
        **({"head": first.get("head")} if over_tau else {}),
        "note": ". ".join(filter(None, (sweep_words(members), doubt))),
    }


def _row(run: Run) -> dict[str, Any]:
    status = state(run)
    row: dict[str, Any] = {"run": run.id, "state": status.state}
    note = status.message if status.state in ("failed", "interrupted", "broken") else None
    if not status.alive:  # of one that trains, what was read of its files a moment apart need not fit
        note = note or history_doubt(run) or None
    try:
        config, evaluation = run.config, run.evaluation() or {}
    except ValueError as error:
        return row | {"state": "broken", "note": str(error)}
    test = evaluation.get("test", {})
    return (
        row
        | {
            "data": data_title(config),
            "head": head_words(config) if config.is_brought else _head(config),
            "tau": config.model.tau if config.model.head in SCALED else None,
            "dimensions": config.model.latent_dimensions,
            "ELBO": _number(test.get("elbo")),
            "rate": _number(test.get("rate")),
            "active units": _number(test.get("active_units")),
        }
        | ({"note": note} if note else {})
    )


def _head(config: RunConfig) -> str:
    return HEAD_NAMES[config.model.head] + (", every τ" if config.model.amortised else "")


def _number(value: object) -> float | None:
    """The value if it is a number that a table can hold; the file may be a stranger's."""
    return value if isinstance(value, (int, float)) and abs(value) < LARGEST_FIGURE else None
