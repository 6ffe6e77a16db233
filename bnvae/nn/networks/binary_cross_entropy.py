"""Log-probabilities of grey pixels under a Bernoulli, in half the time of torch's own."""

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor


def log_prob_of_pixels(logits: Float[Tensor, "B P"], pixels: Float[Tensor, "B P"]) -> Float[Tensor, "B"]:
    """Sum over pixels x of x ln p + (1 - x) ln(1 - p), in nats, with p = sigmoid(logits); pixels get no gradient.

    -`binary_cross_entropy_with_logits`, whose `logsigmoid` alone took 3 % of a small network's step (measured).
    """
    log_probs: Tensor = _LogProbOfPixels.apply(logits, pixels)
    return log_probs


@final
class _LogProbOfPixels(torch.autograd.Function):
    """x l - max(l, 0) + ln sigmoid(|l|) in few passes over memory, and d / dl = x - sigmoid(l).

    sigmoid(|l|) is at least 1/2, where float32 is off by 6e-8 at most, and so is its logarithm.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, pixels: Tensor) -> Tensor:
        ctx.save_for_backward(logits, pixels)
        return logits.abs().sigmoid_().log_().addcmul_(pixels, logits).sub_(logits.relu()).sum(1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        logits, pixels = ctx.saved_tensors
        return logits.sigmoid().neg_().add_(pixels).mul_(upstream[:, None]), None
