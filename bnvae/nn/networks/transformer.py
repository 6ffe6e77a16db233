"""A transformer text VAE: a bidirectional encoder, and a causal decoder that reads z at every position."""

from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from bnvae.config.schema import ModelConfig
from bnvae.data.dataset import PAD, TextShape
from bnvae.nn.networks.base import Dropout, Encoder
from bnvae.nn.networks.conditioning import reading
from bnvae.nn.networks.pooling import POOLINGS
from bnvae.nn.networks.text import TextDecoder, TextState

Cache = tuple[Float[Tensor, "B A _ K"], Float[Tensor, "B A _ K"]]
"""Keys and values of the tokens read so far; A heads of width K."""


@final
class Block(nn.Module):
    """Attention, then a two-layer perceptron, each added to its input and fed its normalised input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        assert width % heads == 0, "ModelConfig lets attention_heads divide hidden_units"
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.attention_output = nn.Linear(width, width)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(
        self,
        inputs: Float[Tensor, "B T H"],
        *,
        causal: bool = False,
        visible: Bool[Tensor, "B 1 1 T"] | None = None,
        past: Cache | None = None,
    ) -> tuple[Float[Tensor, "B T H"], Cache]:
        """`visible` marks the positions that may be attended to; `past` stands before the inputs."""
        projected = self.query_key_value(self.attention_norm(inputs))
        query, key, value = projected.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # each (B, A, T, K)
        if past is not None:
            key = torch.cat([past[0].to(key.dtype), key], dim=2)
            value = torch.cat([past[1].to(value.dtype), value], dim=2)
        attended = _attention(query, key, value, visible=visible, causal=causal)
        hidden = inputs + self.attention_output(attended.transpose(1, 2).flatten(2))
        return hidden + self.perceptron(hidden), (key, value)


def _attention(
    query: Float[Tensor, "B A T K"],
    key: Float[Tensor, "B A S K"],
    value: Float[Tensor, "B A S K"],
    *,
    visible: Bool[Tensor, "B 1 1 S"] | None,
    causal: bool,
) -> Float[Tensor, "B A T K"]:
    if query.device.type == "cpu":
        # On a processor the backward pass of bf16 attention takes 15 times as long as that of fp32 (measured).
        query, key, value = query.float(), key.float(), value.float()
    with torch.autocast(query.device.type, enabled=False):
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=visible, is_causal=causal)


@final
class Embedding(nn.Module):
    """Tokens and their positions as vectors."""

    def __init__(self, width: int, shape: TextShape) -> None:
        super().__init__()
        self.tokens = nn.Embedding(shape.vocabulary_size, width)
        self.positions = nn.Embedding(shape.max_tokens, width)
        for table in (self.tokens, self.positions):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, tokens: Int[Tensor, "B T"], *, first: int = 0) -> Float[Tensor, "B T H"]:
        """Vectors of `tokens`, which stand at positions first, first + 1, ...

        Raises:
            ValueError: a row is longer than `max_tokens`.
        """
        end = first + tokens.shape[1]
        if end > self.positions.num_embeddings:
            raise ValueError(
                f"a row has {end} tokens: this transformer knows {self.positions.num_embeddings} positions; "
                "cut the row, or train with a larger max_tokens."
            )
        embedded: Tensor = self.tokens(tokens) + self.positions.weight[first:end]
        return embedded


@final
class TransformerEncoder(Encoder):
    """Every token sees every other; the features are the tokens' states, pooled over the sentence."""

    def __init__(self, config: ModelConfig, shape: TextShape) -> None:
        super().__init__()
        self.features = config.hidden_units
        self.embedding = Embedding(config.hidden_units, shape)
        self.blocks = nn.ModuleList(Block(config.hidden_units, config.attention_heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.hidden_units)
        self.pooling = POOLINGS[config.pooling](config.hidden_units)

    def forward(self, examples: Int[Tensor, "B L"]) -> Float[Tensor, "B F"]:
        token: Bool[Tensor, "B L"] = examples != PAD
        hidden = self.embedding(examples)
        for block in self.blocks:
            hidden, _ = block(hidden, visible=token[:, None, None])
        pooled: Tensor = self.pooling(self.norm(hidden), examples)
        return pooled


@final
class TransformerDecoder(TextDecoder):
    """Every token sees those before it, and z, projected and added to the embeddings."""

    def __init__(self, config: ModelConfig, shape: TextShape) -> None:
        super().__init__(config.hidden_units, shape)
        self.heads = config.attention_heads
        self.embedding = Embedding(config.hidden_units, shape)
        self.reading = reading(config)
        self.latent = nn.Linear(self.reading.width, config.hidden_units)
        self.blocks = nn.ModuleList(Block(config.hidden_units, config.attention_heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.hidden_units)
        self.dropout = Dropout(config.dropout)

    def hidden(
        self, z: Float[Tensor, "B D"], tokens: Int[Tensor, "B T"], tau: Float[Tensor, "B"] | None = None
    ) -> Float[Tensor, "B T H"]:
        hidden = self.dropout(self.embedding(tokens)) + self.latent(self.reading(z, tau))[:, None]
        for block in self.blocks:
            hidden, _ = block(hidden, causal=True)
        kept: Tensor = self.dropout(self.norm(hidden))
        return kept

    def start(self, z: Float[Tensor, "B D"], tau: Float[Tensor, "B"] | None = None) -> TextState:
        """The projection of z, then the keys and the values of no token in each block."""
        nothing = z.new_empty(len(z), len(self.blocks), self.heads, 0, self.output.in_features // self.heads)
        return self.latent(self.reading(z, tau)), nothing, nothing

    def advance(self, tokens: Int[Tensor, "B"], state: TextState) -> tuple[Float[Tensor, "B H"], TextState]:
        latent, keys, values = state  # (B, H), then twice (B, layers, A, T, K)
        hidden = self.embedding(tokens[:, None], first=keys.shape[3]) + latent[:, None]
        caches: list[Cache] = []
        for layer, block in enumerate(self.blocks):
            hidden, cache = block(hidden, past=(keys[:, layer], values[:, layer]))
            caches.append(cache)
        keys, values = (torch.stack(list(parts), dim=1) for parts in zip(*caches, strict=True))
        return self.norm(hidden)[:, 0], (latent, keys, values)
