"""What a data set and a method are called where people read it: own data by its file, never by where that lies."""

import re
from pathlib import PureWindowsPath
from urllib.parse import unquote

from bnvae.config.schema import SCALED, DataConfig, HeadName, RunConfig

HEAD_NAMES: dict[HeadName, str] = {
    "gaussian": "plain VAE",
    "bn-mean": "BatchNorm on the mean",
    "bn-scaler": "BatchNorm + Scaler",
    "rms-scaler": "RMS + Scaler",
    "ln-mean": "LayerNorm on the mean",
}
LONGEST_BEGIN, LONGEST_END = 24, 15
"""letters of a long name's two ends that are kept: files of one series differ at the one or the other"""
LONGEST_SHORT = 24
"""letters that a run's name takes from its data: the head behind them should not be cut off"""


def data_title(config: RunConfig) -> str:
    """What a run is of: "mnist", of a user's own data "birds.zip (images)", of arrays their file."""
    data, file = config.data, file_title(config.data.path)
    if not file:
        return data.name
    return file if config.source == "arrays" else f"{file} ({data.name})"


def file_title(path: str) -> str:
    """The last part of a path or address, a long one cut in its middle; empty where it is no file's, or a home's."""
    if "://" in path:
        # By hand: `urlsplit` refuses some, and what stands in a stranger's run has to be called something.
        host_and_path = re.split("[?#]", path.partition("://")[2])[0]
        path = unquote(host_and_path.partition("/")[2])
    # As Windows has it, on any machine: a run may come from another, and its "\\" are no part of a file's name.
    name = PureWindowsPath(path).name
    # Neither what commands a terminal, nor what turns the direction of reading, nor half a letter, which none can show.
    name = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    if name.startswith("~") or name in ("", ".", ".."):
        return ""
    return name if len(name) <= LONGEST_BEGIN + LONGEST_END else f"{name[:LONGEST_BEGIN]}…{name[-LONGEST_END:]}"


def short_title(data: DataConfig) -> str:
    """What the names of runs on these data begin with: "mnist", of "birds.zip" "birds"."""
    stem = PureWindowsPath(file_title(data.path)).stem
    # In the letters that every file system has.
    return re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-")[:LONGEST_SHORT].rstrip("-") or data.name


def head_words(config: RunConfig) -> str:
    """The head with the constant that matters for it: "RMS + Scaler, τ = 0.5"."""
    model = config.model
    if config.is_brought:
        return "posteriors alone" if config.source == "arrays" else "plain VAE, trained elsewhere"
    name = HEAD_NAMES[model.head]
    if model.head in SCALED:
        return f"{name}, every τ to {model.tau_max:g}" if model.amortised else f"{name}, τ = {model.tau:g}"
    if model.head in ("bn-mean", "ln-mean"):
        return f"{name}, γ = {model.gamma:g}"
    return name


def method_words(config: RunConfig) -> str:
    """The remedy against collapse, without its strength."""
    training = config.training
    if config.model.head != "gaussian":
        return HEAD_NAMES[config.model.head] + (", every τ" if config.model.amortised else "")
    schedule = {"linear": "linear warm-up", "cyclical": "cyclical"}.get(training.kl_schedule, "")
    free_bits = "free bits" if training.free_bits_per_dimension > 0 or training.free_bits_total > 0 else ""
    return ", ".join(filter(None, (schedule, free_bits))) or "β"


def recipe_words(config: RunConfig, tau: float | None = None) -> str:
    """Head and objective: "plain VAE, linear warm-up, β = 0.4"; of a model for every τ the one that figures are of."""
    training = config.training
    parts = [head_words(config)]
    if config.model.amortised:
        parts.append(f"here τ = {config.model.tau if tau is None else tau:g}")
    if training.kl_schedule != "constant":
        parts.append("linear warm-up" if training.kl_schedule == "linear" else "cyclical")
    if training.beta != 1:
        parts.append(f"β = {training.beta:g}")
    if training.free_bits_per_dimension > 0:
        parts.append(f"{training.free_bits_per_dimension:g} nats free per dimension")
    if training.free_bits_total > 0:
        parts.append(f"{training.free_bits_total:g} nats free")
    return ", ".join(parts)
