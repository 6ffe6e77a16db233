"""Batch normalisation: against nn.BatchNorm1d, numpy, and itself in two processes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bnvae import HEADS, BatchNormScalerHead, PosteriorHead, RootMeanSquareScalerHead, recompute_moments
from bnvae.nn.normalization import BatchMoments, BatchStandardiser, RootMeanSquareNormaliser, exact_moments

LAYERS: list[type[BatchMoments]] = [BatchStandardiser, RootMeanSquareNormaliser]
SCALERS: list[type[BatchNormScalerHead] | type[RootMeanSquareScalerHead]] = [
    BatchNormScalerHead,
    RootMeanSquareScalerHead,
]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_standardiser_is_batch_norm_without_scale_and_shift() -> None:
    values = random(32, 6) * 3 + 5
    ours, theirs = values.clone().requires_grad_(), values.clone().requires_grad_()
    upstream = random(32, 6, seed=1)
    got = BatchStandardiser(6)(ours)
    wanted = nn.BatchNorm1d(6, affine=False, eps=1e-8)(theirs)
    got.backward(upstream)
    wanted.backward(upstream)
    assert ours.grad is not None
    assert theirs.grad is not None
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)  # sums in another order
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-5)


def test_the_standardiser_keeps_its_precision_far_from_zero() -> None:
    # E[x^2] - E[x]^2 in fp32 would be off by 100 % here.
    values = random(64, 3) + 3000
    standardised = BatchStandardiser(3)(values).double()
    torch.testing.assert_close(standardised.square().mean(0), torch.ones(3, dtype=torch.float64), atol=1e-3, rtol=0)


def test_the_rms_normaliser_gives_a_second_moment_of_one_and_keeps_signs() -> None:
    values = random(32, 6).abs() + 0.1
    normalised = RootMeanSquareNormaliser(6)(values)
    torch.testing.assert_close(normalised.square().mean(0), torch.ones(6))
    assert (normalised > 0).all()


@pytest.mark.parametrize("layer", LAYERS)
def test_the_gradient_is_that_of_finite_differences(layer: type[BatchMoments]) -> None:
    module = layer(3).double()
    assert torch.autograd.gradcheck(module, (random(8, 3).double().requires_grad_(),))


@pytest.mark.parametrize(("rows", "value"), [(16, 0.25), (8, -17.123), (100, 10_000 / 3)])
@pytest.mark.parametrize("layer", LAYERS)
def test_a_dimension_that_never_varies_becomes_zero_or_one_and_not_noise(
    layer: type[BatchMoments], rows: int, value: float
) -> None:
    values = torch.full((rows, 1), value, requires_grad=True)
    answer = layer(1)(values)
    answer.sum().backward()
    assert answer.detach().abs().max() <= 1 + 1e-6
    assert values.grad is not None
    assert torch.isfinite(values.grad).all()


@pytest.mark.parametrize("layer", LAYERS)
def test_stored_moments_of_unequal_batches_are_those_of_all_rows(layer: type[BatchMoments]) -> None:
    batches = [random(size, 4, seed=size) * size + size for size in (3, 8, 1, 20)]
    module = layer(4)
    recompute_moments(module, batches)
    pooled = np.concatenate([batch.double().numpy() for batch in batches])
    center = pooled.mean(0) if layer is BatchStandardiser else np.zeros(4)
    square = ((pooled - center) ** 2).mean(0)
    np.testing.assert_allclose(module.center.numpy(), center, rtol=1e-6)
    np.testing.assert_allclose(module.square.numpy(), square, rtol=1e-6)


@pytest.mark.parametrize("layer", LAYERS)
def test_recomputing_keeps_the_mode_and_collects_no_more(layer: type[BatchMoments]) -> None:
    module = layer(4).train()
    recompute_moments(module, [random(8, 4)])
    assert module.training
    stored = module.square.clone()
    module.eval()(random(8, 4, seed=1) * 10)
    torch.testing.assert_close(module.square, stored, rtol=0, atol=0)


def test_moments_stay_as_they_were_when_collecting_fails() -> None:
    module = BatchStandardiser(2).eval()
    with pytest.raises(RuntimeError, match=r"mat1|size"), exact_moments(module):
        module(torch.cat([module(random(8, 2) * 5), random(8, 3)]))
    assert module.square.tolist() == [1, 1]
    module(random(8, 2))
    assert module._collected is None


@pytest.mark.parametrize("head", SCALERS)
def test_identities_hold_in_eval_mode_after_recomputing(
    head: type[BatchNormScalerHead] | type[RootMeanSquareScalerHead],
) -> None:
    torch.manual_seed(0)
    layer = head(10, 6, tau=0.3)
    batches = [random(size, 10, seed=size) * 2 + 1 for size in (64, 64, 17)]
    recompute_moments(layer, batches)
    layer.eval()
    posterior = layer(torch.cat(batches))
    second_moment = (posterior.mean.square() + posterior.std.square()).mean(0)
    torch.testing.assert_close(second_moment, torch.ones(6), atol=1e-3, rtol=0)
    torch.testing.assert_close(posterior.mean.mean(0), torch.zeros(6), atol=1e-3, rtol=0)
    assert (posterior.kl_per_dimension().mean(0) >= layer.fixed_floor() - 1e-3).all()


def test_exponential_averages_lag_behind_a_moving_encoder() -> None:
    # Why moments are recomputed: the encoder's outputs grow by 30 % a step, and the averages know only the past.
    layer = BatchStandardiser(4)
    values = random(256, 4)
    for step in range(20):
        layer(values * 1.3**step)
    layer.eval()
    assert (layer(values * 1.3**19).square().mean(0) > 2).all()
    recompute_moments(layer, [values * 1.3**19])
    torch.testing.assert_close(layer(values * 1.3**19).square().mean(0), torch.ones(4), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["gaussian", "ln-mean"])
def test_heads_without_moments_may_be_recomputed_as_well(name: str) -> None:
    head: PosteriorHead = HEADS[name](10, 4)
    before = {key: value.clone() for key, value in head.state_dict().items()}
    recompute_moments(head, [random(8, 10)])
    assert all(torch.equal(value, before[key]) for key, value in head.state_dict().items())


NAMES = ("bn-mean", "bn-scaler", "rms-scaler")
PART_WORKER = """
import sys, torch
from bnvae import HEADS
rank, folder = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
for name, (state, features) in torch.load(f"{folder}/given.pt", weights_only=True).items():
    head = HEADS[name](6, 3)
    head.load_state_dict(state)
    # Unequal parts: the count has to travel with the sums.
    features = features.split([10, 6])[rank].requires_grad_()
    posterior = head(features)
    ((posterior.mean * 3).sin().sum() + (posterior.std * 2).cos().sum()).backward()
    gradients = [parameter.grad for parameter in head.parameters()]
    for gradient in gradients:
        torch.distributed.all_reduce(gradient)
    answer = [posterior.mean.detach(), posterior.std.detach(), features.grad, gradients]
    torch.save(answer, f"{folder}/{name}-{rank}.pt")
