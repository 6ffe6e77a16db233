"""The convolutional network and the transformer as a PyTorch user would write them; see `benchmarks.bare`."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.bare import PAD, GaussianHead, rate_of

COARSEST_SIDE = 7
MOST_CHANNELS, MOST_FLAT = 256, 1024


class BareConv(nn.Module):
    """Strided convolutions down to 7 × 7 pixels or fewer, and transposed ones back; sides that halve without a rest."""

    def __init__(self, channels: int, height: int, width: int, *, first: int, hidden: int, latent: int) -> None:
        super().__init__()
        assert height == width, "pictures here are squares"
        depths, side = [channels], width
        while side > COARSEST_SIDE:
            assert side % 2 == 0, "a side that is halved is even"
            depths.append(first if len(depths) == 1 else min(2 * depths[-1], MOST_CHANNELS))
            side //= 2
        narrow = min(depths[-1], MOST_FLAT // side**2)
        down = [(nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()) for before, after in pairwise(depths)]
        self.encoder = nn.Sequential(
            *(layer for pair in down for layer in pair), nn.Conv2d(depths[-1], narrow, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(narrow * side**2, hidden), nn.ReLU(),
        )  # fmt: skip
        self.head = GaussianHead(hidden, latent)
        up = [(nn.ReLU(), nn.ConvTranspose2d(before, after, 4, stride=2, padding=1))
              for before, after in pairwise(depths[::-1])]  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, narrow * side**2), nn.ReLU(),
            nn.Unflatten(1, (narrow, side, side)), nn.Conv2d(narrow, depths[-1], 1),
            *(layer for pair in up for layer in pair),
        )  # fmt: skip
        self.log_scale = nn.Parameter(torch.tensor(-1.2)) if channels > 1 else None

    def forward(self, examples: Tensor) -> Tensor:
        mean, std = self.head(self.encoder(examples))
        made = self.decoder(mean + std * torch.randn_like(std)).flatten(1)
        pixels = examples.flatten(1)
        if self.log_scale is None:
            distortion = functional.binary_cross_entropy_with_logits(made, pixels, reduction="none").sum(1)
        else:
            squares = (pixels - made).square() / (2 * torch.exp(2 * self.log_scale))
            distortion = (squares + self.log_scale + 0.919).sum(1)  # ln(2 pi) / 2
        loss: Tensor = (distortion + rate_of(mean, std)).mean()
        return loss


class BareTransformer(nn.Module):
    """`nn.TransformerEncoder` twice, the second with a causal mask and z added to each of its embeddings."""

    def __init__(
        self, vocabulary: int, longest: int, *, width: int, layers: int, heads: int, latent: int, drop: float
    ) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(longest, width)
        self.written_tokens, self.written_positions = nn.Embedding(vocabulary, width), nn.Embedding(longest, width)
        self.encoder, self.decoder = (_blocks(width, layers, heads) for _ in range(2))
        self.head = GaussianHead(width, latent)
        self.latent = nn.Linear(latent, width)
        self.dropout = nn.Dropout(drop)
        self.output = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        padding = tokens == PAD
        length = tokens.shape[1]
        read = self.tokens(tokens) + self.positions.weight[:length]
        read = self.encoder(read, src_key_padding_mask=padding)
        weights = (~padding).to(read.dtype)[:, :, None]
        mean, std = self.head((read * weights).sum(1) / weights.sum(1))
        z = mean + std * torch.randn_like(std)
        inputs = self.dropout(self.written_tokens(tokens[:, :-1]) + self.written_positions.weight[: length - 1])
        later = torch.ones(length - 1, length - 1, dtype=torch.bool, device=tokens.device).triu(1)
        written = self.decoder(inputs + self.latent(z)[:, None], mask=later, is_causal=True)
        logits = self.output(self.dropout(written))
        distortion = functional.cross_entropy(
            logits.flatten(0, 1), tokens[:, 1:].flatten().long(), ignore_index=PAD, reduction="sum"
        )
        return distortion / len(tokens) + rate_of(mean, std).mean()


def _blocks(width: int, layers: int, heads: int) -> nn.TransformerEncoder:
    block = nn.TransformerEncoderLayer(
        width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(block, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False)
