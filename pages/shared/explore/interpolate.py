"""The Interpolate tab: from one example to another, linear or along the sphere, and how far from the data it leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import streamlit as st
import torch

from bnvae.config.schema import RunConfig
from bnvae.latent.interpolation import PathName, distance_to_data, has_arc, interpolate
from bnvae.latent.traversal import is_seen, picture_change
from bnvae.metrics.word_diff import words_changed
from bnvae.runs import Run
from pages.components.latent_path import latent_path
from pages.shared.colours import colour_of
from pages.shared.explore import cache as explore_cache
from pages.shared.explore.start import NoSuchStart, Start, choose_start, say_no_start, shown, start_at
from pages.shared.map.links import link_to_map
from pages.shared.panels import say_broken
from pages.shared.words import caption_words

ENDS = "ends"
FEWEST_STEPS, MOST_STEPS = 8, 16
PATH_WORDS: dict[PathName, str] = {"linear": "straight line", "spherical": "along the sphere"}
PATH_HELP = (
    "A straight line passes nearer to 0 than codes of the prior lie; along the sphere the length changes evenly from "
    "that of one end to that of the other."
)
TOLD_COLUMNS = 2
"""pictures go across the whole page, sentences in columns"""


@final
@dataclass(frozen=True, kw_only=True)
class Way:
    run: Run
    config: RunConfig
    start: Start
    end: Start
    path: PathName
    decoded: "list[str] | np.ndarray"
    distances: list[float]
    typical: float
    arc: bool


def ends_from_address() -> None:
    """`ends=12,57` of a link becomes the two numbers that the tab's own fields keep in the address."""
    if ENDS not in st.query_params:
        return
    given = st.query_params.pop(ENDS)
    numbers = [part.strip() for part in given.split(",")]
    if len(numbers) == 2 and all(part.isascii() and part.isdigit() and len(part) <= 4 for part in numbers):
        for key, part in zip(("from", "to"), numbers, strict=True):
            st.session_state[key] = int(part)
            st.query_params[key] = part  # a bound widget reads it at its first run only, and does not write its state
        st.session_state["tab"] = st.query_params["tab"] = "Interpolate"


def show_interpolate(found: Sequence[tuple[Run, RunConfig]]) -> None:
    """The controls, and a way for each run."""
    first, second, third, fourth = st.columns(4, vertical_alignment="bottom")
    with first:
        start = choose_start("From test example", found, key="from")
    with second:
        end = choose_start("To test example", found, key="to", default=1)
    with third:
        count = st.slider("Steps", FEWEST_STEPS, MOST_STEPS, 11, key="steps", bind="query-params")
    with fourth:
        path: PathName = st.selectbox(
            "Way",
            list(PATH_WORDS),
            format_func=lambda name: PATH_WORDS[name],
            key="way",
            bind="query-params",
            help=PATH_HELP,
        )
    link_to_map([run for run, _ in found], start, end)
    ways = []
    for run, config in found:
        try:
            ways.append(_way(run, config, (start_at(run, config, start), start_at(run, config, end)), count, path))
        except NoSuchStart as error:
            say_no_start(run, error)
        except ValueError as error:
            say_broken(run, error)
    if not ways:
        return
    top = max(max(max(way.distances), way.typical if np.isfinite(way.typical) else 0) for way in ways)
    told = all(way.config.data.modality == "text" for way in ways)
    places = st.columns(min(len(ways), TOLD_COLUMNS) if told else 1, gap="large")
    for index, way in enumerate(ways):
        with places[index % len(places)]:
            latent_path(
                key=f"way-{way.run.id}",
                decoded=way.decoded,
                distances=way.distances,
                typical=way.typical,
                top=1.1 * top,
                title=way.run.id,
                caption=f"{caption_words(way.config)} · {way.start.words} to {way.end.words}",
                words=_said(way),
                colour=colour_of(way.run),
            )


def _way(run: Run, config: RunConfig, ends: tuple[Start, Start], count: int, path: PathName) -> Way:
    start, end = ends
    codes = interpolate(start.code, end.code, count, path)
    posterior, _ = explore_cache.encodings(run)
    decoded = explore_cache.decoded(run, codes, private=start.private or end.private)
    return Way(
        run=run,
        config=config,
        start=start,
        end=end,
        path=path,
        decoded=shown(run, decoded),
        distances=distance_to_data(codes, posterior.mean)[0].tolist(),
        typical=explore_cache.typical_distance(run),
        arc=has_arc(start.code, end.code),
    )


def _said(way: Way) -> str:
    """What happens on the way, in a sentence or two."""
    farthest = int(np.argmax(way.distances))
    words = f"{_change(way.decoded)} Farthest from the data: {way.distances[farthest]:.2f} at step {farthest + 1}."
    if way.path == "spherical" and not way.arc:
        words += " These two codes lie on one line through 0: there is no arc, so this is the straight line."
    return words


def _change(decoded: "list[str] | np.ndarray") -> str:
    if isinstance(decoded, np.ndarray):
        start, end = torch.from_numpy(decoded[0]), torch.from_numpy(decoded[None, -1:])
        change = picture_change(end, start).item()
        words = f"From end to end the picture changes by {change:.1f} grey levels of 255 on average"
        return f"{words}." if is_seen(end, start).item() else f"{words}: nothing that could be seen."
    if len(set(decoded)) == 1:
        return "The same sentence all the way: nothing between these codes changes it."
    changed = words_changed(decoded[-1], decoded[0])
    return f"{len(set(decoded))} different sentences; {changed} words change from end to end."
