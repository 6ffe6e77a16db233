"""Nothing regular stands for a whole data set: neither every k-th row nor the first few."""

import ast
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from bnvae.config.schema import DataConfig, ModelConfig, RunConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset, ImageShape, Split
from bnvae.data.limits import training_rows
from bnvae.data.random_subset import random_subset, subset_order
from bnvae.latent.tau_frames import price
from bnvae.metrics import test_set
from bnvae.metrics.estimators.bn_modes import in_training_mode
from bnvae.metrics.factors import factor_information as information
from bnvae.metrics.thorough import ThoroughSettings, thorough_figures
from bnvae.nn.networks.image import MEAN_EXAMPLES
from bnvae.nn.posterior import Posterior
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import draw_codes, encode
from bnvae.training.sampler import mix
from bnvae.training.trainer import EVALUATION_EXAMPLES, Trainer

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for part in ("bnvae", "pages", "benchmarks") for path in (ROOT / part).rglob("*.py"))
SHAPE = ImageShape(channels=1, height=4, width=4)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_slice_takes_every_kth_row(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Slice) and node.step is not None:
            is_stride = isinstance(node.step, (ast.Name, ast.Attribute, ast.Call, ast.BinOp))
            assert not is_stride, f"line {node.lineno}: {ast.unparse(node)}; draw with random_subset"


