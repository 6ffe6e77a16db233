"""Numbers in words: what a run is, what it is doing, what its bars say."""

import math

from bnvae.config.display_names import data_title, head_words
from bnvae.config.scheduled_changes import Change
from bnvae.config.schema import BATCH_NORMALISED, SCALED, HeadName, KlScheduleName, RunConfig
from bnvae.metrics.diagnostics.code_use import IN_USE, CodeUse, is_dear
from bnvae.nn.posterior import fixed_floors
from bnvae.runs import Status
from bnvae.runs.branch import Origin
from bnvae.training.records import EvaluationRecord, Record

HEAD_HELP: dict[HeadName, str] = {
    "gaussian": "Nothing stops its KL from going to zero.",
    "bn-mean": "Zhu et al. 2020: BatchNorm with a fixed γ on the posterior mean; floor γ²/2 per dimension.",
    "bn-scaler": "Su 2020, to the letter: BatchNorm on mean and std, then one Scaler; floor −½ ln(1−τ) per dimension.",
    "rms-scaler": "The same Scaler and floor with a std that stays positive and is not centred.",
    "ln-mean": "LayerNorm instead of BatchNorm: a counter-example. The total KL has a floor, no dimension has.",
}
HEAD_FLOORS = {
    "bn-mean": "floor γ²/2",
    "bn-scaler": "floor −½ ln(1−τ)",
    "rms-scaler": "floor −½ ln(1−τ)",
}
ACTIVE_UNITS = (
    "Dimensions whose posterior mean has a variance of at least 0.01. BatchNorm on the mean, with or without a Scaler, "
    "makes all of them so by construction: their number is then no sign that the code tells anything."
)
COLLAPSED_BELOW_NATS = 0.1
FLOOR_KEPT = 0.9
"""share of a floor under the mean KL of some batches, whose own moments are those of the head only while it trains"""
TOLD_FROM_STEP = 200
"""before which bars tell nothing: every plain VAE begins near a rate of 0, and the bundled one of sentences crosses the
line between collapsed and not up and down until step 60"""
FAR_ABOVE = 2
"""times its floor: from there on a rate is far above it"""
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


def verdict_words(config: RunConfig, record: Record, tested: EvaluationRecord | None = None) -> str:
    """What is known of a code at a record, in one or two sentences; nothing yet of a training that has hardly begun.

    A KL is only an upper bound of what a code tells: that it is used is known from `tested`, the last evaluation.
    """
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
    floor = _floor_words(config, record)
    # One of before there was ground for a verdict is of weights that had hardly learnt.
    use = None if tested is None or tested.step < ground else CodeUse.recorded(tested)
    if tested is None or use is None or use.use == "not known":
        when = "the next evaluation tells" if record.step < _last_step(config, record) else "evaluate it thoroughly"
        return f"**Not known yet.** {floor} A KL does not say whether the code tells anything: {when}."
    if use.use == "not a number":
        return f"**Diverged.** What the code tells is not a number. {floor}"
    if use.use == "tells nothing":
        return f"**Code not used.** All examples have the same posterior, and a KL above 0 means nothing. {floor}"
    if use.use == "not read":
        return f"**Code not used.** The decoder ignores it: another example's code does as well. {floor}"
    if is_dear(floor=sum(floors(config) or ()), rate=tested.rate, use=use):
        better = "fewer dimensions or a smaller floor give a better ELBO"
        return f"**Floor too dear.** {floor} The code tells far less than that: {better}."
    if dead := sum(value < 0.01 for value in record.kl_per_dimension):
        count = len(record.kl_per_dimension)
        return f"**Partly collapsed.** {dead} of {count} dimensions carry nothing; the code as a whole is used. {floor}"
    return f"**{IN_USE}.** It tells examples apart, and the decoder reads it. {floor}"


def told_words(tested: EvaluationRecord | None) -> str:
    """What an evaluation found the code to tell, as a line under bars; empty before the first, and of older ones."""
    return "" if tested is None else CodeUse.recorded(tested).words


def _last_step(config: RunConfig, record: Record) -> int:
    return round(config.training.epochs * record.step / record.epoch) if record.epoch > 0 else record.step + 1


def _floor_words(config: RunConfig, record: Record) -> str:
    """The KL as what it is: nats, and what of them the head's floor keeps up."""
    rate, fixed = record.rate, floors(config)
    if not fixed or not sum(fixed) > 0:
        return f"KL {rate:.1f} nats in all."
    share = f"the floor alone is {sum(fixed):.1f} of {rate:.1f} nats, {100 * sum(fixed) / rate:.0f} %"
    kept = min(record.kl_per_dimension) >= FLOOR_KEPT * max(fixed)
    return f"Floor {'kept' if kept else 'not kept in each dimension'}: {share}."


def floors(config: RunConfig) -> list[float] | None:
    """The fixed floor of each dimension (nats), or None for a head without one."""
    model = config.model
    if model.head not in HEAD_FLOORS:
        return None
    return fixed_floors(
        model.head, model.latent_dimensions, tau=model.tau, gamma=model.gamma, tau_max=model.amortised_to
    )


def forced_words(config: RunConfig) -> str:
    """Why the number of active units proves nothing with this head; empty where it may prove something."""
    return "by construction" if config.model.head in BATCH_NORMALISED and not config.is_brought else ""


def slack_words(config: RunConfig, record: Record) -> str:
    """That a Scaler's rate is far above its floor, which then does not bind; "" of other heads and early records."""
    model = config.model
    if model.head not in SCALED or record.step < told_from(config, record):
        return ""
    floor = sum(floors(config) or ())
    if not record.rate > FAR_ABOVE * floor:
        return ""
    tau = "the floor, a mean over τ," if model.amortised else f"τ = {model.tau:g}"
    return f"The data take {record.rate:.1f} nats where {tau} asks for {floor:.1f}: the floor does not bind."


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
