"""Methods at equal rate: which runs lend their points to whose curve, and the table of what each method has there."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import final

import streamlit as st

from bnvae.comparison.columns import BY_NAME, MISSING, estimated_from
from bnvae.comparison.equal_rate import Candidate, Member, RateCurve, Reading, rate_curves, shared_rate
from bnvae.config.display_names import method_words
from bnvae.config.methods import knob_of
from bnvae.metrics.figures.figure_values import in_digits
from bnvae.runs import Run
from bnvae.runs.compare_runs import is_as_configured
from bnvae.runs.groups import group_of
from pages.components.figure_table import TableColumn, TableRow, figure_table
from pages.shared.compare.entries import Compared, compared_beside
from pages.shared.state import store

AT = "at"
NATS = "nats per example"
COLUMNS = {
    "distortion": TableColumn(name="distortion", title="distortion", unit=NATS, reduction="at this rate", better="low"),
    "elbo": TableColumn(name="elbo", title="ELBO", unit=NATS, reduction="−(distortion + rate)", better="high"),
    "nll": TableColumn(name="nll", title="NLL", unit=NATS, reduction="read off likewise", better="low"),
    "mutual_information": TableColumn(
        name="mutual_information", title="mutual information", unit=NATS, reduction="read off likewise", better="high"
    ),
}
OTHERS = ("nll", "mutual_information")


@final
@dataclass(frozen=True, kw_only=True)
class Curves:
    """The curves of a data set, the colour of each, and how many runs beside the chosen ones are on them."""

    curves: Sequence[RateCurve]
    colours: Sequence[str]
    lent: int


def curves_of(runs: Sequence[Compared]) -> Curves:
    """The curves through the chosen runs, all of one data set; members of their sweeps lend further points."""
    mates = _mates(runs)
    entries = [one.entry for one in (*runs, *mates)]
    comparable = len(estimated_from(entries, runs[0].entry.group)) == 1
    found = rate_curves(
        [candidate for one in (*runs, *mates) if (candidate := _candidate(one, nll=comparable)) is not None]
    )
    chosen = {one.run.id: one.colour for one in runs}
    through = [curve for curve in found if any(run in chosen for run in _runs(curve))]
    return Curves(
        curves=through,
        colours=[next(chosen[run] for run in _runs(curve) if run in chosen) for curve in through],
        lent=sum(run not in chosen for curve in through for run in _runs(curve)),
    )


def _runs(curve: RateCurve) -> list[str]:
    return [run for member in curve.members for run in member.runs]


def _mates(runs: Sequence[Compared]) -> list[Compared]:
    """Evaluated members of the chosen runs' sweeps that were not chosen, of the same data."""
    chosen = {one.run.id for one in runs}
    sweeps = {group for one in runs if (group := group_of(one.run)) is not None}
    there = store().groups() if sweeps else {}
    beside: list[Run] = [run for group in sorted(sweeps) for run in there.get(group, []) if run.id not in chosen]
    return [mate for mate in compared_beside(beside) if mate.card.digest == runs[0].card.digest]


def _candidate(one: Compared, *, nll: bool) -> Candidate | None:
    rate, distortion = one.entry.value(BY_NAME["rate"]), one.entry.value(BY_NAME["distortion"])
    if rate is None or distortion is None:
        return None
    others = {name: one.entry.value(BY_NAME[name]) for name in OTHERS if name != "nll" or nll}
    if one.entry.is_capped:
        others.pop("mutual_information")
    strength = knob_of(one.config).of(one.config)
    return Candidate(
        member=Member(
            run=one.run.id,
            strength=strength,
            rate=rate,
            distortion=distortion,
            others={name: value for name, value in others.items() if value is not None},
        ),
        config=one.config,
        title=method_words(one.config),
        alone=not is_as_configured(one.run, one.config),
    )


