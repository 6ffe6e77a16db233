"""What a click on the map tells: the example or the code there, what the model makes of it, and who is near."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from bnvae.latent.neighbours import code_at, nearest
from bnvae.metrics.word_diff import Marked, marked
from bnvae.runs import Run
from pages.components.latent_scatter import View
from pages.components.map_answer import Marks, Near, RunAnswer, map_answer
from pages.shared import cache
from pages.shared.colours import colour_of
from pages.shared.map import cache as map_cache
from pages.shared.map.panels import Chart

NEIGHBOURS = 10
HINT = "Click a point to see its example, or an empty place to have the code there decoded."
NO_INVERSE = "A map has no inverse: this is the mean code of the 15 nearest points, weighted by 1/distance."
NO_MODEL = "Arrays alone: nothing can be decoded without their model."
NO_CODE = "This example has no finite code in this run."


@final
@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A code that was chosen on one run's map."""

    code: Float[Tensor, "D"]
    example: int | None
    """None: a place without an example"""
    near: Int[Tensor, "K"]
    """the examples with the nearest posterior means, itself left out"""
    distances: Float[Tensor, "K"]


def chosen_code(chart: Chart, view: View, place: int) -> Chosen | None:
    """The code that a visitor means on this run's map; None if nothing is chosen, or it has no code."""
    pick = view.pick
    if pick is None:
        return None
    mean = chart.encoded.mean
    if "example" in pick:
        example = int(pick["example"])
        if not bool(torch.isfinite(mean[example]).all()):
            return None
        near, distances = (found[0] for found in nearest(mean[example : example + 1], mean, NEIGHBOURS + 1))
        others = near != example
        return Chosen(
            code=mean[example],
            example=example,
            near=near[others][:NEIGHBOURS],
            distances=distances[others][:NEIGHBOURS],
        )
    if place != pick["panel"] and not chart.common:
        return None
    if not bool(torch.isfinite(mean).all(1).any()):
        return None
    position = torch.tensor([pick["x"], pick["y"]])
    code = code_at(position, mean, chart.points)
    near, distances = (found[0] for found in nearest(code[None], mean, NEIGHBOURS))
    return Chosen(code=code, example=None, near=near, distances=distances)


def tell(
    map_key: str,
    charts: Sequence[Chart],
    answers: Sequence[Chosen | None],
    view: View,
    *,
    marks: Sequence[Marks] = (),
    hint: str = HINT,
    chosen: str = "",
) -> None:
    """For each run: the example, its reconstruction, its KL per dimension and its neighbours, marked on its map too.

    `marks` are what else is marked on each map, `chosen` is told above the answers.
    """
    pairs = list(zip(charts, answers, strict=True))
    kl = [chart.encoded.kl[found.example] for chart, found in pairs if found is not None and found.example is not None]
    asked = view.pick is not None and "example" in view.pick
    map_answer(
        key=f"{map_key}-answer",
        map_key=map_key,
        answers=[
            _answer(chart, found, again=place > 0)
            for place, (chart, found) in enumerate(pairs)
            if found is not None or asked
        ],
        marks=[
            Marks(
                linked=[] if found is None else found.near.tolist(),
                layers=also.layers,
                words=also.words,
            )
            for found, also in zip(answers, marks or [Marks()] * len(answers), strict=True)
        ],
        answered=view.pick,
        hint="" if view.pick is not None or chosen else hint,
        chosen=chosen,
        most_kl=max((float(one.max()) for one in kl), default=0.1),
    )


def _answer(chart: Chart, found: Chosen | None, *, again: bool) -> RunAnswer:
    """`again`: another run's answer has shown the example itself already."""
    run, encoded = chart.run, chart.encoded
    colour = colour_of(run)
    if found is None:
        return RunAnswer(title=run.id, colour=colour, named="", problem=NO_CODE)
    if found.example is None:
        named, words = "the code at this place", NO_INVERSE
    else:
        named, words = f"example {found.example}{_label(encoded, found.example, ' · {}')}", ""
    try:
        return RunAnswer(
            title=run.id,
            colour=colour,
            named=named,
            made=_made(run, found, again=again),
            kl=None if found.example is None else encoded.kl[found.example].tolist(),
            words=" ".join(filter(None, (words, NO_MODEL if run.is_arrays else ""))),
            near=near_shown(run, encoded, found),
        )
    except ValueError as error:
        return RunAnswer(title=run.id, colour=colour, named=named, problem=str(error))


def _distance(encoded: map_cache.Encoded, found: Chosen) -> str:
    """How far the nearest posterior means are, in prior standard deviations, and how far that usually is."""
    words = f"at distance {float(found.distances[0]):.2f} prior std and more"
    usual = encoded.usual_distance
    return f"{words}; neighbours are {usual:.2f} apart as a rule" if math.isfinite(usual) else words


def _made(run: Run, found: Chosen, *, again: bool) -> Mapping[str, "np.ndarray | Marked"]:
    """The example, if it is kept, beside what the model makes of its code."""
    kept = map_cache.examples(run)
    example = found.example if found.example is not None and found.example < len(kept) else None
    if run.is_arrays:
        return {} if example is None else {"example": _shown(run, kept[example : example + 1])}
    made = map_cache.decoded(run, found.code[None])
    name = "decoded from this code" if found.example is None else "decoded from its mean"
    if found.example is not None and example is None:
        name += " (the example itself is not kept)"
    if made.dim() == 2:
        said = cache.sentences(run, made)[0]
        if example is None:
            return {name: [(said, False)]}
        read = cache.sentences(run, kept[example : example + 1])[0]
        return ({} if again else {"example": [(read, False)]}) | {name: marked(said, read)}
    if example is None:
        return {name: made[0].numpy()}
    return {"example": kept[example].numpy(), name: made[0].numpy()}


def _shown(run: Run, row: Tensor) -> "np.ndarray | Marked":
    return [(cache.sentences(run, row)[0], False)] if row.dim() == 2 else row[0].numpy()


def near_shown(run: Run, encoded: map_cache.Encoded, found: Chosen) -> Near | None:
    """The ten nearest in latent space: the examples themselves where all are kept, else what they are decoded to."""
    if not len(found.near):
        return None
    kept = map_cache.examples(run)
    there = bool((found.near < len(kept)).all())
    if run.is_arrays and not there:
        return Near(
            title=f"Nearest {_distance(encoded, found)}",
            shown=[f"example {row}{_label(encoded, row, ' ({})')}" for row in found.near.tolist()],
            captions=[f"at distance {distance:.2f}" for distance in found.distances.tolist()],
        )
    shown = kept[found.near] if there else map_cache.decoded(run, encoded.mean[found.near])
    rows = zip(found.near.tolist(), found.distances.tolist(), strict=True)
    return Near(
        title=f"{'Nearest' if there else 'Nearest, decoded from their means,'} {_distance(encoded, found)}",
        shown=cache.sentences(run, shown) if shown.dim() == 2 else shown.numpy(),
        captions=[f"example {row}{_label(encoded, row, ' ({})')} at distance {distance:.2f}" for row, distance in rows],
    )


def _label(encoded: map_cache.Encoded, row: int, form: str) -> str:
    label = int(encoded.labels[row])
    return form.format(encoded.label_names[label]) if 0 <= label < len(encoded.label_names) else ""
