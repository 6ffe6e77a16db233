"""Sentences from latent codes: the likeliest token each time, a drawn one, or a beam of the likeliest beginnings."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int32
from torch import Tensor

from bnvae.data.dataset import END, PAD, START, UNKNOWN
from bnvae.nn.networks.text import TextDecoder, TextState

MODES = ("greedy", "sample", "beam")
NEVER_WRITTEN = [PAD, START, UNKNOWN]


@torch.no_grad()
def decode(
    decoder: TextDecoder,
    z: Float[Tensor, "B D"],
    *,
    tau: Float[Tensor, "B"] | None = None,
    mode: str = "greedy",
    temperature: float = 1.0,
    top_p: float = 1.0,
    beams: int = 5,
    max_tokens: int | None = None,
    generator: torch.Generator | None = None,
) -> Int32[Tensor, "B L"]:
    """One sentence for each latent code: rows START, tokens, END, then PAD, as wide as the longest.

    PAD, START and UNKNOWN are never written, and a sentence that reaches `max_tokens` ends there.

    Args:
        tau: one for each code, for a decoder made for every tau; any other ignores it.
        mode: `greedy` takes the likeliest token; `sample` draws one; `beam` seeks the sentence of the largest
            log-probability per token.
        temperature: sample: divides the logits; towards 0 sampling becomes greedy.
        top_p: sample: draw only from the smallest set of likeliest tokens that holds this much probability.
        beams: beam: beginnings kept; 1 is greedy.
        max_tokens: longest row, START and END counted; None: as long as the decoder was made for.
        generator: sample: source of the draws, on the device of `z`; None: torch's default.

    Raises:
        ValueError: a value is out of its range, or the mode is unknown.
    """
    longest = decoder.max_tokens if max_tokens is None else max_tokens
    if not 2 <= longest <= decoder.max_tokens:
        known = decoder.max_tokens
        raise ValueError(f"max_tokens is {longest!r}: give 2 (START and END alone) to {known}, the decoder's own.")
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature is {temperature!r}: give a number above 0, or mode 'greedy' for the likeliest.")
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p!r}: give a probability above 0; 1 draws from all tokens.")
    if beams < 1:
        raise ValueError(f"beams is {beams!r}: give 1 or more.")
    if mode == "beam":
        return _beam_search(decoder, z, tau, beams, longest)
    if mode == "greedy":
        return _one_by_one(decoder, decoder.start(z, tau), longest, lambda log_probs: log_probs.argmax(1))
    if mode == "sample":

        def draw(log_probs: Tensor) -> Tensor:
            likely = nucleus(log_probs, temperature=temperature, top_p=top_p)
            return torch.multinomial(likely, 1, generator=generator).squeeze(1)

        return _one_by_one(decoder, decoder.start(z, tau), longest, draw)
    raise ValueError(f"mode is {mode!r}: choose one of {', '.join(MODES)}.")


def nucleus(logits: Float[Tensor, "B V"], *, temperature: float, top_p: float) -> Float[Tensor, "B V"]:
    """Probabilities of the smallest set of likeliest tokens that holds at least `top_p`, scaled to sum to one.

    Holtzman et al. 2020, arXiv:1904.09751. The temperature comes first.
    """
    # Without the largest logit a tiny temperature would send every logit to minus infinity.
    probabilities = ((logits - logits.amax(1, keepdim=True)) / temperature).softmax(1)
    if top_p == 1:
        return probabilities
    ordered, order = probabilities.sort(dim=1, descending=True, stable=True)
    likelier = ordered.cumsum(1) - ordered
    kept = torch.zeros_like(ordered).scatter(1, order, ordered * (likelier < top_p))
    return kept / kept.sum(1, keepdim=True)


def _log_probs(logits: Float[Tensor, "B V"], *, end_now: bool) -> Float[Tensor, "B V"]:
    """ln p of the next token, given that it is one that may be written; if `end_now`, of END only."""
    allowed = logits.clone()
    allowed[:, NEVER_WRITTEN] = -math.inf
    log_probs = allowed.log_softmax(1)
    if end_now:
        log_probs[:, :END] = -math.inf
        log_probs[:, END + 1 :] = -math.inf
    return log_probs


def _one_by_one(
    decoder: TextDecoder, state: TextState, longest: int, choose: Callable[[Tensor], Tensor]
) -> Int32[Tensor, "B L"]:
    batch, device = len(state[0]), state[0].device
    token = torch.full((batch,), START, device=device)
    ended = torch.zeros(batch, dtype=torch.bool, device=device)
    columns = [token]
    while len(columns) < longest and not bool(ended.all()):
        logits, state = decoder.step(token, state)
        # Once all logits of a row are minus infinity but END's, every way to choose takes END.
        chosen = choose(_log_probs(logits, end_now=len(columns) == longest - 1))
        token = torch.where(ended, PAD, chosen)
        ended = ended | (token == END)
        columns.append(token)
    return torch.stack(columns, dim=1).int()


def _beam_search(
    decoder: TextDecoder, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None, beams: int, longest: int
) -> Int32[Tensor, "B L"]:
    """Keeps the `beams` beginnings of the largest log-probability per token; ended sentences stay and compete."""
    batch = len(z)
    rows = torch.arange(batch, device=z.device)[:, None]
    state = decoder.start(z.repeat_interleave(beams, 0), None if tau is None else tau.repeat_interleave(beams, 0))
    tokens = torch.full((batch, beams, 1), START, device=z.device)
    lengths = torch.zeros(batch, beams, device=z.device)
    ended = torch.zeros(batch, beams, dtype=torch.bool, device=z.device)
    # All beginnings are the same at first, so only one of them may be continued.
    log_prob = torch.full((batch, beams), -math.inf, device=z.device)
    log_prob[:, 0] = 0
    while tokens.shape[2] < longest and not bool(ended.all()):
        logits, state = decoder.step(tokens[:, :, -1].flatten(), state)
        following = _log_probs(logits, end_now=tokens.shape[2] == longest - 1).view(batch, beams, -1)
        vocabulary = following.shape[2]
        # An ended sentence has one continuation, PAD, which costs nothing.
        following.masked_fill_(ended[:, :, None], -math.inf)
        following[:, :, PAD].masked_fill_(ended, 0)
        total = log_prob[:, :, None] + following
        lengths = lengths + ~ended
        best = (total / lengths[:, :, None]).flatten(1).topk(beams, dim=1).indices
        parent, token = best // vocabulary, best % vocabulary
        tokens = torch.cat([tokens[rows, parent], token[:, :, None]], dim=2)
        log_prob, lengths = total.flatten(1).gather(1, best), lengths.gather(1, parent)
        # A place that nothing likely fills is not waited for.
        ended = ended.gather(1, parent) | (token == END) | log_prob.isinf()
        state = decoder.reorder(state, (parent + beams * rows).flatten())
    likeliest = tokens[:, 0].int()  # topk returns the best first
    return likeliest[:, : int((likeliest != PAD).sum(1).amax())]