def choose_rate(curves: Sequence[RateCurve], key: str) -> float | None:
    """The rate at which to compare (nats per example): that of any model on the curves; None for fewer than two."""
    if len(curves) < 2:
        return None
    rates = sorted({member.rate for curve in curves for member in curve.members})
    if len(rates) < 2:
        return None
    start = shared_rate(curves)
    with suppress(ValueError):
        wish = float(st.query_params.get(AT, ""))
        start = min(rates, key=lambda rate: abs(rate - wish))
    rate: float = st.select_slider(
        "Compare at a rate of (nats per example)",
        rates,
        start,
        format_func=lambda rate: f"{rate:.2f}",
        key=f"rate-{key}-{len(rates)}",
        help="Each place is the rate of one of these models.",
    )
    st.query_params[AT] = f"{rate:.4f}"
    return rate


def equal_rate(found: Curves, rate: float, key: str) -> None:
    """A row for each method: what it has at this rate, and which runs that was read from."""
    readings = [curve.at(rate) for curve in found.curves]
    names = [name for name in ("distortion", "elbo", *OTHERS) if any(_value(one, name, rate) for one in readings)]
    figure_table(
        key=f"equal-rate-{key}",
        columns=[COLUMNS[name] for name in names],
        rows=[
            TableRow(
                title=_title(curve, found.curves),
                captions=[_extent(curve), _source(reading)],
                colour=colour,
                group="",
                values=[_value(reading, name, rate) for name in names],
                words=[_words(_value(reading, name, rate)) for name in names],
                best=[_is_best(reading, readings, name, rate) for name in names],
            )
            for curve, colour, reading in zip(found.curves, found.colours, readings, strict=True)
        ],
        sort="distortion",
        label="figures at equal rate",
        rows_are="method",
        star="ahead at this rate, as far as digits are shown: not held against any error",
    )
    st.caption(
        "Between two models of a method its figures are read off the straight line that joins them: what choosing "
        "between the two at random gives. Beyond the ends of a method's models no figure is given. Runs equal but for "
        "their seed are one model, with the mean of their figures; where there is one seed, differences as small as "
        "those between seeds mean nothing."
    )
    if found.lent:
        st.text(f"{found.lent} further runs of these sweeps lend their points to the curves.")
    elif all(len(curve.members) == 1 for curve in found.curves):
        st.text("Each method has one strength here. With --ladder a sweep over methods trains each at four.")


def _title(curve: RateCurve, curves: Sequence[RateCurve]) -> str:
    alike = sum(other.title == curve.title for other in curves) > 1
    return f"{curve.title} · {curve.members[0].run}" if alike else curve.title


def _extent(curve: RateCurve) -> str:
    low, high = curve.extent
    symbol, strengths = curve.knob.symbol, sorted({member.strength for member in curve.members})
    if len(strengths) == 1:
        return f"{symbol} = {strengths[0]:g}: {low:.2f} nats"
    return f"{symbol} {strengths[0]:g} to {strengths[-1]:g}: {low:.2f} to {high:.2f} nats"


def _source(reading: Reading | None) -> str:
    if reading is None:
        return "not known at this rate"
    return f"measured: {reading.runs[0]}" if len(reading.runs) == 1 else f"between {' and '.join(reading.runs)}"


def _value(reading: Reading | None, name: str, rate: float) -> float | None:
    if reading is None:
        return None
    return {"distortion": reading.distortion, "elbo": -(reading.distortion + rate)}.get(name, reading.others.get(name))


def _words(value: float | None) -> str:
    return MISSING if value is None else in_digits(value, 2)


def _is_best(reading: Reading | None, readings: Sequence[Reading | None], name: str, rate: float) -> bool:
    own = _value(reading, name, rate)
    known = [round(value, 2) for one in readings if (value := _value(one, name, rate)) is not None]
    if own is None or len(set(known)) < 2:
        return False
    return round(own, 2) == (min if COLUMNS[name].better == "low" else max)(known)
