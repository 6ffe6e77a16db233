"""The charts of a comparison: rate against distortion, KL in small multiples, curves of several runs in one."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from bnvae.comparison.columns import BY_NAME
from bnvae.metrics.figures.figure_values import values
from bnvae.runs.progress.step_times import seconds_at
from bnvae.training.records import Record
from pages.components.curves import Series, curves
from pages.components.kl_bars import kl_bars
from pages.shared import cache
from pages.shared.code_price import entropy_level, entropy_of
from pages.shared.compare.entries import Compared, floors_of_figures
from pages.shared.compare.equal_rate import choose_rate, curves_of, equal_rate
from pages.shared.notices import say
from pages.shared.panels import say_broken
from pages.shared.words import ACTIVE_UNITS, HEAD_FLOORS, forced_words

QUANTITIES: dict[str, tuple[str, Callable[[Record], float | None]]] = {
    "−ELBO": ("nats per example, lower is better", lambda record: -record.elbo),
    "distortion": ("nats per example, lower is better", lambda record: record.distortion),
    "rate": ("nats per example", lambda record: record.rate),
    "active units": ("dimensions", lambda record: float(record.active_units)),
    "mutual information": ("nats, at most ln N", lambda record: getattr(record, "mutual_information", None)),
    "rise if z permuted": ("nats per example", lambda record: getattr(record, "permuted_rise", None)),
}
OF_EVALUATIONS = ("mutual information", "rise if z permuted")
"""taken at evaluations, of test examples; the others are of training batches"""
AXES = {"steps": "step", "epochs": "epoch", "seconds": "seconds of training, without pauses"}
"""each with the words under the axis"""
PER_ROW = 3


def rate_distortion(runs: Sequence[Compared]) -> None:
    """A chart for each data set, nearer to the lower left is better, and what each method has at one rate."""
    from bnvae.plotting.plotly_figures import RateLine, RatePoint, rate_distortion_figure  # plotly takes a second

    for group in {one.entry.group: None for one in runs}:
        those = [one for one in runs if one.entry.group == group]
        points = [
            RatePoint(name=one.run.id, rate=rate, distortion=cost, colour=one.colour)
            for one in those
            if (rate := one.entry.value(BY_NAME["rate"])) is not None
            and (cost := one.entry.value(BY_NAME["distortion"])) is not None
        ]
        if not points:
            if all(one.config.source == "arrays" for one in those):
                say("info", "Arrays alone have a rate and no distortion: that takes the decoder.", group)
            else:
                say("info", "No figures of test examples yet on this data.", group)
            continue
        found = curves_of(those)
        rate = choose_rate(found.curves, group)
        lines = [
            RateLine(name=curve.title, points=[(one.rate, one.distortion) for one in curve.members], colour=colour)
            for curve, colour in zip(found.curves, found.colours, strict=True)
            if len(curve.members) > 1
        ]
        figure = rate_distortion_figure(points, group, lines=lines, at=rate)
        st.plotly_chart(figure, key=f"rd-{group}", config={"displayModeBar": False})
        if rate is not None:
            equal_rate(found, rate, group)


def kl_multiples(runs: Sequence[Compared]) -> None:
    """KL of each dimension on test examples, all on one scale."""
    by_size = st.toggle("Largest first", key="sorted", bind="query-params")
    for start in range(0, len(runs), PER_ROW):
        for column, one in zip(st.columns(PER_ROW, gap="large"), runs[start : start + PER_ROW], strict=False):
            with column:
                _bars(one, by_size=by_size)


def _bars(one: Compared, *, by_size: bool) -> None:
    kl = values(one.entry.evaluation, "test", "kl_per_dimension")
    fixed = floors_of_figures(one.config, one.entry.evaluation)
    fits = kl and fixed is not None and len(fixed) == len(kl)
    kl_bars(
        key=f"compare-kl-{one.run.id}",
        kl=kl or None,
        fixed_floor=fixed if fits else None,
        title=one.run.id,
        caption=one.entry.recipe,
        told=one.use.words,
        colour=one.colour,
        scale_group="compare",
        sort=by_size,
        fixed_floor_label=HEAD_FLOORS.get(one.config.model.head, ""),
        height_px=190,
        y_max=0.1,
    )


def compare_curves(runs: Sequence[Compared]) -> None:
    """One quantity over one axis, a chart for each data set with a curve for each run."""
    first, second = st.columns(2)
    quantity = first.segmented_control("Curve", list(QUANTITIES), key="curve", bind="query-params", default="−ELBO")
    axis = second.segmented_control("Over", list(AXES), key="over", bind="query-params", default="steps")
    axis, quantity = axis or "steps", quantity or "−ELBO"
    tracks = [
        _Track(one, records, place)
        for one in runs
        if (records := _records(one, quantity)) and (place := _place(one, records, axis)) is not None
    ]
    if quantity == "active units" and any(forced_words(one.config) for one in runs):
        st.info(ACTIVE_UNITS)
    if len(tracks) < len(runs) and axis == "seconds":
        st.info("Seconds are known of runs trained here, and not of those that were bundled or brought in.")
    elif not tracks:
        st.info("None of these runs has a history of this quantity.")
    for group in {track.one.entry.group: None for track in tracks}:
        _chart(group, [track for track in tracks if track.one.entry.group == group], quantity, axis)


class _Track(NamedTuple):
    one: Compared
    records: list[Record]
    place: np.ndarray
    """of each record on the axis"""


def _place(one: Compared, records: list[Record], axis: str) -> np.ndarray | None:
    if axis == "epochs":
        return np.array([record.epoch for record in records])
    numbers = [record.step for record in records]
    return seconds_at(one.run.folder, numbers) if axis == "seconds" else np.array(numbers, dtype=float)


def _records(one: Compared, quantity: str) -> list[Record]:
    """Those that have the quantity."""
    _, read = QUANTITIES[quantity]
    try:
        history = cache.history(one.run, one.config.model.latent_dimensions)
        records: Sequence[Record] = history.evaluations if quantity in OF_EVALUATIONS else history.steps
        return [record for record in records if read(record) is not None]
    except ValueError as error:
        say_broken(one.run, error)
        return []


def _chart(group: str, tracks: Sequence[_Track], quantity: str, axis: str) -> None:
    unit, read = QUANTITIES[quantity]
    examples = "test examples" if quantity in OF_EVALUATIONS else "training batches"
    shared = np.unique(np.concatenate([track.place for track in tracks]))
    curves(
        key=f"compare-{group}-{quantity}-{axis}",
        x=shared.tolist(),
        series=[
            Series(
                name=track.one.run.id,
                values=_at(shared, track.place, np.array([read(record) for record in track.records], float)).tolist(),
                colour=track.one.colour,
            )
            for track in tracks
        ],
        x_label=AXES[axis],
        y_label=unit,
        title=f"{quantity} of {examples} · {group.split(' · ')[0]}",
        levels=entropy_level(entropy_of(tracks[0].one.run)) if quantity == "−ELBO" else (),
        height_px=320,
    )


def _at(shared: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A run's values at the steps of all runs: linear between its own, nothing beyond its ends."""
    values_at: np.ndarray = np.interp(shared, x, y, left=np.nan, right=np.nan)
    return values_at
