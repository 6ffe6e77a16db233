"""Small configurations, and what a page shows, without a browser."""

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Multiselect

from bnvae.config.schema import DataConfig, HeadName, ModelConfig, NetworkName, RunConfig, TrainingConfig

ROOT = Path(__file__).parents[2]
PAGES = ("overview", "train", "race", "replay", "tau", "map", "explore", "samples", "compare", "runs")
TRAINED: dict[str, tuple[str, HeadName, int]] = {
    "digits-plain": ("digits", "gaussian", 4),
    "digits-scaler": ("digits", "rms-scaler", 6),
    "story-plain": ("storybook", "gaussian", 3),
    "story-bn": ("storybook", "bn-mean", 5),
}


def small(data: Any, head: HeadName, dimensions: int, **training: Any) -> RunConfig:
    """A configuration that trains in about a second."""
    network: NetworkName = "mlp" if data == "digits" else "lstm"
    sizes: dict[str, Any] = {"hidden_units": 16, "embedding_units": 8}
    return RunConfig(
        data=DataConfig(name=data, training_examples=256, max_tokens=12 if data == "storybook" else 64),
        model=ModelConfig(network=network, head=head, latent_dimensions=dimensions, **sizes),
        training=TrainingConfig(**({"epochs": 1, "batch_size": 32, "threads": 1, "record_every": 2} | training)),
    )


def checked(page: AppTest) -> AppTest:
    assert not page.exception, [error.message for error in page.exception]
    return page


def runs_choice(page: AppTest) -> "Multiselect[Any]":
    """The selector of the runs on show."""
    return next(choice for choice in page.multiselect if str(choice.key).startswith("choose-"))


def words(page: AppTest) -> str:
    """All that a page says as plain text, in its own messages or of how its runs are doing, one element a line."""
    elements = [*page.text, *page.warning, *page.error, *page.info, *page.caption, *page.markdown]
    said = [str(element.value) for element in elements]
    for state in drawn(page, "run_state"):
        said += [state["words"], state["message"], f"{state['verdict']} {state['seen']}"]
    return "\n".join(said + [previews["note"] for previews in drawn(page, "preview_sections")])


def drawn(page: AppTest, component: str) -> list[dict[str, Any]]:
    """The data that each component of this name was given."""
    found = [element.proto for element in page.get("bidi_component")]
    return [json.loads(proto.json) for proto in found if proto.component_name == f"bnvae_{component}"]


def sections(page: AppTest) -> list[dict[str, Any]]:
    """Everything decoded that a page shows, section by section."""
    return [section for shown in drawn(page, "preview_sections") for section in shown["sections"]]
