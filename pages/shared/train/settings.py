"""The form of the Train page: few controls first, the rest behind an expander, a refused value said beside it.

What is set stays set: in the address, which a reload, a visit to another page and a copy of it keep; words that a
visitor typed and what this machine offers stay in the session.
"""

from typing import Any, get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bnvae.config.display_names import HEAD_NAMES
from bnvae.config.help_texts import field_help
from bnvae.config.schema import (
    FIXED_SCALE,
    NETWORKS_OF,
    OWN_DATA,
    SCALED,
    TEXT_DATA,
    DataConfig,
    DataName,
    HeadName,
    KlScheduleName,
    ModelConfig,
    PoolingName,
    PrecisionName,
    RunConfig,
    TokenizerName,
    TrainingConfig,
)
from bnvae.data.custom.first_look import first_look
from bnvae.training.device import available_devices
from pages.shared.notices import say
from pages.shared.words import HEAD_HELP

DATA_WORDS: dict[DataName, str] = {
    "storybook": "Storybook · sentences",
    "digits": "Digits · 8×8 handwriting",
    "shapes": "Shapes · 64×64 colour",
    "mnist": "MNIST · download",
    "fashion-mnist": "Fashion-MNIST · download",
    "kmnist": "KMNIST · download",
    "cifar10": "CIFAR-10 · download",
    "celeba": "CelebA · download",
    "images": "My own pictures",
    "text": "My own sentences",
}
TRAINED_HEADS: tuple[HeadName, ...] = ("rms-scaler", "bn-scaler", "bn-mean", "ln-mean", "gaussian")
HELP: dict[str, str] = field_help(DataConfig) | field_help(ModelConfig) | field_help(TrainingConfig)
DEFAULT = ModelConfig()
GIB = 2**30


def choose_config() -> tuple[RunConfig | None, bool]:
    """The configuration chosen, or None where it is refused, and whether the plain twin is wanted."""
    data: dict[str, Any] = {}
    model: dict[str, Any] = {}
    training: dict[str, Any] = {}
    data["name"] = st.selectbox(
        "Data", list(DATA_WORDS), format_func=lambda name: DATA_WORDS[name], key="set-data", bind="query-params"
    )
    text = data["name"] in TEXT_DATA
    if data["name"] in ("images", "text"):
        data["path"] = st.text_input(
            "Folder, file or https address", key="set-path", persist_state="session", help=HELP["path"]
        )
    at_path = st.container()
    model["head"] = st.selectbox(
        "Posterior head",
        TRAINED_HEADS,
        format_func=lambda name: HEAD_NAMES[name],
        key="set-head",
        bind="query-params",
        help="  \n".join(f"**{HEAD_NAMES[head]}**: {HEAD_HELP[head]}" for head in TRAINED_HEADS),
    )
    if model["head"] in SCALED:
        model["tau"] = st.slider("τ", 0.0, 0.95, 0.5, 0.05, key="set-tau", bind="query-params", help=HELP["tau"])
        model["amortised"] = st.toggle(
            "One model for every τ", key="set-amortised", bind="query-params", help=HELP["amortised"]
        )
    elif model["head"] in FIXED_SCALE:
        model["gamma"] = st.slider("γ", 0.1, 2.0, 0.5, 0.1, key="set-gamma", bind="query-params", help=HELP["gamma"])
    model["latent_dimensions"] = _number("Latent dimensions", 1, 512, 16, "latent_dimensions", key="set-dimensions")
    training["epochs"] = _number("Epochs", 1, 1000, 10, "epochs", key="set-epochs")
    twin = st.toggle(
        "Train the plain twin too",
        value=True,
        key="set-twin",
        bind="query-params",
        disabled=model["head"] == "gaussian",
        help="The plain VAE from the same seed on the same batches, side by side.",
    )
    with st.expander("More settings"):
        _network(model, text=text)
        _objective(training)
        _optimisation(training)
        _data(data, text=text)
    if not data.get("path", "elsewhere"):
        at_path.caption("Where is it? A path on the machine that runs this app, or an address that begins with https.")
        return None, twin
    try:
        config = RunConfig(data=DataConfig(**data), model=ModelConfig(**model), training=TrainingConfig(**training))
    except ValueError as error:
        say("warning", "One setting has to change before training can start:", str(error))
        return None, twin
    return config if _usable(config.data, at_path) else None, twin


def _usable(data: DataConfig, place: DeltaGenerator) -> bool:
    """Whether a visitor's own data can be trained on, as far as a glance tells; said below its field."""
    try:
        found = first_look(data)
    except ValueError as error:
        say("error", "This cannot be trained on:", str(error), place)
        return False
    if found:
        say("success", "Found.", found, place)
    return True


def _number(
    label: str, low: float, high: float, default: float, field: str, *, key: str, step: float | None = None
) -> float:
    """What is chosen for a field of the configuration, whose help it has."""
    return st.number_input(label, low, high, default, step, key=key, bind="query-params", help=HELP[field])


