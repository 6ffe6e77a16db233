"""Which test example the Explore page begins from, and its latent code in each run."""

from dataclasses import dataclass
from typing import final

import numpy as np
import streamlit as st
from jaxtyping import Float
from torch import Tensor

from bnvae.config import RunConfig
from bnvae.runs import Run
from pages.shared import cache
from pages.shared.explore_cache import encodings

MOST_EXAMPLES = 10_000
EXAMPLE_HELP = "Its place among the test examples, from 0: the same example in every run of the same data."


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


def choose_example(label: str, *, key: str, default: int = 0) -> int:
    """The number of a test example, counted from 0; it is in the URL under `key`."""
    return int(st.number_input(label, 0, MOST_EXAMPLES - 1, default, key=key, bind="query-params", help=EXAMPLE_HELP))


def start_at(run: Run, config: RunConfig, index: int) -> Start:
    """Test example `index` and its posterior mean.

    Raises:
        ValueError: the run's encodings are damaged, or do not reach so far.
    """
    posterior, labels = encodings(run)
    if not 0 <= index < len(posterior.mean):
        raise ValueError(f"{run.id} kept {len(posterior.mean):,} test examples: choose one below that.")
    words = f"test example {index}"
    names = run.card.label_names
    if names and (label := int(labels[index])) >= 0:
        words += f" ({names[label]})"
    return Start(code=posterior.mean[index], original=original(run, index), words=words)


def original(run: Run, index: int) -> np.ndarray | str | None:
    """The test example itself, as it is shown; None if the run did not keep it."""
    kept = cache.examples(run).examples
    if index >= len(kept):
        return None
    return shown(run, kept[index : index + 1])[0]


def shown(run: Run, rows: Tensor) -> "list[str] | np.ndarray":
    """Pixels as an array, tokens as sentences."""
    return cache.sentences(run, rows) if rows.dim() == 2 else rows.numpy()
