"""What runs gain and pay, as cards: a bar from 0 to 1 for each run, with marks for chance and what needs no model."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.components.assets import joined

_component = st.components.v2.component(
    "bnvae_gains", js=joined("chart.js", "gains.js"), css=joined("chart.css", "gains.css")
)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One run's share, or words alone."""

    name: str
    colour: str
    words: str
    share: float | None = None
    """length of the bar (fraction); None for no bar"""
    marks: Sequence[tuple[float, str]] = ()
    """places on the bar (fraction), each with its words"""
    group: str = ""
    """bars of a group stand together under it, low, and the runs are named once above all groups"""


@dataclass(frozen=True, kw_only=True)
class Gain:
    """One card."""

    title: str
    caption: str
    bars: Sequence[Bar]
    note: str = ""


def gains(*, key: str, cards: Sequence[Gain]) -> None:
    """Cards side by side, below each other on a phone.

    Raises:
        ValueError: a share or a mark is not from 0 to 1.
    """
    for card in cards:
        for bar in card.bars:
            for place in (bar.share, *(at for at, _ in bar.marks)):
                if place is not None and not 0 <= place <= 1:
                    raise ValueError(f"{card.title}: {bar.name} has {place!r} on its bar: give a share from 0 to 1.")
    _component(
        key=key,
        data={
            "cards": [
                {
                    **vars(card),
                    "bars": [{**vars(bar), "marks": [list(mark) for mark in bar.marks]} for bar in card.bars],
                }
                for card in cards
            ]
        },
    )
