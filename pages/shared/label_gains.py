"""The card of accuracies from few labels: every factor that all runs on show were evaluated for."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from bnvae.config.schema import RunConfig
from bnvae.metrics.downstream.downstream_figures import ShownProbe, shown_probes
from bnvae.metrics.figures.figure_values import in_digits
from bnvae.runs import Run
from pages.components.gains import Bar, Gain
from pages.shared.colours import colour_of

Probed: TypeAlias = tuple[Run, dict[str, ShownProbe]]
Kind: TypeAlias = tuple[str, float]
"""factor and number of labels"""


def label_gains(found: Sequence[tuple[Run, RunConfig, Mapping[str, Any]]]) -> Gain:
    """A bar for each factor and run; what not every run has is named and not drawn.

    Accuracies stand beside each other where factor and number of labels are the same: for the first run that has any,
    and for those that share one with it.
    """
    probed = [(run, probes) for run, _, figures in found if (probes := shown_probes(figures))]
    alike = [one for one in probed if _kinds(one) & _kinds(probed[0])]
    shared = [
        (name, probe.labels)
        for name, probe in (alike[0][1] if alike else {}).items()
        if all((name, probe.labels) in _kinds(one) for one in alike)
    ]
    if not shared and alike:  # one shares this factor with the first, another that one
        alike = alike[:1]
        shared = [(name, probe.labels) for name, probe in alike[0][1].items()]
    names = [name for name, _ in shared]
    counts = {f"{labels:,.0f}" for _, labels in shared}
    return Gain(
        title=f"Accuracy from {' or '.join(sorted(counts))} labels" if counts else "Accuracy from few labels",
        caption=f"How often a linear probe on draws of z names the {_listed(names)}, ± spread over draws of labels.",
        bars=[_bar(run, name, probes[name], grouped=len(names) > 1) for name in names for run, probes in alike],
        note=" ".join(_notes(probed, alike, names)),
    )


def _kinds(one: Probed) -> set[Kind]:
    return {(name, probe.labels) for name, probe in one[1].items()}


def _bar(run: Run, name: str, probe: ShownProbe, *, grouped: bool) -> Bar:
    marks = [(probe.majority, "commonest class"), (probe.baseline, f"{probe.baseline_input}, without a code")]
    spread = "" if probe.spread is None else f" ± {100 * probe.spread:.1f}"
    return Bar(
        name=run.id,
        colour=colour_of(run),
        words=f"{percent(probe.accuracy)}{spread}",
        share=probe.accuracy,
        marks=[(share, words) for share, words in marks if share is not None],
        group=name if grouped else "",
    )


def _notes(probed: Sequence[Probed], alike: Sequence[Probed], names: Sequence[str]) -> list[str]:
    """What the marks are, factor by factor, and what was left out."""
    found = []
    if alike:
        shown = [alike[0][1][name] for name in names]
        inputs = dict.fromkeys(probe.baseline_input for probe in shown)
        marks = [
            f"{words} {', '.join(percent(share) for share in shares if share is not None)}"
            for words, shares in (
                ("commonest class", [probe.majority for probe in shown]),
                (f"{' or '.join(inputs)}, without a code,", [probe.baseline for probe in shown]),
            )
            if any(share is not None for share in shares)
        ]
        if marks:
            found.append(f"Marks{', in this order' if len(names) > 1 else ''}: {'; '.join(marks)}.")
    if part := [name for name in dict.fromkeys(name for _, probes in alike for name in probes) if name not in names]:
        found.append(f"Not evaluated of all runs, and so not shown: {', '.join(part)}.")
    shown_runs = {run for run, _ in alike}
    if others := [run.id for run, _ in probed if run not in shown_runs]:
        found.append(f"Evaluated with other labels, and so not shown: {', '.join(others)}.")
    return found


def _listed(names: Sequence[str]) -> str:
    """As in: the mood, place and who; "label" for none."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or "label"


def percent(share: float) -> str:
    return f"{in_digits(100 * share, 0)} %"