torch.distributed.destroy_process_group()
"""


def test_two_processes_with_a_part_each_are_one_with_the_whole_batch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    heads, features = {name: HEADS[name](6, 3) for name in NAMES}, random(16, 6)
    torch.save({name: (head.state_dict(), features) for name, head in heads.items()}, tmp_path / "given.pt")
    command = [sys.executable, "-W", "error", "-c", PART_WORKER]
    workers = [subprocess.Popen([*command, str(rank), str(tmp_path)]) for rank in range(2)]
    assert [worker.wait(120) for worker in workers] == [0, 0]
    for name, head in heads.items():
        whole = features.clone().requires_grad_()
        posterior = head(whole)
        ((posterior.mean * 3).sin().sum() + (posterior.std * 2).cos().sum()).backward()
        assert whole.grad is not None
        parts = [torch.load(tmp_path / f"{name}-{rank}.pt", weights_only=True) for rank in range(2)]
        # Sums in another order, and gradients of size 1 to 10.
        for index, wanted in enumerate((posterior.mean.detach(), posterior.std.detach(), whole.grad)):
            torch.testing.assert_close(torch.cat([part[index] for part in parts]), wanted, atol=1e-4, rtol=1e-4)
        for own, *theirs in zip(head.parameters(), *(part[3] for part in parts), strict=True):
            if own.grad is None:
                continue
            for gradient in theirs:
                torch.testing.assert_close(gradient, own.grad, atol=1e-4, rtol=1e-4)
