"""Numbers in words: what a run is, what it is doing, what its bars say."""

import math

from bnvae.config import SCALED, HeadName, KlScheduleName, RunConfig
from bnvae.records import Record
from bnvae.runs import Status
from bnvae.runs.fork import Origin
from bnvae.scaler import fixed_floor, mean_fixed_floor
from bnvae.steering import Change
from bnvae.titles import data_title, head_words

HEAD_HELP: dict[HeadName, str] = {
    "gaussian": "Nothing stops its KL from going to zero.",
    "bn-mean": "Zhu et al. 2020: BatchNorm with a fixed γ on the posterior mean; floor γ²/2 per dimension.",
    "bn-scaler": "Su 2020, to the letter: BatchNorm on mean and std, then one Scaler; floor −½ ln(1−τ) per dimension.",
    "rms-scaler": "The same Scaler and floor with a std that stays positive: a lower price for the same guarantee.",
    "ln-mean": "LayerNorm instead of BatchNorm: a counter-example. The total KL has a floor, no dimension has.",
}
COLLAPSED_BELOW_NATS = 0.1
TOLD_FROM_STEP = 200
"""before which bars tell nothing: every plain VAE begins near a rate of 0, and the bundled one of sentences crosses the
line between collapsed and not up and down until step 60"""
RISING: dict[KlScheduleName, float] = {"constant": 0.0, "linear": 1.0, "cyclical": 0.5}
"""share of the warm-up's epochs in which the weight of the KL first rises to β"""
MARKED_LETTERS = 24
"""of a run's name beside a mark"""


def caption_words(config: RunConfig) -> str:
    """What stands under or beside a run's name: its head, after the name of what is a user's own."""
    return f"{data_title(config)} · {head_words(config)}" if config.data.path else head_words(config)


def told_from(config: RunConfig, record: Record) -> int:
    """The step from which bars of this training can be called collapsed or not; its last one at the latest."""
    if record.epoch <= 0:
        return TOLD_FROM_STEP
    # Whole, for a record's epoch has six significant digits: 5 epochs of 468 steps would end at 2,340.01 or 2,339.99.
    training, steps_per_epoch = config.training, round(record.step / record.epoch)
    risen = RISING[training.kl_schedule] * training.kl_warmup_epochs * steps_per_epoch
    return min(max(TOLD_FROM_STEP, math.ceil(risen)), training.epochs * steps_per_epoch)


def verdict_words(config: RunConfig, record: Record) -> str:
    """What a record's bars show, in one sentence; of a training that has hardly begun, that they show nothing yet."""
    dimensions = len(record.kl_per_dimension)
    if record.step < (ground := told_from(config, record)):
        why = (
            "of weights that have hardly learnt"
            if ground <= TOLD_FROM_STEP
            else "while the weight of the KL still rises"
        )
        return f"**Too early to tell.** {record.rate:.2f} nats in all so far, {why}: look again at step {ground:,}."
    if record.rate < COLLAPSED_BELOW_NATS:
        return (
            f"**Collapsed.** A rate of {record.rate:.3f} nats in all: the code carries at most this much. Every "
            "posterior is the prior, and the decoder works without it."
        )
    lowest = min(record.kl_per_dimension)
    dead = sum(value < 0.01 for value in record.kl_per_dimension)
    if dead:
        return f"**Partly collapsed.** {record.rate:.1f} nats in all; {dead} of {dimensions} dimensions carry nothing."
    words = f"**Not collapsed.** {record.rate:.1f} nats over {dimensions} dimensions, the lowest {lowest:.2f} nats"
    model = config.model
    floor = model.head in SCALED and (mean_fixed_floor(model.tau_max) if model.amortised else fixed_floor(model.tau))
    return words + (f"; its floor is {floor:.2f} nats." if floor else ".")


STEERED_NAMES = {
    "beta": "β",
    "learning_rate": "learning rate",
    "free_bits_per_dimension": "free bits per dimension (nats)",
    "free_bits_total": "free bits in all (nats)",
    "tau": "τ",
}


def change_words(change: Change) -> str:
    """What was changed, short enough for a mark on a curve: "β = 0.5"."""
    return f"{STEERED_NAMES.get(change.field, change.field)} = {change.value:g}"


def origin_words(origin: Origin) -> str:
    """Where a branch left its origin, short enough for a mark on a curve."""
    name = origin.run if len(origin.run) <= MARKED_LETTERS else origin.run[: MARKED_LETTERS - 1] + "…"
    return f"branched off {name}"


def status_words(status: Status) -> str:
    """State, position, speed and time left, as far as they are known."""
    parts: list[str] = [status.state]
    if status.total_steps:
        parts.append(f"step {status.step:,} of {status.total_steps:,}")
    if status.state == "training" and status.examples_per_second:
        parts.append(f"{status.examples_per_second:,.0f} examples/s")
        if status.seconds_left is not None:
            parts.append(f"{duration(status.seconds_left)} left")
    if status.device and status.alive:
        parts.append(status.device)
    return " · ".join(parts)


def share_done(status: Status) -> float:
    """Share of the steps that are taken, from 0 to 1, whatever the file of a status says."""
    return min(1.0, max(0, status.step) / status.total_steps) if status.total_steps > 0 else 0.0


def duration(seconds: float) -> str:
    """About how long, in the unit one would say."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
