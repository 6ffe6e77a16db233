"""Finding examples: by index, label, known cause or word."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from bnvae.runs import Run
from pages.components.latent_scatter import View
from pages.shared.map import cache as map_cache

LONGEST_SEARCH = 200
WANTED = "_map_wanted"
HELP = "#41 is example 41; a label; a known cause as name=value; else a word of the sentence."


def search(run: Run, key: str) -> None:
    """A field; what it finds is chosen on the map of this key."""

    def find() -> None:
        text = str(st.session_state.get("map-search", ""))
        rows = found(run, text)
        st.session_state["_map_found"] = (text, len(rows))
        if rows:
            pick = {"example": rows[0]} if len(rows) == 1 else None
            wanted = View(pick=pick, lasso=[] if pick else rows, id=f"search {text[:60]} {len(rows)}")
            st.session_state.setdefault(WANTED, {})[key] = wanted

    st.text_input("Find", key="map-search", on_change=find, placeholder="#41, a label, a word", help=HELP)
    told = st.session_state.get("_map_found")
    if told and told[0].strip() and not told[1]:
        st.caption("No example fits this search.")


def found(run: Run, text: str) -> list[int]:
    """Indices of the examples that the words fit; the first kind that knows them decides."""
    wanted = text.strip().casefold()[:LONGEST_SEARCH]
    encoded = map_cache.encoded(run)
    if not wanted:
        return []
    if wanted.startswith("#"):
        return _index(wanted[1:], len(encoded))
    names = [name.casefold() for name in encoded.label_names]
    if wanted in names:
        return _rows(encoded.labels.numpy() == names.index(wanted))
    return _by_cause(run, wanted) or _by_word(run, wanted) or _index(wanted, len(encoded))


def _index(text: str, count: int) -> list[int]:
    number = int(text) if text.strip().isdecimal() and len(text) < 10 else count
    return [number] if number < count else []


def _by_cause(run: Run, wanted: str) -> list[int]:
    mapped = map_cache.mapped(run)
    if mapped is None:
        return []
    cause, _, value = wanted.rpartition("=")
    for name, factor in mapped.factors.items():
        values: Sequence[str] = [one.casefold() for one in factor.names]
        if cause in ("", name.casefold()) and value in values:
            return _rows(factor.values.numpy() == values.index(value))
    return []


def _by_word(run: Run, wanted: str) -> list[int]:
    sentences = map_cache.sentences(run) or []
    padded = (f" {sentence.casefold()} " for sentence in sentences)
    return [row for row, sentence in enumerate(padded) if wanted in sentence]


def _rows(fits: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> list[int]:
    return [int(row) for row in np.flatnonzero(fits)]
