"""What the codes of several runs buy: accuracy over labels, causes kept and edits, beside chance."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from bnvae.comparison.columns import MISSING
from bnvae.metrics.downstream.downstream_figures import figures_bought
from bnvae.metrics.figures.figure_values import in_digits, nested, number, values
from pages.components.figure_table import TableColumn, TableRow, figure_table
from pages.shared.code_price import is_plain
from pages.shared.compare.entries import Compared
from pages.shared.notices import say

PER_ROW = 3
INPUT_COLOUR = "#808080"
OF_EDITS = {
    "took": ("took", "share of edits", "high"),
    "took_before": ("before the edit", "share of edits", ""),
    "others_changed": ("others changed", "share of other causes", "low"),
}


def what_it_buys(runs: Sequence[Compared]) -> None:
    """A section for each data set; the command that computes what a run has not."""
    known = [one for one in runs if figures_bought(one.entry.evaluation)]
    without = [one.run.id for one in runs if one not in known and one.run.has_weights]
    if without:
        commands = "\n".join(f"python -m bnvae evaluate {run}" for run in without)
        say("info", "What a code buys is not known of every run here. This computes it:", commands)
    for group in dict.fromkeys(one.entry.group for one in known):
        those = [one for one in known if one.entry.group == group]
        _labels(those, group)
        _causes(those, group)
        _edits(those, group)
        for reason in dict.fromkeys(str(words) for one in those for words in nested(_buys(one), "missing").values()):
            st.caption("Not computed:")
            st.text(reason)


def _buys(one: Compared) -> Mapping[str, Any]:
    return figures_bought(one.entry.evaluation) or {}


def _labels(runs: Sequence[Compared], group: str) -> None:
    """A small chart for each run: draws, means and inputs, and the draws of the plain run."""
    factors = list(dict.fromkeys(name for one in runs for name in nested(_buys(one), "labels_needed")))
    if not factors:
        return
    st.markdown("##### Labels needed")
    factor = factors[0]
    if len(factors) > 1:
        factor = st.segmented_control("Classified", factors, default=factor, key=f"factor-{group}") or factor
    probes = {one.run.id: nested(_buys(one), "labels_needed", factor) for one in runs}
    plain = next((one for one in runs if is_plain(one.config) and probes[one.run.id]), None)
    with_probe = [one for one in runs if probes[one.run.id]]
    for start in range(0, len(with_probe), PER_ROW):
        columns = st.columns(min(PER_ROW, max(2, len(with_probe))), gap="large")
        for column, one in zip(columns, with_probe[start : start + PER_ROW], strict=False):
            with column:
                _chart(
                    one,
                    probes[one.run.id],
                    plain,
                    probes[plain.run.id] if plain else {},
                    key=f"labels-{group}-{factor}",
                )
    st.caption(
        "A linear probe, trained on so many labelled examples; bars are the spread over ten draws of the labels. "
        "Draws are codes as the decoder gets them. Means are scaled before the probe sees them, so those of a "
        "collapsed code may still give the class away."
    )


def _chart(
    one: Compared, probe: Mapping[str, Any], plain: Compared | None, of_plain: Mapping[str, Any], *, key: str
) -> None:
    from bnvae.plotting.plotly_figures import AccuracyLine, labels_needed_figure  # plotly takes a second

    labels, majority = values(probe, "labels"), number(probe, "majority")

    def line(name: str, figures: Mapping[str, Any], kind: str, colour: str, dash: str) -> list[AccuracyLine]:
        accuracy, spread = values(figures, kind, "accuracy"), values(figures, kind, "spread")
        if len(accuracy) != len(labels) or values(figures, "labels") != labels:
            return []
        return [AccuracyLine(name=name, accuracy=accuracy, spread=spread, colour=colour, dash=dash)]

    lines = line("draws of z", probe, "codes", one.colour, "solid")
    lines += line("means", probe, "means", one.colour, "dash")
    lines += line(str(probe.get("baseline_input", "input")), probe, "baseline", INPUT_COLOUR, "dashdot")
    if plain is not None and plain is not one:
        lines += line(f"draws, {plain.run.id}", of_plain, "codes", plain.colour, "solid")
    if not lines or majority is None:
        return
    figure = labels_needed_figure([round(count) for count in labels], lines, majority, one.run.id)
    st.plotly_chart(figure, key=f"{key}-{one.run.id}", config={"displayModeBar": False})


def _causes(runs: Sequence[Compared], group: str) -> None:
    """Shares of each known cause that reconstructions keep, with chance in the row below."""
    names = list(dict.fromkeys(name for one in runs for name in nested(_buys(one), "causes", "causes")))
    if not names:
        return
    st.markdown("##### Causes kept in reconstructions")
    rows = []
    for one in runs:
        causes = nested(_buys(one), "causes")
        shares = [number(causes, "mean"), *(number(causes, "causes", name, "share") for name in names)]
        errors = [
            number(causes, "mean_standard_error"),
            *(number(causes, "causes", name, "standard_error") for name in names),
        ]
        chance = number(causes, "mean_permuted_chance")
        caption = "" if chance is None else f"mean by chance {chance:.2f}"
        rows.append(_row(one, caption, shares, errors))
    _table(f"causes-{group}", ["mean", *names], "share kept", rows, "high")


def _edits(runs: Sequence[Compared], group: str) -> None:
    """What edits of one cause reach, and what else they change."""
    with_edits = [one for one in runs if nested(_buys(one), "edits")]
    if not with_edits:
        return
    st.markdown("##### Edits of one cause")
    names = list(dict.fromkeys(name for one in with_edits for name in nested(_buys(one), "edits", "causes")))
    columns, rows = [], []
    for figure, (title, unit, better) in OF_EDITS.items():
        columns.append(TableColumn(name=figure, title=title, unit=unit, reduction="all causes", better=better))
    columns += [TableColumn(name=name, title=name, unit="took / before", reduction="share of edits") for name in names]
    for one in with_edits:
        edits = nested(_buys(one), "edits")
        shown = [number(edits, figure) for figure in OF_EDITS]
        errors = [number(edits, f"{figure}_standard_error") for figure in OF_EDITS]
        row = _row(one, one.entry.recipe, shown, errors)
        took = [number(edits, "causes", name, "took") for name in names]
        before = [number(edits, "causes", name, "took_before") for name in names]
        pairs = [f"{_words(a)} / {_words(b)}" for a, b in zip(took, before, strict=True)]
        rows.append(
            TableRow(
                title=row.title,
                captions=row.captions,
                colour=row.colour,
                group="",
                values=[*row.values, *took],
                words=[*row.words, *pairs],
                best=[False] * len(columns),
            )
        )
    figure_table(key=f"edits-{group}", columns=columns, rows=rows, label="edits of one cause")
    st.caption("A decoder that ignores its code changes nothing: “took” then equals “before the edit”.")


def _row(one: Compared, caption: str, shares: Sequence[float | None], errors: Sequence[float | None]) -> TableRow:
    words = [_words(share, error) for share, error in zip(shares, errors, strict=True)]
    captions = [caption] if caption else []
    return TableRow(
        title=one.run.id,
        captions=captions,
        colour=one.colour,
        group="",
        values=list(shares),
        words=words,
        best=[False] * len(words),
    )


def _words(value: float | None, error: float | None = None) -> str:
    if value is None:
        return MISSING
    return in_digits(value, 2) + ("" if error is None else f" ± {error:.2f}")


def _table(key: str, names: Sequence[str], unit: str, rows: Sequence[TableRow], better: str) -> None:
    columns = [
        TableColumn(name=name, title=name, unit=unit, reduction="of test sentences", better=better) for name in names
    ]
    figure_table(key=key, columns=columns, rows=rows, label=unit)
