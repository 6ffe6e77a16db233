import pytest
import torch
from torch import Tensor
from torch.nn import functional

from bnvae.nn.networks import cross_entropy
from bnvae.nn.networks.cross_entropy import log_prob_of_targets

Inputs = tuple[Tensor, Tensor, Tensor, Tensor]


@pytest.fixture(params=[1, 60, 2**20], ids=["one token at a time", "chunks with a remainder", "all at once"])
def inputs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Inputs:
    monkeypatch.setattr(cross_entropy, "LOGITS_AT_ONCE", request.param)
    draw = torch.Generator().manual_seed(0)
    hidden, weight = torch.randn(23, 8, generator=draw), torch.randn(17, 8, generator=draw)
    bias, targets = torch.randn(17, generator=draw), torch.randint(17, (23,), generator=draw)
    return hidden.requires_grad_(), weight.requires_grad_(), bias.requires_grad_(), targets


def plain(hidden: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    return -functional.cross_entropy(functional.linear(hidden, weight, bias), targets, reduction="none")


def test_values_equal_torchs_cross_entropy(inputs: Inputs) -> None:
    # 1e-5: float32 sums in another order.
    torch.testing.assert_close(log_prob_of_targets(*inputs), plain(*inputs), atol=1e-5, rtol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(log_prob_of_targets(*inputs), plain(*inputs), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("weights", ["equal", "different", "zero"])
def test_gradients_equal_torchs(inputs: Inputs, weights: str) -> None:
    of_tokens = {"equal": torch.full((23,), -0.25), "different": torch.randn(23), "zero": torch.zeros(23)}[weights]
    expected = torch.autograd.grad(plain(*inputs), inputs[:3], of_tokens)
    found = torch.autograd.grad(log_prob_of_targets(*inputs), inputs[:3], of_tokens)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_a_second_backward_gives_the_same_gradients(inputs: Inputs) -> None:
    total = log_prob_of_targets(*inputs).sum()
    first = [gradient.clone() for gradient in torch.autograd.grad(total, inputs[:3], retain_graph=True)]
    torch.testing.assert_close(list(torch.autograd.grad(total, inputs[:3])), first, atol=1e-5, rtol=1e-5)


def test_frozen_inputs_get_no_gradient(inputs: Inputs) -> None:
    hidden, weight, bias, targets = inputs
    torch.autograd.backward(log_prob_of_targets(hidden, weight.detach(), bias.detach(), targets).sum())
    assert hidden.grad is not None
    assert weight.grad is None


def test_huge_logits_stay_finite(inputs: Inputs) -> None:
    hidden, weight, bias, targets = inputs
    found = log_prob_of_targets(hidden * 1e4, weight, bias, targets)
    torch.testing.assert_close(found, plain(hidden * 1e4, weight, bias, targets), rtol=1e-5, atol=0.1)


def test_no_tokens_give_no_log_probabilities_and_zero_gradients(inputs: Inputs) -> None:
    hidden, weight, bias, targets = inputs
    found = log_prob_of_targets(hidden[:0], weight, bias, targets[:0])
    assert found.shape == (0,)
    torch.autograd.backward(found.sum())
    assert weight.grad is not None
    assert not weight.grad.any()


def test_bf16_products_give_float32_log_probabilities_and_float32_gradients(inputs: Inputs) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        found = log_prob_of_targets(*inputs)
    assert found.dtype == torch.float32
    # Logits of bf16 are off by 2^-9 of their size, here up to 12.
    torch.testing.assert_close(found, plain(*inputs), atol=0.1, rtol=0.01)
    torch.autograd.backward(found.sum())
    expected = torch.autograd.grad(plain(*inputs).sum(), inputs[:3])
    for given, gradient in zip(inputs[:3], expected, strict=True):
        assert given.grad is not None
        assert given.grad.dtype == torch.float32
        assert (given.grad - gradient).norm() < 0.02 * gradient.norm()
