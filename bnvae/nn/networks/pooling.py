"""How the states of a sentence's tokens become one vector: its last state, their mean, maximum, or attention."""

from abc import ABC, abstractmethod
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from bnvae.data.dataset import PAD


class Pooling(nn.Module, ABC):
    """Turns the states at all positions of a row into one vector; what stands at padding never counts."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    @abstractmethod
    def forward(self, states: Float[Tensor, "B L H"], tokens: Int[Tensor, "B L"]) -> Float[Tensor, "B H"]:
        """One vector a row. START and END are tokens; a row of padding alone counts as one token."""


@final
class LastState(Pooling):
    """The state at a sentence's last token; a reader from the end gives its states in the order in which it read."""

    def forward(self, states: Float[Tensor, "B L H"], tokens: Int[Tensor, "B L"]) -> Float[Tensor, "B H"]:
        return states[torch.arange(len(states), device=states.device), last_token(tokens)]


@final
class MeanState(Pooling):
    """The mean over a sentence's tokens."""

    def forward(self, states: Float[Tensor, "B L H"], tokens: Int[Tensor, "B L"]) -> Float[Tensor, "B H"]:
        token = is_token(tokens)
        weights = (token / token.sum(1, keepdim=True)).to(states.dtype)
        mean: Tensor = (weights[:, None] @ states).squeeze(1)
        return mean


@final
class LargestState(Pooling):
    """The maximum of each unit over a sentence's tokens; Conneau et al. 2017, arXiv:1705.02364."""

    def forward(self, states: Float[Tensor, "B L H"], tokens: Int[Tensor, "B L"]) -> Float[Tensor, "B H"]:
        return states.masked_fill(~is_token(tokens)[:, :, None], -torch.inf).amax(1)


@final
class AttendedState(Pooling):
    """The mean weighted by a softmax over tokens of q . tanh(W h); Yang et al. 2016, ACL N16-1174, equations 5 to 7."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.key = nn.Linear(width, width)
        self.query = nn.Linear(width, 1, bias=False)

    def weights(self, states: Float[Tensor, "B L H"], tokens: Int[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """Share of each token, >= 0, 0 at padding; a row's sum to one."""
        scores: Tensor = self.query(self.key(states).tanh()).squeeze(2).float()
        return scores.masked_fill(~is_token(tokens), -torch.inf).softmax(1)

    def forward(self, states: Float[Tensor, "B L H"], tokens: Int[Tensor, "B L"]) -> Float[Tensor, "B H"]:
        weights = self.weights(states, tokens).to(states.dtype)
        mean: Tensor = (weights[:, None] @ states).squeeze(1)
        return mean


POOLINGS: dict[str, type[Pooling]] = {
    "last": LastState,
    "mean": MeanState,
    "max": LargestState,
    "attention": AttendedState,
}
"""Every pooling by its name in `ModelConfig.pooling`."""


def last_token(tokens: Int[Tensor, "B L"]) -> Int[Tensor, "B"]:
    """Position of each row's last token that is not PAD; 0 if there is none."""
    return (tokens != PAD).sum(1).sub_(1).clamp_(min=0)


def is_token(tokens: Int[Tensor, "B L"]) -> Bool[Tensor, "B L"]:
    """Which positions hold a token; the first always does, so that no row is empty."""
    return torch.arange(tokens.shape[1], device=tokens.device) <= last_token(tokens)[:, None]


def reversed_positions(tokens: Int[Tensor, "B L"]) -> Int[Tensor, "B L"]:
    """Where each position's token stands when a sentence is read from its end; padding stays where it is.

    Its own inverse: gathering twice by it changes nothing.
    """
    positions = torch.arange(tokens.shape[1], device=tokens.device)
    last = last_token(tokens)[:, None]
    return torch.where(positions <= last, last - positions, positions)
