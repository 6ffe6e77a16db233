"""What codes cost and get back, and the entropy of the source: a sentence, and a line in charts of −ELBO."""

from collections.abc import Sequence

import streamlit as st

from bnvae.config.schema import RunConfig
from bnvae.metrics.figures.figure_values import number
from bnvae.metrics.figures.rate_price import Costs, price_words
from bnvae.runs import BrokenRunError, Run
from bnvae.runs.progress.history import HistoryReader
from pages.shared.cache import version
from pages.shared.state import store
from pages.shared.words import told_from


def entropy_of(run: Run) -> float | None:
    """Entropy of one example of the run's source (nats), as the run's folder has it; None where it is unknown."""
    return _entropy(run.id, version(run, "data.json"), version(run, "evaluation.json"))


@st.cache_data(max_entries=256, show_spinner=False)
def _entropy(run_id: str, card: tuple[int, int], evaluation: tuple[int, int]) -> float | None:
    run = store().get(run_id)
    try:
        if (kept := run.card.entropy) is not None:
            return kept
        return number(run.evaluation(), "buys", "source_entropy")  # of a run whose data card is older
    except BrokenRunError:
        return None


def entropy_level(entropy: float | None) -> list[tuple[float, str]]:
    """A horizontal line for a chart of −ELBO, with its words; none where the entropy is unknown."""
    return [] if entropy is None else [(entropy, f"entropy of the source: {entropy:.1f} nats")]


def is_plain(config: RunConfig) -> bool:
    """Whether nothing in the recipe keeps a code alive: the plain VAE with the ELBO as its loss."""
    training = config.training
    return (
        config.model.head == "gaussian"
        and not config.is_brought
        and training.beta == 1
        and training.kl_schedule == "constant"
        and not training.free_bits_per_dimension
        and not training.free_bits_total
    )


def say_price(found: Sequence[tuple[Run, RunConfig, HistoryReader]]) -> None:
    """Why the ELBO likes collapse, from the last evaluation of each run, of the examples that its training watches."""
    if not found:
        return
    first = found[0][1].data
    costs = []
    for run, config, history in found:
        last = history.evaluations[-1] if history.evaluations else None
        # Before there is ground for a verdict a sentence on what a code costs would be one on how far a training is.
        if last is None or config.data != first or last.step < told_from(config, last):
            continue
        costs.append(Costs(run=run.id, rate=last.rate, distortion=last.distortion, is_plain=is_plain(config)))
    words = price_words(costs, entropy_of(found[0][0]), "sentences" if first.modality == "text" else "pictures")
    if words:
        st.text(words)
