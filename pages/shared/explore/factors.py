"""The Factors tab: which dimension carries which known cause of the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import streamlit as st

from bnvae.config.schema import RunConfig
from bnvae.latent.traversal import by_kl
from bnvae.metrics.factors.factor_information import INTERVALS, FactorInformation
from bnvae.runs import Run
from pages.components.factor_matrix import factor_matrix
from pages.shared.colours import colour_of
from pages.shared.explore import cache as explore_cache
from pages.shared.notices import say
from pages.shared.panels import say_broken
from pages.shared.words import caption_words

ROWS = 64
LEAST_TOP_NATS = 0.1
"""a matrix without any larger value stays pale"""
FEWEST_EXAMPLES = 5 * INTERVALS
"""with fewer, most of what a single interval seems to tell is chance"""
SPREAD_SHARE = 0.7
"""a second dimension that tells so much of what the best tells shares the factor with it"""


@final
@dataclass(frozen=True)
class Known:
    run: Run
    config: RunConfig
    found: FactorInformation


def show_factors(found: Sequence[tuple[Run, RunConfig]]) -> None:
    """A matrix for each run whose data have known factors, or at least labels."""
    known = []
    for run, config in found:
        try:
            information = explore_cache.factor_information(run)
        except ValueError as error:
            say_broken(run, error)
            continue
        if information is None:
            say("info", "Nothing is known of the causes of this run's data, and its examples have no labels.", run.id)
        else:
            known.append(Known(run, config, information))
    if not known:
        return
    top = max(LEAST_TOP_NATS, max(float(one.found.information.max()) for one in known))
    for column, one in zip(st.columns(len(known), gap="large"), known, strict=True):
        kl = explore_cache.kl_per_dimension(one.run)
        order = by_kl(kl)[:ROWS]
        with column:
            factor_matrix(
                key=f"factors-{one.run.id}",
                information=one.found.information[order].numpy(),
                dimensions=order,
                kl=[kl[dimension] for dimension in order],
                factors=one.found.names,
                entropy=one.found.entropy.tolist(),
                top=top,
                title=one.run.id,
                caption=caption_words(one.config),
                words=_said(one.found),
                colour=colour_of(one.run),
            )
    counts = _counts(known)
    st.caption(
        "Mutual information between one coordinate z of the posterior and a known factor, in nats; below a factor's "
        "name its entropy, all there is to know. The posterior's noise is counted in, so that no cell can exceed the "
        "dimension's KL but for the estimate's error. z is cut into 32 intervals of equal prior probability, a numeric "
        f"factor into 10 bins; plug-in estimate over {counts} test examples, minus what shuffled factors give."
    )


def _counts(known: Sequence[Known]) -> str:
    """`2,000`, or `18 to 2,000` where runs differ."""
    counts = sorted({one.found.examples for one in known})
    return " to ".join(f"{count:,}" for count in (counts[:1] + counts[-1:] if len(counts) > 1 else counts))


def _said(found: FactorInformation) -> str:
    """Which factor a single dimension tells best, and whether it is the only one."""
    best = found.information.max(0)
    factor = int((best.values / found.entropy.clamp_min(1e-9)).argmax())
    if found.examples < FEWEST_EXAMPLES:
        return f"{found.examples} examples are too few to say: {FEWEST_EXAMPLES} are needed for {INTERVALS} intervals."
    most, entropy, name = float(best.values[factor]), float(found.entropy[factor]), found.names[factor]
    if most < 0.01:
        return "No single dimension tells anything of any factor."
    rest = sorted(found.information[:, factor].tolist(), reverse=True)[1:]
    sharing = sum(value > SPREAD_SHARE * most for value in rest)
    words = f"Told best is {name}: z{int(best.indices[factor])} carries {most:.2f} of its {entropy:.2f} nats"
    return words + (f"; dimensions that carry nearly as much: {sharing}." if sharing else ".")
