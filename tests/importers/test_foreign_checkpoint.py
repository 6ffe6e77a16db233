"""A model of somebody else's becomes a run with the figures that its own code gives."""

import copy
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from bnvae.config.schema import DataConfig
from bnvae.data import load_dataset
from bnvae.importers.foreign_checkpoint import bring_checkpoint, read_safetensors
from bnvae.jobs.evaluate_runs import evaluate_run
from bnvae.metrics.thorough import ThoroughSettings
from bnvae.nn.posterior import Posterior
from bnvae.runs import BrokenRunError, RunStore
from bnvae.runs.export.archive import export_run, import_run
from bnvae.runs.export.model_card import reproduction_card
from bnvae.training.evaluation import draw_codes
from tests.importers.foreign_vae import DESCRIPTION, ForeignVAE


@pytest.fixture(scope="module")
def module() -> ForeignVAE:
    torch.manual_seed(0)
    made = ForeignVAE()
    made.fit(load_dataset(DataConfig(**DESCRIPTION["data"])).training.examples / 255, steps=150)
    return made.eval()


def text(**changes: Any) -> str:
    return json.dumps(copy.deepcopy(DESCRIPTION) | changes)


def test_its_elbo_is_that_of_its_own_code(store: RunStore, module: ForeignVAE) -> None:
    run = bring_checkpoint(store, "mine", text(), module.state_dict())

    test = load_dataset(run.config.data).test.examples / 255
    torch.manual_seed(1)
    with torch.no_grad():
        mu, logvar = module.encode(test)
        own = torch.stack([-module.loss(test) / len(test) for _ in range(200)])
        recon_x = module.decode(draw_codes(Posterior(mu, (0.5 * logvar).exp()), 0))
    cost = functional.binary_cross_entropy(recon_x, test.flatten(1), reduction="sum") / len(test)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp())
    figures = (run.evaluation() or {})["test"]
    # With the codes that ours were: equal but for the order of sums in fp32.
    assert figures["kl_per_dimension"] == pytest.approx(kl.mean(0).tolist(), rel=1e-5)
    assert figures["distortion"] == pytest.approx(cost.item(), rel=1e-5)
    assert figures["elbo"] == pytest.approx(-(cost + kl.sum(1).mean()).item(), rel=1e-5)
    # With its own: one draw of z for each example is as far from their mean as another.
    assert figures["elbo"] == pytest.approx(own.mean().item(), abs=4 * own.std().item())


def test_it_is_shown_and_evaluated_as_any_other_run(store: RunStore, module: ForeignVAE) -> None:
    run = bring_checkpoint(store, "mine", text(), module.state_dict())

    assert run.config.source == "weights"
    assert (run.status.state, run.status.message) == ("finished", "Brought in: trained elsewhere.")
    assert not run.can_go_on
    posterior, labels = run.encodings()
    assert len(posterior.mean) == len(labels) == run.card.test_examples
    assert torch.equal(run.load_model().state_dict()["encoder.layers.1.weight"], module.fc1.weight)
    preview = run.preview()
    assert preview is not None
    assert preview.samples.shape == (16, 1, 8, 8)
    assert not run.history().steps
    thorough = evaluate_run(run, ThoroughSettings(samples=20, examples=50))["thorough"]
    assert 0 < thorough["nll"] < -(run.evaluation() or {})["test"]["elbo"] + 5
    assert thorough["bits_per_dimension"] > 0


def test_it_can_be_taken_home_and_in_again(store: RunStore, module: ForeignVAE, tmp_path: Path) -> None:
    run = bring_checkpoint(store, "mine", text(), module.state_dict())

    again = import_run(RunStore(tmp_path / "elsewhere"), export_run(run))

    assert again.evaluation() == run.evaluation()
    assert torch.equal(again.encodings()[0].mean, run.encodings()[0].mean)
    (again.folder / "description.json").write_text(text(latent_dimensions=4))
    with pytest.raises(BrokenRunError, match="another picture or of another number of latent dimensions"):
        again.load_model()
    (again.folder / "description.json").unlink()
    with pytest.raises(BrokenRunError, match=r"^mine/description\.json is missing"):
        again.load_model()


def test_its_card_does_not_claim_that_it_can_be_trained_again(store: RunStore, module: ForeignVAE) -> None:
    run = bring_checkpoint(store, "mine", text(), module.state_dict())

    with zipfile.ZipFile(io.BytesIO(reproduction_card(run))) as card:
        assert card.read("mine-card/command.txt") == b"python -m bnvae import mine.zip\n"
        assert "It was trained elsewhere." in card.read("mine-card/README.md").decode()
        assert json.loads(card.read("mine-card/description.json")) == DESCRIPTION


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"data": {"name": "digits", "image_size": 16}},
            r"image is \[1, 8, 8\]: the pictures of the data are \[1, 16, 16\]",
        ),
        ({"latent_dimensions": 6}, "mean ends in 5 numbers: expected 6"),
        ({"data": {"name": "images", "path": "/nowhere"}}, "path is '/nowhere'"),
        (
            {"log_variance": [{"linear": "fc22"}, *[{"leaky_relu": 1}]], "mean": [{"linear": "fc21"}, "swish"]},
            "unknown layer or activation",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_refused_leaves_nothing(
    store: RunStore, module: ForeignVAE, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        bring_checkpoint(store, "mine", text(**changes), module.state_dict())

    assert not store.root.exists() or not list(store.root.iterdir())


def test_a_std_of_zero_or_less_is_refused_with_what_to_check(store: RunStore, module: ForeignVAE) -> None:
    described = {name: value for name, value in DESCRIPTION.items() if name != "log_variance"}
    described["std"] = [{"linear": "fc22"}]

    with pytest.raises(ValueError, match="test examples get a posterior that is not finite or has a std of 0 or less"):
        bring_checkpoint(store, "mine", json.dumps(described), module.state_dict())

    assert not list(store.root.iterdir())


def test_a_taken_name_is_refused_and_the_run_there_stays(store: RunStore, module: ForeignVAE) -> None:
    run = bring_checkpoint(store, "mine", text(), module.state_dict())
    before = run.evaluation()

    with pytest.raises(ValueError, match="run is 'mine': that name is taken"):
        bring_checkpoint(store, "mine", text(), module.state_dict())

    assert run.evaluation() == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xff" * 16, b"\x10\0\0\0\0\0\0\0{}"], ids=repr)
def test_what_is_no_safetensors_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no safetensors"):
        read_safetensors(content)
