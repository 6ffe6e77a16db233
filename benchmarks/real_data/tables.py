"""The tables of all trainings that were made: every method at its strengths, and all of them at one rate."""

import math
import statistics
from collections.abc import Sequence
from itertools import pairwise

from benchmarks.real_data.training import (
    EPOCHS,
    LANGUAGE_MODEL,
    LATENT_DIMENSIONS,
    SAMPLES,
    TEST_EXAMPLES,
    Case,
    DataSet,
    Figures,
)
from benchmarks.report import publish
from bnvae.config.methods import METHODS

CURVES = {
    "β below 1": ("none", "beta-0.4", "beta-0.2"),
    "free bits": ("free-bits",),
    "BN on the mean": ("bn-mean",),
    "LN on the mean": ("ln-mean",),
    "BN + Scaler": ("bn-scaler",),
    "RMS + Scaler": ("rms-scaler",),
}
"""Methods that were trained at several strengths: points of one curve of rate and distortion."""

NLL, INFORMATION = f"NLL (K = {SAMPLES})", f"MI (N = {TEST_EXAMPLES:,}, at most {math.log(TEST_EXAMPLES):.2f})"
RISE = "rise by a permuted z"


def publish_methods(data: DataSet, made: Sequence[Figures], cases: Sequence[Case]) -> None:
    rows = []
    for case in cases:
        found = [each for each in made if (each["method"], each["strength"]) == case]
        if not found:
            continue
        perplexity = statistics.mean(math.exp(each["nll"] / each["tokens"]) for each in found)
        rows.append(
            [
                _label(*case),
                _over_seeds([each["nll"] for each in found]),
                f"{perplexity:.1f}",
                _over_seeds([each["elbo"] for each in found]),
                _over_seeds([each["rate"] for each in found]),
                _over_seeds([each["information"] for each in found]),
                f"{statistics.mean(each['active'] for each in found):.0f} of {LATENT_DIMENSIONS}",
                _over_seeds([each["rise"] for each in found]),
                f"{len(found)}",
            ]
        )
    minutes = sum(each["seconds"] for each in made) / 60
    publish(
        f"{data}: nats per sentence; {len(made)} trainings of {EPOCHS[data]} epochs, {minutes:.0f} minutes of "
        "processor time",
        ["method", NLL, "perplexity", "ELBO", "KL", INFORMATION, "AU", RISE, "seeds"],
        rows,
    )


def publish_at_rate(data: DataSet, made: Sequence[Figures], rate: float) -> None:
    rows = []
    for name, methods in CURVES.items():
        curves: dict[int, list[Figures]] = {}
        for each in made:
            if each["method"] in methods:
                curves.setdefault(each["seed"], []).append(each)
        found = [point for curve in curves.values() if (point := at_rate(curve, rate)) is not None]
        if found:
            rows.append([name, *(_over_seeds(list(values)) for values in zip(*found, strict=True)), f"{len(found)}"])
    publish(
        f"{data}: test figures where the KL of validation sentences is {rate:g} nats, between trained strengths",
        ["method", NLL, "ELBO", "KL", INFORMATION, RISE, "seeds"],
        rows,
    )


def at_rate(curve: Sequence[Figures], rate: float) -> tuple[float, float, float, float, float] | None:
    """Test NLL, ELBO, KL, MI and rise where the validation rate is this (nats), on a line between two points.

    None where no two points of the curve have this validation rate between them.
    """
    for low, high in pairwise(sorted(curve, key=lambda point: point["validation_rate"])):
        if (
            low["validation_rate"] <= rate <= high["validation_rate"]
            and low["validation_rate"] < high["validation_rate"]
        ):
            share = (rate - low["validation_rate"]) / (high["validation_rate"] - low["validation_rate"])
            ends = [
                (each["nll"], each["elbo"], each["rate"], each["information"], each["rise"]) for each in (low, high)
            ]
            nll, elbo, test_rate, information, rise = (a + share * (b - a) for a, b in zip(*ends, strict=True))
            return nll, elbo, test_rate, information, rise
    return None


def _over_seeds(values: Sequence[float]) -> str:
    """Mean, and the standard deviation over seeds."""
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{spread}"


def _label(method: str, strength: float | None) -> str:
    if method == LANGUAGE_MODEL:
        return "no z: language model"
    title, symbol = METHODS[method].title, METHODS[method].knob.symbol
    if method.startswith("beta"):
        return f"{symbol} {strength:g}"
    return title if strength == 1 else f"{title}, {symbol} {strength:g}"
