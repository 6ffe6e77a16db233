"""The LSTM text VAE of Zhu et al., ACL 2020, arXiv:2004.12585; their encoder has one direction and pools `last`."""

from functools import cache
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from bnvae.config.schema import ModelConfig
from bnvae.data.dataset import TextShape
from bnvae.nn.networks.base import Dropout, Encoder
from bnvae.nn.networks.conditioning import reading
from bnvae.nn.networks.pooling import POOLINGS, LastState, reversed_positions
from bnvae.nn.networks.text import TextDecoder, TextState

State = tuple[Float[Tensor, "1 B H"], Float[Tensor, "1 B H"]]
"""hidden and cell of an LSTM of one layer"""


@final
class Lstm(nn.LSTM):
    """`nn.LSTM` of one layer, batch first, in fp32 where autocast asks for bf16 and the CPU has no LSTM of it."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__(inputs, units, batch_first=True)

    def forward(  # type: ignore[override]
        self, inputs: Float[Tensor, "B L I"], state: State | None = None
    ) -> tuple[Float[Tensor, "B L H"], State]:
        if inputs.device.type != "cpu" or not torch.is_autocast_enabled("cpu") or _cpu_has_bf16_lstm():
            found: tuple[Tensor, State] = super().forward(inputs, state)
            return found
        with torch.autocast("cpu", enabled=False):
            wide = None if state is None else (state[0].float(), state[1].float())
            in_fp32: tuple[Tensor, State] = super().forward(inputs.float(), wide)
        return in_fp32


@cache
def _cpu_has_bf16_lstm() -> bool:
    """Whether torch has an LSTM in bf16 for this CPU: without AVX-512 it raises."""
    lstm = nn.LSTM(8, 8, batch_first=True)
    try:
        with torch.autocast("cpu", torch.bfloat16):
            lstm(torch.zeros(2, 2, 8))
    except RuntimeError:
        return False
    return True


@final
class LstmEncoder(Encoder):
    """Embedding, then an LSTM, or one in each direction; the features are their states, pooled over the sentence."""

    def __init__(self, config: ModelConfig, shape: TextShape) -> None:
        super().__init__()
        self.features = config.hidden_units * (2 if config.bidirectional else 1)
        self.embedding = nn.Embedding(shape.vocabulary_size, config.embedding_units)
        self.lstm = Lstm(config.embedding_units, config.hidden_units)
        if config.bidirectional:
            self.lstm_from_end = Lstm(config.embedding_units, config.hidden_units)
        self.bidirectional = config.bidirectional
        self.pooling = POOLINGS[config.pooling](self.features)

    def forward(self, examples: Int[Tensor, "B L"]) -> Float[Tensor, "B F"]:
        # Read straight on through the padding, which no pooling looks at: packing would cost more than it saves.
        states, _ = self.lstm(self.embedding(examples))
        if self.bidirectional:
            states = torch.cat([states, self._states_from_end(examples)], dim=2)
        pooled: Tensor = self.pooling(states, examples)
        return pooled

    def _states_from_end(self, examples: Int[Tensor, "B L"]) -> Float[Tensor, "B L H"]:
        """The states of a reader from END to START, each at its own token.

        For `last` they stay in the order in which they were read, so that its last state has read the whole sentence.
        """
        turned = reversed_positions(examples)
        states: Tensor = self.lstm_from_end(self.embedding(examples.gather(1, turned)))[0]
        if isinstance(self.pooling, LastState):
            return states
        return states.gather(1, turned[:, :, None].expand_as(states))


@final
class LstmDecoder(TextDecoder):
    """An LSTM that reads z beside every token and starts from it: c_0 = W z, h_0 = tanh(c_0). So it does with tau."""

    def __init__(self, config: ModelConfig, shape: TextShape) -> None:
        super().__init__(config.hidden_units, shape)
        self.embedding = nn.Embedding(shape.vocabulary_size, config.embedding_units)
        self.reading = reading(config)
        self.first_cell = nn.Linear(self.reading.width, config.hidden_units, bias=False)
        self.lstm = Lstm(config.embedding_units + self.reading.width, config.hidden_units)
        self.dropout = Dropout(config.dropout)

    def hidden(
        self, z: Float[Tensor, "B D"], tokens: Int[Tensor, "B T"], tau: Float[Tensor, "B"] | None = None
    ) -> Float[Tensor, "B T H"]:
        embedded = self.dropout(self.embedding(tokens))
        read, first_hidden, first_cell = self.start(z, tau)
        inputs = torch.cat([embedded, read.to(embedded.dtype)[:, None].expand(-1, tokens.shape[1], -1)], dim=2)
        outputs, _ = self.lstm(inputs, (first_hidden[None], first_cell[None]))
        kept: Tensor = self.dropout(outputs)
        return kept

    def start(self, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None = None) -> TextState:
        read = self.reading(z, tau)
        cell = self.first_cell(read).to(z.dtype)
        return read, cell.tanh(), cell

    def advance(self, tokens: Int[Tensor, "B"], state: TextState) -> tuple[Float[Tensor, "B H"], TextState]:
        read, hidden, cell = state
        inputs = torch.cat([self.embedding(tokens), read], dim=1)[:, None]
        outputs, (hidden, cell) = self.lstm(inputs, (hidden[None], cell[None]))
        return outputs[:, 0], (read, hidden[0], cell[0])
