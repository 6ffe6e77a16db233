"""What the doctor says of each run: a verdict, its claims, the numbers behind each, and what to try."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.components.assets import joined

_component = st.components.v2.component(
    "bnvae_verdicts", js=joined("chart.js", "verdicts.js"), css=joined("chart.css", "verdicts.css")
)


@dataclass(frozen=True, kw_only=True)
class Claim:
    severity: str
    """bad, note or good"""
    name: str
    words: str
    numbers: Sequence[tuple[str, str]]
    """value with its unit, and what it is"""
    advice: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    title: str
    caption: str
    colour: str
    claims: Sequence[Claim]


def verdicts(*, key: str, runs: Sequence[Verdict]) -> None:
    """Cards side by side, below each other on a phone."""
    sent = [
        {
            "title": run.title,
            "caption": run.caption,
            "colour": run.colour,
            "claims": [{**vars(claim), "numbers": [list(pair) for pair in claim.numbers]} for claim in run.claims],
        }
        for run in runs
    ]
    _component(key=key, data={"runs": sent})
