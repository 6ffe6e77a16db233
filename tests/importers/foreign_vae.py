"""A VAE as others write it: PyTorch's own example, and the description that goes with its state dict."""

import io
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

DESCRIPTION: dict[str, Any] = {
    "format": "bnvae-vae-1",
    "data": {"name": "digits", "training_examples": 300},
    "image": [1, 8, 8],
    "latent_dimensions": 5,
    "encoder": ["flatten", {"linear": "fc1"}, "relu"],
    "mean": [{"linear": "fc21"}],
    "log_variance": [{"linear": "fc22"}],
    "decoder": [{"linear": "fc3"}, "relu", {"linear": "fc4"}, {"reshape": [1, 8, 8]}],
    "likelihood": {"bernoulli": "logits"},
}


class ForeignVAE(nn.Module):
    """https://github.com/pytorch/examples/blob/main/vae/main.py, with another size of picture."""

    def __init__(self, pixels: int = 64, hidden: int = 40, dimensions: int = 5) -> None:
        super().__init__()
        self.pixels = pixels
        self.fc1 = nn.Linear(pixels, hidden)
        self.fc21 = nn.Linear(hidden, dimensions)
        self.fc22 = nn.Linear(hidden, dimensions)
        self.fc3 = nn.Linear(dimensions, hidden)
        self.fc4 = nn.Linear(hidden, pixels)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h1 = functional.relu(self.fc1(x.view(-1, self.pixels)))
        return self.fc21(h1), self.fc22(h1)

    def decode(self, z: Tensor) -> Tensor:
        h3 = functional.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def loss(self, x: Tensor) -> Tensor:
        """The example's own loss_function: −ELBO, summed over the batch."""
        mu, logvar = self.encode(x)
        recon_x = self.decode(mu + torch.exp(0.5 * logvar) * torch.randn_like(mu))
        bce = functional.binary_cross_entropy(recon_x, x.view(-1, self.pixels), reduction="sum")
        return bce - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())

    def fit(self, x: Tensor, steps: int, learning_rate: float = 3e-3) -> None:
        optimiser = torch.optim.Adam(self.parameters(), learning_rate)
        for _ in range(steps):
            optimiser.zero_grad()
            (self.loss(x) / len(x)).backward()  # type: ignore[no-untyped-call]
            optimiser.step()


def saved(stored: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(stored, buffer)
    return buffer.getvalue()
