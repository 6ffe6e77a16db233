"""What was trained elsewhere, on every page: shown where it can be, and said why not where it can't."""

import json
from collections.abc import Callable

import pytest
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from bnvae.importers.arrays import bring_arrays
from bnvae.importers.foreign_checkpoint import bring_checkpoint
from bnvae.runs import RunStore
from tests.importers.foreign_vae import DESCRIPTION, ForeignVAE
from tests.importers.test_arrays import packed
from tests.pages.reading import PAGES, checked, drawn, words

Visit = Callable[..., AppTest]
OF_TRAINING = ("overview", "train", "race", "replay")


@pytest.fixture
def brought(empty: RunStore) -> RunStore:
    torch.manual_seed(0)
    bring_checkpoint(empty, "model", json.dumps(DESCRIPTION), ForeignVAE().state_dict())
    bring_arrays(empty, "arrays", packed(), file="codes.npz")
    return empty


@pytest.mark.parametrize("name", PAGES)
def test_every_page_takes_both(name: str, brought: RunStore, visit: Visit) -> None:
    page = visit(name, "model", "arrays")

    assert not page.error
    if name in OF_TRAINING:
        assert words(page).count("This run was brought in: there is no training of it to watch.") == 2
    if name in ("explore", "samples", "tau"):
        assert words(page).count("This run is arrays alone: nothing can be decoded without its model.") == 1


def test_the_table_says_what_they_are(brought: RunStore, visit: Visit) -> None:
    table = visit("runs").dataframe[0].value.set_index("run")

    assert table.loc["model", "head"] == "plain VAE, trained elsewhere"
    assert table.loc["arrays", "head"] == "posteriors alone"
    assert table.loc["arrays", "data"] == "codes.npz"
    assert table["ELBO"].isna().to_dict() == {"model": False, "arrays": True}


def test_arrays_are_compared_by_what_is_known_of_them(brought: RunStore, visit: Visit) -> None:
    page = visit("compare", "arrays")

    (table,) = drawn(page, "figure_table")
    assert table["rows"][0]["group"] == "codes.npz · 40 codes"
    (verdicts,) = drawn(page, "verdicts")
    assert "Bring in its model" in json.dumps(verdicts)
    assert "Evaluate it thoroughly" not in json.dumps(verdicts)
    for view, reason in (
        ("Rate and distortion", "Arrays alone have a rate and no distortion"),
        ("Loss ledger", "Arrays alone have no loss to count"),
        ("Curves", "None of these runs has a history of this quantity."),
    ):
        assert reason in words(visit("compare", "arrays", view=view))


def take_in(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    page.file_uploader[0].set_value([(name, content, "application/octet-stream") for name, content in files])
    page.run()
    next(button for button in page.button if button.label == "Take it in").click()
    return checked(page.run())


def test_a_model_and_arrays_are_taken_in_on_the_page(empty: RunStore, visit: Visit) -> None:
    torch.manual_seed(0)
    weights, described = save(ForeignVAE().state_dict()), json.dumps(DESCRIPTION).encode()

    take_in(visit("runs"), ("net.safetensors", weights), ("vae.json", described))
    take_in(visit("runs"), ("codes.npz", packed()))

    assert {run.id: run.config.source for run in empty.runs()} == {"net": "weights", "codes": "arrays"}


def test_what_is_refused_is_said_and_leaves_nothing(empty: RunStore, visit: Visit) -> None:
    changed = json.dumps(DESCRIPTION | {"encoder": ["flatten", {"linear": "fc1"}, "<b>swish</b>"]}).encode()

    page = take_in(visit("runs"), ("net.safetensors", save(ForeignVAE().state_dict())), ("vae.json", changed))

    assert [error.value for error in page.error] == ["This is refused:"]
    assert page.text[-1].value.startswith("encoder[2] is '<b>swish</b>', an unknown layer or activation: known are")
    assert not empty.runs()
