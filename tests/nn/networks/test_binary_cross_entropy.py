import pytest
import torch
from torch import Tensor
from torch.nn import functional

from bnvae.nn.networks.binary_cross_entropy import log_prob_of_pixels

SCALES = [0.0, 1e-3, 1.0, 20.0, 1e3]


def drawn(scale: float) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    pixels = torch.rand(7, 30, generator=draw)
    pixels[:, :5], pixels[:, 5:10] = 0, 1  # most pixels of real pictures
    return (scale * torch.randn(7, 30, generator=draw)).requires_grad_(), pixels


def exact(logits: Tensor, pixels: Tensor) -> Tensor:
    each = functional.binary_cross_entropy_with_logits(logits.double(), pixels.double(), reduction="none")
    return -each.sum(1)


@pytest.mark.parametrize("scale", SCALES)
def test_values_equal_torchs_in_float64(scale: float) -> None:
    logits, pixels = drawn(scale)
    found = log_prob_of_pixels(logits, pixels)
    assert found.dtype == torch.float32
    # 30 pixels, each off by half of float32's 1.2e-7 near 1; relatively where the logits are large.
    torch.testing.assert_close(found.double(), exact(logits, pixels), atol=4e-6, rtol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_gradients_equal_torchs(scale: float) -> None:
    logits, pixels = drawn(scale)
    weights = torch.randn(7, generator=torch.Generator().manual_seed(1))
    (expected,) = torch.autograd.grad(exact(logits, pixels), logits, weights.double())
    (found,) = torch.autograd.grad(log_prob_of_pixels(logits, pixels), logits, weights)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


def test_the_arguments_are_left_as_they_are() -> None:
    logits, pixels = drawn(1.0)
    before = logits.detach().clone(), pixels.clone()
    log_prob_of_pixels(logits, pixels).sum().backward()  # type: ignore[no-untyped-call]
    assert torch.equal(logits, before[0])
    assert torch.equal(pixels, before[1])


def test_a_logit_that_is_not_finite_is_not_hidden() -> None:
    logits, pixels = drawn(1.0)
    with torch.no_grad():
        logits[3, 3] = torch.nan
        logits[4, 4] = torch.inf
    found = log_prob_of_pixels(logits, pixels)
    assert found.isfinite().tolist() == [True, True, True, False, False, True, True]
