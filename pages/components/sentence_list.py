"""Sentences from a model or a user as numbered text nodes: whatever they contain is shown, never interpreted."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.components.assets import joined

_component = st.components.v2.component(
    "bnvae_sentence_list",
    js=joined("chart.js", "sentence_rows.js", "sentence_list.js"),
    css=joined("chart.css", "sentence_list.css"),
)


def sentence_columns(*, key: str, columns: Mapping[str, Sequence[str]], label: str = "sentences") -> None:
    """Lists under their titles side by side, row by row level with each other; `label` is for screen readers.

    Sentences are numbered from 1; one without a visible character is shown as a dim "(empty)".
    """
    _component(key=key, data=table(columns, label=label))


def table(columns: Mapping[str, Sequence[str]], *, label: str) -> dict[str, Any]:
    """What the browser draws of lists side by side."""
    lists = [{"title": title, "sentences": list(sentences)} for title, sentences in columns.items()]
    return {"columns": lists, "label": label}
