"""The races worth watching: each preset is a lesson."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, final

import streamlit as st

from bnvae.config.schema import DataConfig, DataName, ModelConfig, RunConfig, TrainingConfig
from pages.shared.links import OVERVIEW, link_to
from pages.shared.state import store
from pages.shared.train.settings import DATA_WORDS, HELP


@final
@dataclass(frozen=True, kw_only=True)
class Lane:
    """What one configuration of a race has of its own."""

    model: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)


LESSONS: dict[str, tuple[str, tuple[Lane, ...]]] = {
    "Plain against the Scaler": (
        "On sentences the plain VAE never comes to use its code; the Scaler keeps every dimension above its floor.",
        (Lane(model={"head": "gaussian"}), Lane(model={"head": "rms-scaler", "tau": 0.5})),
    ),
    "BatchNorm against LayerNorm on the mean": (
        "Both have a floor under the total KL. Only BatchNorm guarantees that two examples differ.",
        (Lane(model={"head": "bn-mean", "gamma": 0.5}), Lane(model={"head": "ln-mean", "gamma": 0.5})),
    ),
    "τ = 0.1, 0.5, 0.9": (
        "A higher floor carries more, and costs more: look at the rate and at −ELBO.",
        tuple(Lane(model={"head": "rms-scaler", "tau": tau}) for tau in (0.1, 0.5, 0.9)),
    ),
    "Warm-up and free bits against the Scaler": (
        "Two remedies in the loss and one in the posterior head.",
        (
            Lane(model={"head": "gaussian"}, training={"kl_schedule": "linear", "kl_warmup_epochs": 5.0}),
            Lane(model={"head": "gaussian"}, training={"free_bits_per_dimension": 0.35}),
            Lane(model={"head": "rms-scaler", "tau": 0.5}),
        ),
    ),
}
RECORDED: dict[str, tuple[str, ...]] = {
    "Recorded: plain, BN, LN, Scaler": (
        "storybook-plain",
        "storybook-bn-mean",
        "storybook-ln-mean",
        "storybook-scaler",
    ),
    "Recorded: plain, BN + Scaler, RMS": ("storybook-plain", "storybook-bn-scaler", "storybook-scaler"),
}
"""bundled runs on the same data, seed and batches, under the words of a link"""
RACED_DATA: tuple[DataName, ...] = ("storybook", "digits", "shapes")


def recorded_races() -> None:
    """Links to bundled runs that can be played without a training, where they are."""
    for words, ids in RECORDED.items():
        if all(run_id in store() for run_id in ids):
            link_to(OVERVIEW, {"runs": list(ids)}, words)


def choose_race() -> list[RunConfig]:
    """The configurations of the lesson chosen: equal but for what it compares."""
    lesson = st.selectbox("Lesson", list(LESSONS), key="race-lesson", bind="query-params")
    why, lanes = LESSONS[lesson]
    st.text(why)
    data = st.selectbox("Data", RACED_DATA, format_func=DATA_WORDS.__getitem__, key="race-data", bind="query-params")
    dimensions = st.number_input(
        "Latent dimensions", 2, 64, 16, key="race-dimensions", bind="query-params", help=HELP["latent_dimensions"]
    )
    epochs = st.number_input("Epochs", 1, 200, 5, key="race-epochs", bind="query-params", help=HELP["epochs"])
    seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="race-seed", bind="query-params", help=HELP["seed"])
    base = RunConfig(
        data=DataConfig(name=data),
        model=ModelConfig(latent_dimensions=dimensions),
        training=TrainingConfig(epochs=epochs, seed=seed, threads=1),
    )
    return [
        dataclasses.replace(
            base,
            model=dataclasses.replace(base.model, **lane.model),
            training=dataclasses.replace(base.training, **lane.training),
        )
        for lane in lanes
    ]
