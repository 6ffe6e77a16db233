"""The Your own tab: draw, upload or type, and see what each run reads, makes of it, and where it places it."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from bnvae.config.schema import RunConfig
from bnvae.latent.interpolation import distance_to_data
from bnvae.metrics.word_diff import Marked, marked
from bnvae.runs import Run
from pages.components.drawing_pad import drawing_pad
from pages.components.exhibits import exhibits
from pages.components.kl_bars import kl_bars
from pages.shared import cache
from pages.shared.colours import colour_of
from pages.shared.explore import cache as explore_cache
from pages.shared.explore.place import show_place
from pages.shared.explore.start import (
    DRAWING,
    PICTURE,
    SENTENCE,
    UPLOADED,
    Start,
    example_words,
    has_own,
    original,
    own_start,
    shown,
)
from pages.shared.map import cache as map_cache
from pages.shared.mode import may_change
from pages.shared.notices import say
from pages.shared.panels import say_broken
from pages.shared.told_again import pair_of
from pages.shared.words import caption_words

DRAW, UPLOAD = "Draw", "Upload a picture"
PICTURE_KINDS = ["png", "jpg", "jpeg", "webp", "bmp", "gif"]
MOST_LETTERS = 100_000
MORE = {"Traverse": ("Traverse it", "own_example"), "Interpolate": ("Go from it", "own_from")}
"""what other tabs do with one's own: the words of the button, and the tick that makes the tab do it"""


def show_own(found: Sequence[tuple[Run, RunConfig]]) -> None:
    """The input, and beside it what each run makes of it."""
    kinds = {config.data.modality for _, config in found}
    left, right = st.columns([1, 3], gap="large")
    with left:
        if "image" in kinds:
            _picture_input()
        if "text" in kinds:
            _sentence_input()
        if has_own():
            for column, (name, (words, tick)) in zip(st.columns(len(MORE)), MORE.items(), strict=True):
                column.button(words, key=f"go-{tick}", on_click=_go, args=(name, tick), width="stretch")
    with right:
        for column, (run, config) in zip(st.columns(len(found), gap="large"), found, strict=True):
            with column:
                _result(run, config, [other for other, its in found if its.data == config.data])


def _picture_input() -> None:
    how = DRAW if may_change() else None
    if how:
        how = st.segmented_control("Input", [DRAW, UPLOAD], default=DRAW, key="own_input", label_visibility="collapsed")
    uploads = how == UPLOAD
    st.session_state[UPLOADED] = uploads
    if uploads:
        upload = st.file_uploader("A picture, at most 16 MB", PICTURE_KINDS, key="own_upload")
        st.session_state[PICTURE] = None if upload is None else (upload.name, upload.getvalue())
    else:
        st.session_state[DRAWING] = drawing_pad(
            key="own_pad", drawing=st.session_state.get(DRAWING, ""), label="A pad to draw on"
        )


def _sentence_input() -> None:
    typed = st.text_input(
        "A sentence",
        st.session_state.get(SENTENCE, ""),
        key="own_text",
        placeholder="the happy fox baked a honey cake .",
    )
    st.session_state[SENTENCE] = typed[:MOST_LETTERS]


def _result(run: Run, config: RunConfig, alike: list[Run]) -> None:
    """What one run makes of the input; the maps of runs that are `alike` in their data have the same colours."""
    text = config.data.modality == "text"
    try:
        cache.model(run)
        posterior, _ = explore_cache.encodings(run)
        means, typical = posterior.mean, explore_cache.typical_distance(run)
        kept = means[: len(map_cache.examples(run))]
    except ValueError as error:
        say_broken(run, error)
        return
    try:
        start = own_start(run, config)
    except ValueError as error:
        _await(run, config, str(error))
        return
    distance, nearest = distance_to_data(start.code[None], means)
    neighbour = int(distance_to_data(start.code[None], kept)[1].item())
    made = shown(run, explore_cache.decoded(run, start.code[None], private=True))[0]
    exhibits(
        key=f"own-{run.id}",
        shown=_told(run, start, made, neighbour) if text else _drawn(run, start, made, neighbour),
        title=run.id,
        caption=caption_words(config),
        words=_said(start, f"{distance.item():.2f} prior std from {example_words(run, int(nearest))}", typical),
        colour=colour_of(run),
        unknown=0 if start.sentence is not None and start.sentence.unknown else None,
        kept=pair_of(config, str(start.original), str(made)) if text else None,
    )
    assert start.kl is not None
    kl_bars(
        key=f"own-kl-{run.id}",
        kl=start.kl.tolist(),
        title="KL of this code",
        colour=colour_of(run),
        scale_group="own",
        height_px=150,
    )
    try:
        show_place(run, start.code, alike)
    except ValueError as error:
        say("error", "The place of this code cannot be shown:", str(error))


def _go(name: str, tick: str) -> None:
    st.session_state["tab"] = name
    st.session_state[tick] = True


def _await(run: Run, config: RunConfig, why: str) -> None:
    """What is missing, where the result will be."""
    exhibits(
        key=f"own-{run.id}", shown={}, title=run.id, caption=caption_words(config), words=why,
        colour=colour_of(run),
    )  # fmt: skip


def _drawn(run: Run, start: Start, made: "np.ndarray | str", neighbour: int) -> "dict[str, np.ndarray | Marked]":
    near = original(run, neighbour)
    assert isinstance(start.original, np.ndarray)
    assert isinstance(made, np.ndarray)
    assert isinstance(near, np.ndarray)
    return {
        "as the model reads it": start.original,
        "decoded from its code": made,
        f"nearest kept: {neighbour}": near,
    }


def _told(run: Run, start: Start, made: "np.ndarray | str", neighbour: int) -> "dict[str, np.ndarray | Marked]":
    assert start.sentence is not None
    near, read = str(original(run, neighbour)), str(start.original)
    return {
        "as the model reads it": start.sentence.words,
        "decoded from its code": marked(str(made), read),
        f"nearest kept: {neighbour}": marked(near, read),
    }


def _said(start: Start, distance: str, typical: float) -> str:
    words = ""
    if (sentence := start.sentence) is not None:
        if not sentence.known:
            words = "Not one of these words is in the vocabulary: the code tells nothing of the sentence. "
        elif sentence.unknown:
            words = (
                f"{sentence.unknown} of {sentence.known + sentence.unknown} words are unknown and read as one sign. "
            )
        if sentence.left_out:
            words += (
                f"Only the beginning was read: {sentence.left_out:,} words or more are beyond its longest sentence. "
            )
    words += f"Its code lies {distance}, the nearest"
    return words + (f"; neighbours in the data are typically {typical:.2f} apart." if np.isfinite(typical) else ".")
