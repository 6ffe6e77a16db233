"""Film strips over tau, from the run's folder or rendered now, and what a model's codes cost."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch
from torch import Tensor
from torch.nn import functional

from bnvae.latent import tau_frames
from bnvae.latent.tau_frames import FilmStrip, chosen_examples, taus_of
from bnvae.metrics.generation import SampleSettings
from bnvae.runs import BrokenRunError, Run
from bnvae.runs.derived import stored_tau_frames
from pages.components.tau_strip import Frames, Strip, StripPart
from pages.shared import cache
from pages.shared.cache import version
from pages.shared.state import store

SHOWN = SampleSettings(count=tau_frames.PICTURES)
OWN = "At each τ another model decodes, from the same noise and the same codes."
UNSEEN = "The decoder has never seen another τ, and its prior samples do not depend on it."
SEEN = "The decoder sees τ: the same codes are decoded anew at each."
DRAWN = "Each example is decoded from one draw of its posterior, with the same noise at every τ."


def pages_of_examples(run: Run) -> int:
    """How many times eight test examples there are to choose from.

    Raises:
        BrokenRunError: they are missing or damaged.
    """
    return max(1, len(cache.examples(run).labels) // tau_frames.PICTURES)


def whole_strip(run: Run, page: int = 0) -> tuple[FilmStrip, str]:
    """The strip of a run over all tau, and what has to be said about where it came from.

    Only the first page of test examples is kept with the run.

    Raises:
        BrokenRunError: the run's model or examples are missing or damaged.
    """
    return _whole_strip(run.id, version(run, "weights.safetensors"), version(run, "examples.npz"), page)


@st.cache_data(max_entries=16, show_spinner="Rendering the film strip")
def _whole_strip(run_id: str, weights: tuple[int, int], examples: tuple[int, int], page: int) -> tuple[FilmStrip, str]:
    run = store().get(run_id)
    model = cache.model(run)
    taus = taus_of(model)
    if page:
        return _rendered(run, taus.tolist(), page), ""
    said = ""
    try:
        kept = stored_tau_frames.load(run.folder, run.card, taus)
    except BrokenRunError as error:
        kept, said = None, f"{error} It was rendered anew."
    if kept is not None:
        return kept, ""
    strip = _rendered(run, taus.tolist(), page)
    try:
        stored_tau_frames.keep(run.folder, strip)
    except OSError:
        said = f"{said} The run's folder cannot be written to, so the film strip is kept in memory only.".strip()
    return strip, said


def _rendered(run: Run, taus: Sequence[float], page: int) -> FilmStrip:
    model, kept = cache.model(run), cache.examples(run)
    at = np.asarray(taus, dtype=np.float64)
    return tau_frames.strip_of(model, run.card.shape, kept.examples, kept.labels, at, page=page)


@st.cache_data(max_entries=64, show_spinner="Rendering the film strip")
def _still(run_id: str, weights: tuple[int, int], tau: float, page: int) -> FilmStrip:
    return _rendered(store().get(run_id), [tau], page)


def still(run: Run, tau: float, page: int) -> FilmStrip:
    """One frame, of a run at its own tau."""
    return _still(run.id, version(run, "weights.safetensors"), tau, page)


@st.cache_data(max_entries=64, show_spinner=False)
def _price(run_id: str, weights: tuple[int, int]) -> float:
    run = store().get(run_id)
    return tau_frames.price(cache.model(run), cache.examples(run).examples)


def price(run: Run) -> float:
    """The distortion of any run (nats), over the same examples as those of a strip."""
    return _price(run.id, version(run, "weights.safetensors"))


def spliced(frames: Sequence[FilmStrip]) -> FilmStrip:
    """One strip of several models, a frame each, in the order of tau."""
    return FilmStrip(
        taus=np.concatenate([one.taus for one in frames]),
        reconstructions=stacked([one.reconstructions for one in frames]),
        samples=stacked([one.samples for one in frames]),
        priced_taus=np.concatenate([one.priced_taus for one in frames]),
        distortion=np.concatenate([one.distortion for one in frames]),
    )


def stacked(frames: Sequence[Tensor]) -> Tensor:
    """Frames behind one another; rows of tokens are made equally long."""
    longest = max(frame.shape[-1] for frame in frames)
    return torch.cat([functional.pad(frame, (0, longest - frame.shape[-1])) for frame in frames])


def shown_strip(run: Run, strip: FilmStrip, note: str, plain: Run | None, *, title: str, page: int) -> Strip:
    """A strip beside the run's test examples and the plain VAE's prior samples; `title` is whose prior samples it has.

    Raises:
        BrokenRunError: a vocabulary is missing or damaged.
    """
    kept = cache.examples(run)
    originals = kept.examples[chosen_examples(kept.labels, page=page)]
    parts = [
        StripPart(half=0, title="test example", frames=_frames(run, originals[None])),
        StripPart(half=0, title="reconstruction", frames=_frames(run, strip.reconstructions)),
        StripPart(half=1, title=f"prior sample, {title}", frames=_frames(run, strip.samples)),
    ]
    if plain is not None:
        samples = cache.prior_samples(plain, SHOWN)[None]
        parts.append(StripPart(half=1, title=f"prior sample, {plain.id}", frames=_frames(plain, samples)))
    return Strip(taus=strip.taus.tolist(), parts=parts, note=f"{DRAWN} {note}")


def _frames(run: Run, frames: Tensor) -> Frames:
    if frames.dim() == 5:
        return frames.numpy()
    return [cache.sentences(run, frame) for frame in frames]
