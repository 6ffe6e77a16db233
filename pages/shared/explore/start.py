"""What the Explore page begins from, a test example or a visitor's own input, and its latent code in each run."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import final

import numpy as np
import streamlit as st
from jaxtyping import Float
from streamlit.errors import StreamlitAPIException
from torch import Tensor

from bnvae.config.schema import RunConfig
from bnvae.data.dataset import TextShape
from bnvae.latent.own_input import OwnSentence, own_drawing, own_picture, own_sentence
from bnvae.runs import BrokenRunError, Run
from bnvae.training.evaluation import encode
from pages.components.drawing_pad import ink_of
from pages.shared import cache
from pages.shared.explore.cache import encodings
from pages.shared.map import cache as map_cache
from pages.shared.notices import say

MOST_EXAMPLES = 10_000
MOST_DIGITS = 6
"""of a number in the address that is read as one"""
EXAMPLE_HELP = "Its place among the test examples, from 0: the same example in every run of the same data."
OWN = "own"
DRAWING, PICTURE, SENTENCE, UPLOADED = "_own_drawing", "_own_picture", "_own_sentence", "_own_uploaded"
"""where the session keeps a visitor's own input, whichever of the page's tabs is open"""
CHOICES = ("example", "reach", "from", "to", "steps", "way", "own_example", "own_from", "own_to")


@final
@dataclass(frozen=True, kw_only=True)
class Start:
    """A code to begin from, and what it is the code of."""

    code: Float[Tensor, "D"]
    original: np.ndarray | str | None
    """pixels uint8 (C, H, W) or a sentence; None where the run did not keep the example"""
    words: str
    private: bool = False
    """of a visitor's own input: nothing made from it may go into a cache"""
    kl: Float[Tensor, "D"] | None = None
    """KL of an own input in each dimension (nats)"""
    sentence: OwnSentence | None = None
    """how an own sentence was read"""


class NoSuchStart(ValueError):
    """What a visitor chose can't be had of this run, which is well itself."""


def choose_start(label: str, found: Sequence[tuple[Run, RunConfig]], *, key: str, default: int = 0) -> int | str:
    """The number of a test example, which is in the URL under `key`; or OWN, where there is something own to choose."""
    last = _examples(found) - 1
    default = min(default, last)
    asked = st.session_state.get(key, st.query_params.get(key, default))
    if not (str(asked).isdecimal() and len(str(asked)) <= MOST_DIGITS and int(asked) <= last):
        absence = f"There is no such test example here: they are 0 to {last:,}. Example {default} is shown."
        st.info(absence)
        st.session_state[key] = default
        with suppress(StreamlitAPIException):  # bound since an earlier run: then Streamlit writes the address itself
            st.query_params[key] = str(default)
    own = has_own() and st.checkbox("Your own", key=f"own_{key}")
    index = st.number_input(label, 0, last, default, key=key, bind="query-params", help=EXAMPLE_HELP, disabled=own)
    return OWN if own else int(index)


def _examples(found: Sequence[tuple[Run, RunConfig]]) -> int:
    """How many test examples the run with most of them kept; of a run that can't be read the page says so itself."""
    counts = [1]
    for run, _ in found:
        with suppress(ValueError):
            counts.append(len(encodings(run)[0].mean))
    return min(max(counts), MOST_EXAMPLES)


def say_no_start(run: Run, error: Exception) -> None:
    """Why nothing is shown of a run that is well, as plain text."""
    say("info", "What is chosen above can't be had of this run.", f"{run.id}: {error}")


def keep_choices() -> None:
    """Remember what is chosen on the tabs that are not open: a widget that is not drawn forgets its value."""
    for key in CHOICES:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def has_own() -> bool:
    """Whether the visitor has drawn, uploaded or typed anything."""
    return any(st.session_state.get(kept) for kept in (DRAWING, PICTURE, SENTENCE))


def start_at(run: Run, config: RunConfig, chosen: int | str) -> Start:
    """A test example or the visitor's own input, with its posterior mean.

    Raises:
        NoSuchStart: the run kept fewer examples, or the input is none for this run.
        BrokenRunError: its files are damaged.
    """
    if chosen == OWN:
        try:
            return own_start(run, config)
        except BrokenRunError:
            raise
        except ValueError as error:
            raise NoSuchStart(str(error)) from None
    index = int(chosen)
    posterior, _ = encodings(run)
    if not 0 <= index < len(posterior.mean):
        raise NoSuchStart(f"example {index} is not there, it kept {len(posterior.mean):,}: choose one below that.")
    return Start(code=posterior.mean[index], original=original(run, index), words=example_words(run, index))


def example_words(run: Run, index: int) -> str:
    """A test example by its number and its label, where it has one."""
    _, labels = encodings(run)
    names, label = run.card.label_names, int(labels[index])
    return f"test example {index}" + (f" ({names[label]})" if names and label >= 0 else "")


def own_start(run: Run, config: RunConfig) -> Start:
    """What the visitor drew, uploaded or typed, as this run's encoder reads it.

    Raises:
        ValueError: there is nothing, or not for this kind of run; it says what to do.
    """
    card = run.card
    if isinstance(card.shape, TextShape):
        sentence = own_sentence(
            st.session_state.get(SENTENCE, ""), cache.vocabulary(run), config.data, card.shape.max_tokens
        )
        posterior = encode(cache.model(run), sentence.tokens)
        text = "".join(part for part, _ in sentence.words)
        return _private(posterior.mean[0], posterior.kl_per_dimension()[0], text, "your sentence", sentence)
    uploaded = st.session_state.get(PICTURE) if st.session_state.get(UPLOADED) else None
    if uploaded is not None:
        name, content = uploaded
        example, words = own_picture(content, name, card.shape, config.data), "your picture"
    else:
        ink = ink_of(st.session_state.get(DRAWING, ""))
        example = own_drawing(np.zeros((1, 1), np.uint8) if ink is None else ink, card.shape, config.data)
        words = "your drawing"
    posterior = encode(cache.model(run), example)
    return _private(posterior.mean[0], posterior.kl_per_dimension()[0], example[0].numpy(), words)


def _private(
    code: Tensor, kl: Tensor, original: np.ndarray | str, words: str, sentence: OwnSentence | None = None
) -> Start:
    return Start(code=code, original=original, words=words, private=True, kl=kl, sentence=sentence)


def original(run: Run, index: int) -> np.ndarray | str | None:
    """The test example itself, as it is shown; None if the run did not keep it."""
    kept = map_cache.examples(run)
    if index >= len(kept):
        return None
    return shown(run, kept[index : index + 1])[0]


def shown(run: Run, rows: Tensor) -> "list[str] | np.ndarray":
    """Pixels as an array, tokens as sentences."""
    return cache.sentences(run, rows) if rows.dim() == 2 else rows.numpy()
