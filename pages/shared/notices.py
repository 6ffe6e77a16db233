"""One box for what went wrong or is missing: a sentence of ours, and under it words that may come from a file."""

from typing import TYPE_CHECKING, Literal

import streamlit as st

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

Kind = Literal["error", "warning", "info", "success"]

# What a file or a stranger wrote stays out of an alert, which reads Markdown. Without these rules, as in a page's first
# moment, it is a frame around both.
_BOX = (
    '[data-testid="stVerticalBlock"]:has(> :first-child > [data-testid="stAlert"])'
    ':has(> :nth-child(2) > [data-testid="stText"])'
    ':is(:has(> :nth-child(2):last-child), :has(> :nth-child(3):last-child > [data-testid="stButton"]))'
)
STYLE = f"""
<style>
  {_BOX} {{
    padding: 0; overflow: hidden;
    & [data-testid="stAlertContainer"] {{ border-radius: 0; padding-top: 0.6rem; padding-bottom: 0.6rem; }}
    & [data-testid="stText"] {{ padding: 0.6rem 1rem 0.7rem; overflow-wrap: anywhere; }}
    & [data-testid="stButton"] {{ padding: 0 1rem 0.8rem; }}
  }}
</style>
"""


def say(kind: Kind, words: str, detail: str, place: "DeltaGenerator | None" = None) -> "DeltaGenerator":
    """`words` are Markdown and ours; `detail` is shown letter for letter, whatever it is.

    The box is returned: a button that helps may be put into it.
    """
    box = (place or st).container(border=True, gap=None)
    getattr(box, kind)(words)
    box.text(detail)
    return box


def say_failed(error: Exception) -> None:
    """Why what was asked for by a press did not come about."""
    say("error", "That did not work:", str(error))