def _network(model: dict[str, Any], *, text: bool) -> None:
    networks = NETWORKS_OF["text" if text else "image"][:: 1 if text else -1]
    model["network"] = st.selectbox(
        "Network",
        networks,
        key="set-text-network" if text else "set-network",
        bind="query-params",
        help=HELP["network"],
    )
    model["hidden_units"] = _number(
        "Hidden units", 4, 4096, DEFAULT.hidden_units, "hidden_units", key="set-hidden", step=4
    )
    if model["network"] == "lstm":
        model["embedding_units"] = _number(
            "Embedding units", 4, 4096, DEFAULT.embedding_units, "embedding_units", key="set-embedding"
        )
        model["bidirectional"] = st.toggle(
            "Read from both ends",
            DEFAULT.bidirectional,
            key="set-bidirectional",
            bind="query-params",
            help=HELP["bidirectional"],
        )
    if text:
        poolings = get_args(PoolingName)
        model["pooling"] = st.selectbox(
            "Pooling",
            poolings,
            poolings.index(DEFAULT.pooling),
            key="set-pooling",
            bind="query-params",
            help=HELP["pooling"],
        )
    if model["network"] in ("mlp", "transformer"):
        model["layers"] = _number("Layers", 1, 24, DEFAULT.layers, "layers", key="set-layers")
    if model["network"] == "transformer":
        model["attention_heads"] = _number(
            "Attention heads", 1, 64, DEFAULT.attention_heads, "attention_heads", key="set-attention"
        )
    if model["network"] == "conv":
        model["conv_channels"] = _number("Channels", 4, 256, DEFAULT.conv_channels, "conv_channels", key="set-channels")
    if text:
        model["dropout"] = st.slider(
            "Dropout", 0.0, 0.95, 0.5, 0.05, key="set-dropout", bind="query-params", help=HELP["dropout"]
        )


def _objective(training: dict[str, Any]) -> None:
    training["beta"] = _number("β", 0.0, 1000.0, 1.0, "beta", key="set-beta", step=0.1)
    training["kl_schedule"] = st.selectbox(
        "KL weight", get_args(KlScheduleName), key="set-schedule", bind="query-params", help=HELP["kl_schedule"]
    )
    if training["kl_schedule"] != "constant":
        training["kl_warmup_epochs"] = _number(
            "Warm-up (epochs)", 0.1, 1000.0, 5.0, "kl_warmup_epochs", key="set-warmup"
        )
    for name, label in (
        ("free_bits_per_dimension", "Free bits per dimension (nats)"),
        ("free_bits_total", "Free bits in all (nats)"),
    ):
        training[name] = _number(label, 0.0, 100.0, 0.0, name, key=f"set-{name}", step=0.1)


def _optimisation(training: dict[str, Any]) -> None:
    training["batch_size"] = _number("Batch size", 1, 4096, 64, "batch_size", key="set-batch")
    training["learning_rate"] = st.number_input(
        "Learning rate",
        1e-6,
        10.0,
        1e-3,
        format="%.5f",
        key="set-rate",
        bind="query-params",
        help=HELP["learning_rate"],
    )
    training["seed"] = _number("Seed", 0, 2**31 - 1, 0, "seed", key="set-seed")
    devices = {info.name: info for info in available_devices()}
    training["device"] = st.selectbox(
        "Device",
        list(devices),
        format_func=lambda name: _device_words(devices[name]),
        key="set-device",
        persist_state="session",
        help=HELP["device"],
    )
    training["precision"] = st.selectbox(
        "Precision", get_args(PrecisionName), key="set-precision", bind="query-params", help=HELP["precision"]
    )


def _device_words(info: Any) -> str:
    free = "" if info.free_bytes is None else f", {info.free_bytes / GIB:.1f} GiB free"
    return f"{info.name} · {info.label}{free}"


def _held_back(data: dict[str, Any]) -> None:
    """Where a visitor's own examples for validation and testing are, or how many of the others are taken for it."""
    for split, most in (("validation", 0.45), ("test", 0.5)):
        path, share = f"{split}_path", f"{split}_share"
        data[path] = st.text_input(
            f"{split.capitalize()} examples", key=f"set-{split}-path", persist_state="session", help=HELP[path]
        )
        if not data[path]:
            least = 0.01 if split == "test" else 0.0
            data[share] = _number(f"Share for {split}", least, most, 0.1, share, key=f"set-{split}-share", step=0.05)


def _data(data: dict[str, Any], *, text: bool) -> None:
    data["training_examples"] = _number("Training examples", 0, 10_000_000, 0, "training_examples", key="set-examples")
    if data["name"] in OWN_DATA:
        _held_back(data)
    if text and data["name"] == "text":
        data["column"] = st.text_input(
            "Column with the sentences", "text", key="set-column", persist_state="session", help=HELP["column"]
        )
        data["label_column"] = st.text_input(
            "Column with labels", key="set-labels", persist_state="session", help=HELP["label_column"]
        )
    if text:
        data["tokenizer"] = st.selectbox(
            "Tokens", get_args(TokenizerName), key="set-tokens", bind="query-params", help=HELP["tokenizer"]
        )
        data["vocabulary_size"] = _number(
            "Vocabulary (tokens)", 8, 100_000, 10_000, "vocabulary_size", key="set-vocabulary"
        )
        data["max_tokens"] = _number("Longest sentence (tokens)", 4, 512, 64, "max_tokens", key="set-longest")
    else:
        data["image_size"] = _number("Image size (pixels)", 0, 128, 0, "image_size", key="set-size")
        data["binarise"] = st.toggle(
            "Black and white pixels", key="set-binarise", bind="query-params", help=HELP["binarise"]
        )
