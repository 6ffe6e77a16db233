"""Figures do not depend on how many examples are computed at once, nor on the device that computes them."""

import dataclasses

import pytest
import torch

from bnvae.config.schema import HeadName, RunConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset
from bnvae.metrics.test_set import Evaluation, evaluate
from bnvae.nn.losses import ElboTerms, loss
from bnvae.nn.vae import VAE
from bnvae.training import evaluation
from bnvae.training.device import available_devices
from bnvae.training.evaluation import distortions, draw_codes, encode, recompute_statistics

HEADS: tuple[HeadName, ...] = ("gaussian", "bn-mean", "bn-scaler", "rms-scaler", "ln-mean")
each_head = pytest.mark.parametrize("head", HEADS)
each_modality = pytest.mark.parametrize("kind", ["tiny", "tiny_text"])


def built(kind: str, head: HeadName, request: pytest.FixtureRequest) -> tuple[VAE, Dataset]:
    tiny: RunConfig = request.getfixturevalue(kind)
    config = dataclasses.replace(tiny, model=dataclasses.replace(tiny.model, head=head))
    dataset = load_dataset(config.data)
    return VAE.build(config.network, config.model, dataset.shape, seed=0), dataset


def figures(model: VAE, dataset: Dataset) -> Evaluation:
    recompute_statistics(model, dataset.training.examples[:100])
    return evaluate(model, dataset.test.examples[:50])


@each_head
@each_modality
def test_an_evaluation_does_not_depend_on_its_batches(
    kind: str, head: HeadName, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, dataset = built(kind, head, request)
    whole = figures(model, dataset)
    for size in (1, 7, 100):
        monkeypatch.setattr(evaluation, "CHUNK_EXAMPLES", size)
        parts = figures(model, dataset)
        # Products of other shapes are summed in another order in fp32.
        assert (parts.elbo, parts.rate) == pytest.approx((whole.elbo, whole.rate), rel=1e-4)
        assert parts.kl_per_dimension == pytest.approx(whole.kl_per_dimension, rel=1e-3, abs=1e-5)
        assert parts.mutual_information == pytest.approx(whole.mutual_information, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("head", ["gaussian", "ln-mean"])
@each_modality
def test_the_gradient_of_a_batch_is_the_mean_of_its_halves(
    kind: str, head: HeadName, request: pytest.FixtureRequest
) -> None:
    # Without moments of the batch an example's loss knows nothing of the others.
    model, dataset = built(kind, head, request)
    model.eval()  # no dropout, and z is the posterior mean: halves and whole have the same noise, none

    def gradients(start: int, end: int) -> list[torch.Tensor]:
        model.zero_grad()
        examples = dataset.training.examples[start:end]
        posterior = model.posterior(examples)
        likelihood = model.likelihood(posterior.mean, examples)
        loss(ElboTerms(-likelihood.log_prob(examples), posterior.kl_per_dimension())).backward()  # type: ignore[no-untyped-call]
        return [each.grad.clone() for each in model.parameters() if each.grad is not None]

    halves = zip(gradients(0, 16), gradients(16, 32), strict=True)
    for whole, (first, second) in zip(gradients(0, 32), halves, strict=True):
        torch.testing.assert_close(whole, (first + second) / 2, rtol=1e-4, atol=1e-5)


@each_head
@each_modality
@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_graphics_processor_gives_the_figures_of_a_processor(
    device: str, kind: str, head: HeadName, request: pytest.FixtureRequest
) -> None:
    if device not in [info.name for info in available_devices()]:
        pytest.skip(f"this machine has no {device}")
    model, dataset = built(kind, head, request)
    examples = dataset.test.examples[:50]
    found = {}
    for name in ("cpu", device):
        model.to(name)
        recompute_statistics(model, dataset.training.examples[:100])
        posterior = encode(model, examples)
        codes = draw_codes(posterior, 0)
        found[name] = posterior.mean, posterior.std, distortions(model, examples, codes)
    for ours, theirs in zip(found["cpu"], found[device], strict=True):
        # Some graphics processors round the factors of products to 10 bits; a normalisation magnifies that.
        torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=1e-2)
