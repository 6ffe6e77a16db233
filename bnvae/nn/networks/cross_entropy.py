"""Log-probabilities of tokens under a large output layer, without ever holding all logits."""

from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

LOGITS_AT_ONCE = 2**20
"""logits held at a time (numbers): 4 MiB, which the allocator reuses; with fewer, passes over the gradient cost more"""


def log_prob_of_targets(
    hidden: Float[Tensor, "N H"], weight: Float[Tensor, "V H"], bias: Float[Tensor, "V"], targets: Int[Tensor, "N"]
) -> Float[Tensor, "N"]:
    """ln softmax(hidden W^T + b) at each target, in nats, float32; the products run in autocast's type."""
    device = hidden.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
    # The casts are outside, so that autograd returns every gradient in the type of its own parameter.
    inputs = (hidden.to(dtype), weight.to(dtype), bias, targets)
    if not torch.is_grad_enabled():
        return _evaluate(*inputs, None, wants_gradient=False)[0]
    log_probs: Tensor = _LogProbOfTargets.apply(*inputs)
    return log_probs


@final
class _LogProbOfTargets(torch.autograd.Function):
    """Takes the gradient while each chunk of logits is in cache, instead of storing or recomputing them.

    d ln p(target) / d logits = onehot(target) - p. The gradient of the hidden vectors can wait for the weight g_n that
    the loss gives to each token, but that of the output layer sums over tokens; here it is summed as if every g_n were
    equal, which a mean over examples makes true. Where they differ, `backward` computes it again with the true g_n.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
        wants_gradient = any(ctx.needs_input_grad)
        log_probs, ctx.gradients = _evaluate(hidden, weight, bias, targets, None, wants_gradient=wants_gradient)
        ctx.save_for_backward(hidden, weight, bias, targets)
        return log_probs

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        # Taken away at the first call: they are scaled in place, and a second call finds nothing and computes anew.
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is not None and bool((upstream == upstream[:1]).all()):
            scale = upstream[:1].sum()
            return (*(each.mul_(scale) for each in gradients), None)
        hidden, weight, bias, targets = ctx.saved_tensors
        _, gradients = _evaluate(hidden, weight, bias, targets, upstream, wants_gradient=True)
        return (*gradients, None)


def _evaluate(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor,
    targets: Tensor,
    upstream: Tensor | None,
    *,
    wants_gradient: bool,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Log-probabilities, and the gradients of their sum weighted by `upstream` (None: by one)."""
    count, vocabulary = len(hidden), len(weight)
    log_probs = torch.empty(count, dtype=torch.float32, device=hidden.device)
    if wants_gradient:
        of_hidden = torch.empty_like(hidden)
        of_weight, of_bias = torch.zeros_like(weight), torch.zeros_like(bias, dtype=torch.float32)
    chunk = max(1, LOGITS_AT_ONCE // vocabulary)
    for start in range(0, count, chunk):
        part = slice(start, start + chunk)
        target = targets[part, None]
        scores = torch.addmm(bias.to(weight.dtype), hidden[part], weight.t()).float()
        top = scores.amax(1, keepdim=True)
        target_score = scores.gather(1, target) - top
        scores.sub_(top).exp_()
        total = scores.sum(1, keepdim=True)
        log_probs[part] = (target_score - total.log()).squeeze(1)
        if not wants_gradient:
            continue
        # scores = total * (p - onehot), and the factor -g / total is applied to the small matrices beside it.
        scores.scatter_add_(1, target, -total)
        factor = -1 / total if upstream is None else -upstream[part, None] / total
        narrow = scores.to(weight.dtype)
        of_hidden[part] = (narrow @ weight).mul_(factor)
        of_weight.addmm_(narrow.t(), (hidden[part] * factor).to(weight.dtype))
        of_bias.addmv_(scores.t(), factor.squeeze(1))
    return log_probs, (of_hidden, of_weight, of_bias.to(bias.dtype)) if wants_gradient else ()
