"""What decoders of text share: token-by-token prediction, and stepping for decoding."""

from abc import abstractmethod

from jaxtyping import Float, Int
from torch import Tensor, nn

from bnvae.data.dataset import TextShape
from bnvae.nn.networks.base import Decoder
from bnvae.nn.networks.likelihoods import NEVER_PREDICTED, TokenLikelihood, token_logits

TextState = tuple[Tensor, ...]
"""What a decoder knows of the tokens read so far; every tensor has the batch first."""


class TextDecoder(Decoder):
    """p(x|z) of sentences, each token predicted from z and the tokens before it."""

    output: nn.Linear
    """logits of the ids from END on"""

    def __init__(self, width: int, shape: TextShape) -> None:
        super().__init__()
        if shape.vocabulary_size <= NEVER_PREDICTED:
            raise ValueError(f"vocabulary_size is {shape.vocabulary_size!r}: END at least must be predictable; give 3.")
        self.max_tokens = shape.max_tokens
        self.output = nn.Linear(width, shape.vocabulary_size - NEVER_PREDICTED)

    @abstractmethod
    def hidden(
        self, z: Float[Tensor, "B D"], tokens: Int[Tensor, "B T"], tau: Float[Tensor, "B"] | None = None
    ) -> Float[Tensor, "B T H"]:
        """The vector before the output layer after each token; `hidden[:, t]` depends on z and `tokens[:, :t + 1]`."""

    @abstractmethod
    def start(self, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None = None) -> TextState:
        """The state before any token."""

    @abstractmethod
    def advance(self, tokens: Int[Tensor, "B"], state: TextState) -> tuple[Float[Tensor, "B H"], TextState]:
        """One column of `hidden` in eval mode, and the state after it. `state` itself is left as it was."""

    def likelihood(
        self, z: Float[Tensor, "B D"], examples: Int[Tensor, "B L"], tau: Float[Tensor, "B"] | None = None
    ) -> TokenLikelihood:
        return TokenLikelihood(self.hidden(z, examples[:, :-1], tau), self.output)

    def step(self, tokens: Int[Tensor, "B"], state: TextState) -> tuple[Float[Tensor, "B V"], TextState]:
        """Logits of the token after `tokens`, float32, without dropout, and the state after `tokens`."""
        hidden, state = self.advance(tokens, state)
        return token_logits(hidden, self.output), state

    def reorder(self, state: TextState, index: Int[Tensor, "B2"]) -> TextState:
        """The state whose row i is row index[i] of `state`."""
        return tuple(part.index_select(0, index) for part in state)
