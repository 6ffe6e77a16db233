"""More codes on the map: draws of the chosen posteriors, and of the prior with its holes."""

from collections.abc import Sequence

import streamlit as st
import torch
from torch import Tensor

from bnvae.data.random_subset import random_subset
from bnvae.latent.neighbours import nearest
from bnvae.metrics.estimators.aggregated_posterior import HOLE_RATIO, in_holes
from bnvae.nn.posterior import Posterior
from bnvae.training.sampler import mix
from pages.components.latent_scatter import Layer, View
from pages.components.map_answer import Marks
from pages.shared.map import cache as map_cache
from pages.shared.map.panels import Chart

LAYERS = {"cloud": "posterior of what is chosen", "prior": "prior samples"}
PRIOR_SAMPLES = 400
CLOUD_SAMPLES = 240
CLOUD_EXAMPLES = 80
HOLE_COLOUR = "#D1495B"
HELP = "Draws of q(z|x) of the chosen examples, and of the prior; a cross is a draw in a hole."


def choose_layers() -> list[str]:
    """Which layers the visitor wants to see."""
    chosen = st.pills(
        "Layers",
        list(LAYERS),
        selection_mode="multi",
        format_func=lambda name: LAYERS[name],
        key="layers",
        bind="query-params",
        help=HELP,
    )
    return list(chosen or [])


def prior_layers(chart: Chart, wanted: Sequence[str]) -> tuple[list[Layer], str]:
    """Draws of the prior, crosses where they lie in holes, and what they show; nothing where they are not wanted."""
    if "prior" not in wanted:
        return [], ""
    samples, holes = _prior(chart)
    points = chart.placed(samples)
    words = (
        f" Of {PRIOR_SAMPLES} prior samples {int(holes.sum())} (crosses) lie in holes, where the mixture of these "
        f"{len(chart.encoded):,} posteriors has less than 1/{HOLE_RATIO:g} of the prior's density."
    )
    dots = Layer(points=points[~holes].numpy())
    return [dots, Layer(points=points[holes].numpy(), shape="cross", colour=HOLE_COLOUR)], words


def cloud_marks(chart: Chart, wanted: Sequence[str], view: View) -> Marks:
    """Draws of the posteriors of what is chosen, and what they show; nothing where they are not wanted."""
    rows = _chosen(view) if "cloud" in wanted else []
    if not rows:
        return Marks()
    drawn, of = _cloud(chart, rows)
    if not len(drawn):
        return Marks()
    own = nearest(drawn, chart.encoded.mean, 1)[0][:, 0] == of
    return Marks(
        layers=[Layer(points=chart.placed(drawn).numpy())],
        words=f"Of {len(drawn)} draws of q(z|x) {own.float().mean():.0%} are nearest to their own mean.",
    )


def _prior(chart: Chart) -> tuple[Tensor, Tensor]:
    run = chart.run
    return _prior_of(run.id, map_cache.digest(run), chart.encoded)


@st.cache_data(max_entries=16, show_spinner=False)
def _prior_of(run_id: str, digest: str, _encoded: map_cache.Encoded) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(mix(0, 5))
    samples = torch.randn(PRIOR_SAMPLES, _encoded.mean.shape[1], generator=generator)
    finite = torch.isfinite(_encoded.mean).all(1) & torch.isfinite(_encoded.std).all(1)
    if not bool(finite.any()):
        return samples, torch.ones(PRIOR_SAMPLES, dtype=torch.bool)
    return samples, in_holes(samples, Posterior(_encoded.mean[finite], _encoded.std[finite]))


def _chosen(view: View) -> list[int]:
    if view.pick is not None and "example" in view.pick:
        return [int(view.pick["example"])]
    lasso = list(view.lasso)
    return [lasso[place] for place in random_subset(len(lasso), CLOUD_EXAMPLES).tolist()]


def _cloud(chart: Chart, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Draws of these examples' posteriors, and the example of each."""
    of = torch.tensor([row for row in rows for _ in range(CLOUD_SAMPLES // len(rows))])
    mean, std = chart.encoded.mean[of], chart.encoded.std[of]
    drawn = mean + std * torch.randn(mean.shape, generator=torch.Generator().manual_seed(mix(0, 6)))
    finite = torch.isfinite(drawn).all(1)
    return drawn[finite], of[finite]
