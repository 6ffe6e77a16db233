"""The loss of each run as this project counts it, and as others do."""

from collections.abc import Sequence

import streamlit as st

from bnvae.comparison.columns import BY_NAME
from bnvae.comparison.conventions import CONVENTIONS_BY_NAME, Convention, LedgerLine, equivalent_beta, ledger
from bnvae.metrics.figures.figure_values import in_digits
from pages.shared.compare.entries import Compared

NEXT_TO_NOTHING = 1e-3


def loss_ledger(runs: Sequence[Compared]) -> None:
    """A switch between conventions, and the same losses in each; a table for each data set."""
    chosen = st.selectbox("Counted as", list(CONVENTIONS_BY_NAME), key="convention", bind="query-params")
    convention = CONVENTIONS_BY_NAME[chosen]
    st.text(f"Used by {convention.used_by}. {convention.remark}")
    for group in {one.entry.group: None for one in runs}:
        books = [(one, lines) for one in runs if one.entry.group == group and (lines := _lines(convention, one))]
        if books:
            st.text(group)
            st.dataframe(_rows(convention, books), hide_index=True, width="stretch")
    if any(one.config.source == "arrays" for one in runs):
        st.info("Arrays alone have no loss to count: its distortion takes the decoder.")
    st.caption(
        "Of test examples, in eval mode; the loss without free bits. The balance is what a sum-reduced loss calls β."
    )


def _lines(convention: Convention, one: Compared) -> list[LedgerLine]:
    rate, cost = one.entry.value(BY_NAME["rate"]), one.entry.value(BY_NAME["distortion"])
    return [] if rate is None or cost is None else ledger(convention, cost, rate, one.sizes)


def _rows(convention: Convention, books: Sequence[tuple[Compared, list[LedgerLine]]]) -> list[dict[str, str]]:
    rows = []
    for parts in zip(*(lines for _, lines in books), strict=True):
        line = parts[0]
        row = {"number": line.figure}
        row |= {one.run.id: _value(part.value) for (one, _), part in zip(books, parts, strict=True)}
        weights = list(dict.fromkeys(part.weight for part in parts))
        row |= {"unit": line.unit, "sum or mean over": line.over, "weight in the loss": " / ".join(weights)}
        rows.append(row | {"sign": line.sign, "definition": line.definition})
    balance = {one.run.id: f"{equivalent_beta(convention, one.sizes):.4g}" for one, _ in books}
    last = dict.fromkeys(rows[0], "") | {"number": "balance β", **balance, "unit": "no unit"}
    return [*rows, last | {"definition": "weight of the rate, were both summed"}]


def _value(value: float) -> str:
    digits = 5 if abs(value) < 1 else 3
    if 0 < abs(value) < NEXT_TO_NOTHING:
        return f"{value:.2e}".replace("-", "−")
    return in_digits(value, digits)