@pytest.mark.parametrize("path", [path for path in SOURCES if "bnvae" in path.parts[-3:]], ids=str)
def test_no_head_of_a_split_stands_for_it(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            of_split = isinstance(node.value, ast.Attribute) and node.value.attr in ("examples", "labels")
            is_head = node.slice.lower is None and node.slice.upper is not None
            assert not (of_split and is_head), f"line {node.lineno}: {ast.unparse(node)}; draw with random_subset"


def sorted_split(count: int, kinds: int = 2) -> Split:
    """Pictures of one brightness a kind, one kind after another; the label is the kind."""
    kind = torch.arange(count) * kinds // count
    pixels = (kind * (200 // max(1, kinds - 1)) + 20).to(torch.uint8)
    return Split(examples=pixels[:, None, None, None].expand(-1, 1, 4, 4).contiguous(), labels=kind)


def test_any_beginning_of_the_order_is_the_subset_of_that_size() -> None:
    order = subset_order(1_000, seed=3)
    assert sorted(order.tolist()) == list(range(1_000))
    for most in (1, 10, 999):
        assert torch.equal(order[:most].sort().values, random_subset(1_000, most, seed=3))


def test_fewer_training_examples_of_a_sorted_file_have_all_of_its_classes() -> None:
    labels = np.arange(60_000) // 6_000
    rows = training_rows(DataConfig(name="mnist", training_examples=1_000), 60_000)
    counts = np.bincount(labels[rows], minlength=10)
    assert len(set(rows.tolist())) == 1_000
    assert np.all(abs(counts - 100) < 5 * np.sqrt(1_000 * 0.1 * 0.9))  # five standard deviations of such a count
    other = training_rows(DataConfig(name="mnist", training_examples=1_000, seed=1), 60_000)
    assert not np.array_equal(rows, other)
    assert np.array_equal(training_rows(DataConfig(name="mnist"), 60_000), np.arange(60_000))


def test_a_configuration_of_an_earlier_version_goes_on_with_the_first_examples() -> None:
    stored = json.loads(RunConfig(data=DataConfig(name="mnist", training_examples=50)).to_json())
    del stored["data"]["subset"]
    older = RunConfig.from_json(json.dumps(stored))
    assert np.array_equal(training_rows(older.data, 60_000), np.arange(50))
    stored["data"]["training_examples"] = 0
    assert RunConfig.from_json(json.dumps(stored)) == RunConfig(data=DataConfig(name="mnist"))


def test_the_examples_that_a_training_watches_are_a_random_part_of_a_sorted_split(tiny: RunConfig) -> None:
    held = sorted_split(2 * EVALUATION_EXAMPLES)
    model = VAE.build("mlp", tiny.model, SHAPE, seed=0)
    trainer = Trainer(model, sorted_split(64), held, tiny.training)
    chosen = held.labels[trainer.validation_rows].double()
    assert len(chosen) == EVALUATION_EXAMPLES
    assert abs(chosen.mean().item() - 0.5) < 5 * 0.5 / EVALUATION_EXAMPLES**0.5
    assert torch.equal(trainer.validation_examples, held.examples[trainer.validation_rows])


def test_decoders_begin_at_the_mean_of_a_file_that_alternates() -> None:
    count = 3 * MEAN_EXAMPLES
    pixels = torch.where(torch.arange(count) % 3 == 0, 10, 160).to(torch.uint8)
    config = ModelConfig(network="mlp", hidden_units=8, latent_dimensions=2)
    model = VAE.build("mlp", config, SHAPE, seed=0)
    model.decoder.begin_at(pixels[:, None, None, None].expand(-1, 1, 4, 4))
    begun = torch.sigmoid(dict(model.decoder.named_parameters())["output.bias"][0]).item()
    # Five standard errors of the mean of two brightnesses, 150 apart, one of which has a third of the pictures.
    assert begun * 255 == pytest.approx(110, abs=5 * 150 * (2 / 9) ** 0.5 / MEAN_EXAMPLES**0.5)


def test_every_batch_of_a_sorted_set_in_training_mode_is_a_mixed_one(tiny: RunConfig) -> None:
    model, seen = VAE.build("mlp", tiny.model, SHAPE, seed=0), []
    model.encoder.register_forward_pre_hook(lambda _, given: seen.append(given[0].flatten(1)[:, 0]))
    in_training_mode(model, sorted_split(640, kinds=5).examples, 64)
    assert len(seen) == 10
    assert all(len(batch.unique()) > 1 for batch in seen)


def test_mutual_information_is_estimated_on_a_random_part(monkeypatch: pytest.MonkeyPatch) -> None:
    # The first half has one posterior for all, the second two: 0 and ln 2 nats, and of a mixed part what lies between.
    monkeypatch.setattr(test_set, "MUTUAL_INFORMATION_EXAMPLES", 400)
    mean = torch.zeros(800, 1)
    mean[400:600], mean[600:] = -10.0, 10.0
    posterior = Posterior(mean, torch.full_like(mean, 0.5))
    found = test_set.posterior_figures(posterior, draw_codes(posterior, 0))
    rows = random_subset(800, 400)
    shares = torch.bincount((mean[rows, 0] / 10).long() + 1).double() / 400
    assert found["mutual_information"] == pytest.approx(-(shares * shares.log()).sum().item(), abs=0.02)
    assert found["mutual_information_examples"] == 400


def test_what_a_dimension_tells_is_measured_on_a_random_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(information, "MOST_EXAMPLES", 500)
    values = torch.arange(2_000) // 1_000  # the first 500 all have the same value
    mean = (2.0 * values - 1)[:, None]
    found = information.factor_information(Posterior(mean, torch.full_like(mean, 0.1)), {"kind": values})
    assert found.entropy[0].item() == pytest.approx(0.6931, abs=0.01)
    assert found.information[0, 0].item() > 0.6


def test_a_price_is_averaged_over_a_random_part(tiny: RunConfig) -> None:
    examples = sorted_split(1_000).examples
    model = VAE.build("mlp", tiny.model, SHAPE, seed=0).eval()
    rows = random_subset(1_000, 128)
    some = examples[rows]
    posterior = encode(model, some)
    # The noise of a strip: each example has its own, whichever of them are chosen.
    noise = torch.randn(1_000, tiny.model.latent_dimensions, generator=torch.Generator().manual_seed(mix(8, 1)))
    codes = posterior.mean + posterior.std * noise[rows]
    expected = -model.likelihood(codes, some).log_prob(some).double().mean().item()
    assert price(model, examples) == pytest.approx(expected, rel=1e-5)


def test_thorough_figures_of_fewer_examples_are_of_a_random_part(tiny: RunConfig) -> None:
    dataset = load_dataset(tiny.data)
    halves = sorted_split(200)
    made = dataclasses.replace(dataset, shape=SHAPE, training=sorted_split(64), test=halves)
    assert isinstance(made, Dataset)
    model = VAE.build("mlp", tiny.model, SHAPE, seed=0).eval()
    bright, some = (
        thorough_figures(model, made, ThoroughSettings(samples=5, examples=count), batch_size=16)["nll"]
        for count in (0, 100)
    )
    dark = dataclasses.replace(made, test=Split(examples=halves.examples[:100], labels=halves.labels[:100]))
    of_half = thorough_figures(model, dark, ThoroughSettings(samples=5), batch_size=16)["nll"]
    assert abs(some - bright) < abs(of_half - bright) / 2  # type: ignore[operator]
