"""Runs side by side in figures: a table, the doctor's verdicts, charts, and the loss as others count it."""

import streamlit as st

from pages.shared.compare.buys import what_it_buys
from pages.shared.compare.charts import compare_curves, kl_multiples, rate_distortion
from pages.shared.compare.entries import compared
from pages.shared.compare.evaluating import evaluate_more
from pages.shared.compare.ledger import loss_ledger
from pages.shared.compare.table import compare_differences, compare_table, doctor, downloads
from pages.shared.frame import frame
from pages.shared.panels import readable
from pages.shared.state import choose_runs
from pages.shared.train.method_sweep import follow_methods

MOST = 12
VIEWS = {
    "Verdict": doctor,
    "What it buys": what_it_buys,
    "Differences": compare_differences,
    "Rate and distortion": rate_distortion,
    "KL": kl_multiples,
    "Curves": compare_curves,
    "Loss ledger": loss_ledger,
    "Take home": downloads,
}

frame("Compare", "Which model is better, by which figure, and does its code carry anything?")

chosen = choose_runs(brought=True, most=MOST)
runs = compared(readable(chosen))
follow_methods(chosen)
if runs:
    compare_table(runs)
    evaluate_more(runs)
    shown = st.tabs(list(VIEWS), key="view", bind="query-params", on_change="rerun")
    for tab, show in zip(shown, VIEWS.values(), strict=True):
        if tab.open:
            with tab:
                show(runs)
