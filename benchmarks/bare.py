"""The same networks as this project's, as a PyTorch user would write them in a script: the yardstick of its speed.

Plain `nn` modules, `nn.Dropout`, `functional.cross_entropy`, one `Adam`, examples as tensors in memory. No records, no
evaluations, no check of the loss; no limit of the gradient unless asked for.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

PAD = 0
HeadOfBare = Literal["gaussian", "rms-scaler"]


class GaussianHead(nn.Module):
    def __init__(self, features: int, latent: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, latent)
        self.log_variance = nn.Linear(features, latent)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.mean(features), torch.exp(0.5 * self.log_variance(features))


class RmsScalerHead(nn.Module):
    """`nn.BatchNorm1d` for the mean; root mean square for the std; one Scaler."""

    running_square: Tensor

    def __init__(self, features: int, latent: int, tau: float) -> None:
        super().__init__()
        self.mean = nn.Linear(features, latent, bias=False)
        self.std = nn.Linear(features, latent)
        self.norm = nn.BatchNorm1d(latent, eps=1e-8, affine=False)
        self.theta = nn.Parameter(torch.zeros(latent))
        self.tau = tau
        self.register_buffer("running_square", torch.ones(latent))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        std = functional.softplus(self.std(features))
        square = std.square().mean(0)
        with torch.no_grad():
            self.running_square.lerp_(square, 0.1)
        gamma_mean = (self.tau + (1 - self.tau) * torch.sigmoid(self.theta)).sqrt()
        gamma_std = ((1 - self.tau) * torch.sigmoid(-self.theta)).sqrt()
        return gamma_mean * self.norm(self.mean(features)), gamma_std * std / square.sqrt()


def head(name: HeadOfBare, features: int, latent: int, tau: float) -> nn.Module:
    return GaussianHead(features, latent) if name == "gaussian" else RmsScalerHead(features, latent, tau)


def rate_of(mean: Tensor, std: Tensor) -> Tensor:
    return 0.5 * (mean.square() + std.square() - 1 - 2 * std.log()).sum(1)


class BareMlp(nn.Module):
    """784-512-16 with a Bernoulli likelihood; pixels are floats in [0, 1] already."""

    def __init__(self, pixels: int, hidden: int, latent: int, head_name: HeadOfBare, tau: float) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU())
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels))
        self.head = head(head_name, hidden, latent, tau)

    def forward(self, examples: Tensor) -> Tensor:
        mean, std = self.head(self.encoder(examples))
        logits = self.decoder(mean + std * torch.randn_like(std))
        distortion = functional.binary_cross_entropy_with_logits(logits, examples, reduction="none").sum(1)
        loss: Tensor = (distortion + rate_of(mean, std)).mean()
        return loss


class BareLstm(nn.Module):
    """The network of Zhu et al. 2020: z beside every token, c_0 = W z, h_0 = tanh(c_0)."""

    def __init__(
        self,
        vocabulary: int,
        embedding: int,
        hidden: int,
        latent: int,
        *,
        head_name: HeadOfBare,
        tau: float,
        drop: float,
    ) -> None:
        super().__init__()
        self.encoder_embedding = nn.Embedding(vocabulary, embedding)
        self.encoder = nn.LSTM(embedding, hidden, batch_first=True)
        self.head = head(head_name, hidden, latent, tau)
        self.decoder_embedding = nn.Embedding(vocabulary, embedding)
        self.first_cell = nn.Linear(latent, hidden, bias=False)
        self.decoder = nn.LSTM(embedding + latent, hidden, batch_first=True)
        self.dropout = nn.Dropout(drop)
        self.output = nn.Linear(hidden, vocabulary)

    def forward(self, tokens: Tensor) -> Tensor:
        read, _ = self.encoder(self.encoder_embedding(tokens))
        last = (tokens != PAD).sum(1) - 1
        mean, std = self.head(read[torch.arange(len(tokens)), last])
        z = mean + std * torch.randn_like(std)
        embedded = self.dropout(self.decoder_embedding(tokens[:, :-1]))
        inputs = torch.cat([embedded, z[:, None].expand(-1, embedded.shape[1], -1)], dim=2)
        cell = self.first_cell(z)[None]
        written, _ = self.decoder(inputs, (cell.tanh(), cell))
        logits = self.output(self.dropout(written))
        distortion = functional.cross_entropy(
            logits.flatten(0, 1), tokens[:, 1:].flatten().long(), ignore_index=PAD, reduction="sum"
        )
        return distortion / len(tokens) + rate_of(mean, std).mean()


class BareLoop:
    """Draws batches in a fresh order each epoch and takes steps, and nothing else."""

    def __init__(
        self,
        model: nn.Module,
        examples: Tensor,
        batch_size: int,
        *,
        fused: bool,
        clip: float = 0.0,
        device: str = "cpu",
        precision: torch.dtype = torch.float32,
    ) -> None:
        self.model = model.to(device).train()
        self.examples = examples.to(device)
        self.batch_size = batch_size
        self.clip = clip
        self.precision = precision
        self.optimiser = Adam(model.parameters(), lr=1e-3, fused=fused)
        self.lengths = (examples != PAD).sum(1) if examples.dtype == torch.int32 else None
        self._order = torch.empty(0, dtype=torch.long)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            if len(self._order) < self.batch_size:
                self._order = torch.randperm(len(self.examples))
            rows, self._order = self._order[: self.batch_size], self._order[self.batch_size :]
            batch = self.examples[rows.to(self.examples.device)]
            if self.lengths is not None:
                batch = batch[:, : int(self.lengths[rows].max())]
            self.optimiser.zero_grad()
            with torch.autocast(batch.device.type, self.precision, enabled=self.precision != torch.float32):
                loss = self.model(batch)
            loss.backward()
            if self.clip:
                nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
            self.optimiser.step()
        assert math.isfinite(loss.item())

    @torch.no_grad()
    def mean_loss(self) -> float:
        """Of all examples in order, in eval mode and fp32 (nats)."""
        self.model.eval()
        total, seen = 0.0, 0
        for first in range(0, len(self.examples), self.batch_size):
            batch = self.examples[first : first + self.batch_size].to(next(self.model.parameters()).device)
            total += float(self.model(batch)) * len(batch)
            seen += len(batch)
        return total / seen
