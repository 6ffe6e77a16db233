"""The same networks in the manner of two peers: pythae's trainer, and PyTorch's example of a VAE."""

import contextlib
import io
import logging
import math
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset

NetworkOfPeers = Literal["mlp", "conv"]
LATENT, BATCH, LEARNING_RATE = 16, 128, 1e-3


def encoder(network: NetworkOfPeers) -> nn.Sequential:
    """Up to the features: 784-512, or two convolutions that halve the picture, one that narrows it, and 128 units."""
    if network == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU())
    halvings = [nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1)]
    narrow = [nn.ReLU(), nn.Conv2d(32, 20, 1), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*halvings, *narrow, nn.Linear(980, 128), nn.ReLU())


def decoder(network: NetworkOfPeers) -> nn.Sequential:
    """Back to pixels from 0 to 1; the project's last doubling is another one, with as many weights within 0.2 %."""
    if network == "mlp":
        return nn.Sequential(
            nn.Linear(LATENT, 512), nn.ReLU(), nn.Linear(512, 784), nn.Unflatten(1, (1, 28, 28)), nn.Sigmoid()
        )
    dense = [nn.Linear(LATENT, 128), nn.ReLU(), nn.Linear(128, 980), nn.ReLU(), nn.Unflatten(1, (20, 7, 7))]
    doublings = [nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1), nn.ReLU()]
    last = [nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1), nn.Sigmoid()]
    return nn.Sequential(*dense, nn.Conv2d(20, 32, 1), nn.ReLU(), *doublings, *last)


def features(network: NetworkOfPeers) -> int:
    return 512 if network == "mlp" else 128


class Pythae:
    """pythae's `VAE` and `BaseTrainer` over its own in-memory data set, as its tutorials use them: fp32, Adam."""

    def __init__(self, network: NetworkOfPeers, pictures: Tensor, folder: Path, *, epochs: int) -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            from pythae.data.datasets import BaseDataset  # type: ignore[import-not-found,import-untyped,unused-ignore]
            from pythae.models import VAE as PythaeVae  # type: ignore[import-not-found,import-untyped,unused-ignore]
            from pythae.models import VAEConfig
            from pythae.models.base.base_utils import ModelOutput  # type: ignore[import-not-found,import-untyped,unused-ignore]
            from pythae.models.nn import BaseDecoder, BaseEncoder  # type: ignore[import-not-found,import-untyped,unused-ignore]
            from pythae.trainers import BaseTrainer, BaseTrainerConfig  # type: ignore[import-not-found,import-untyped,unused-ignore]
        logging.disable(logging.INFO)

        class Encoder(BaseEncoder):  # type: ignore[misc,no-any-unimported,unused-ignore]
            def __init__(self) -> None:
                BaseEncoder.__init__(self)
                self.layers = encoder(network)
                self.embedding = nn.Linear(features(network), LATENT)
                self.log_var = nn.Linear(features(network), LATENT)

            def forward(self, x: Tensor) -> Any:
                hidden = self.layers(x)
                return ModelOutput(embedding=self.embedding(hidden), log_covariance=self.log_var(hidden))

        class Decoder(BaseDecoder):  # type: ignore[misc,no-any-unimported,unused-ignore]
            def __init__(self) -> None:
                BaseDecoder.__init__(self)
                self.layers = decoder(network)

            def forward(self, z: Tensor) -> Any:
                return ModelOutput(reconstruction=self.layers(z))

        config = VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
        self.model: Any = PythaeVae(config, Encoder(), Decoder())
        self._dataset = BaseDataset
        self.trainer: Any = BaseTrainer(
            model=self.model,
            train_dataset=BaseDataset(pictures.float() / 255, torch.zeros(len(pictures))),
            training_config=BaseTrainerConfig(
                output_dir=str(folder),
                per_device_train_batch_size=BATCH,
                num_epochs=epochs,
                learning_rate=LEARNING_RATE,
                no_cuda=True,
            ),
        )
        self._epoch = 0

    def train(self) -> None:
        """All epochs, and the model saved."""
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            self.trainer.train()

    def run_epoch(self, steps: int = 0) -> None:
        """One epoch's steps, whatever `steps`: its trainer takes no fewer."""
        if not self._epoch:
            self.trainer.prepare_training()
        self._epoch += 1
        with contextlib.redirect_stderr(io.StringIO()):
            self.trainer.train_step(self._epoch)

    @torch.no_grad()
    def negative_elbo(self, pictures: Tensor) -> float:
        """Nats per picture."""
        self.model.eval()
        return float(self.model({"data": pictures.float() / 255}).loss)


class ExampleVae(nn.Module):
    """As PyTorch's example has it, with the network of the others."""

    def __init__(self, network: NetworkOfPeers) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder(network), decoder(network)
        self.mean, self.log_variance = nn.Linear(features(network), LATENT), nn.Linear(features(network), LATENT)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.encoder(pictures)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decoder(z), mean, log_variance


def example_loss(made: Tensor, pictures: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Summed over the batch, as there."""
    distortion = functional.binary_cross_entropy(made.flatten(1), pictures.flatten(1), reduction="sum")
    return distortion - 0.5 * torch.sum(1 + log_variance - mean.square() - log_variance.exp())


class Example:
    """One picture at a time through a transform and a `DataLoader`, and a loss that is fetched in every step."""

    def __init__(self, network: NetworkOfPeers, pictures: Dataset[Any]) -> None:
        self.model = ExampleVae(network)
        self.loader: DataLoader[Any] = DataLoader(pictures, batch_size=BATCH, shuffle=True)
        self.optimiser = Adam(self.model.parameters(), lr=LEARNING_RATE)

    def run_epoch(self, steps: int = 0) -> None:
        """One epoch's steps, whatever `steps`."""
        self.model.train()
        total = 0.0
        for pictures, _ in self.loader:
            self.optimiser.zero_grad()
            loss = example_loss(*_with_pictures(self.model(pictures), pictures))
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
            self.optimiser.step()
        assert math.isfinite(total)

    @torch.no_grad()
    def negative_elbo(self, pictures: Tensor) -> float:
        """Nats per picture."""
        self.model.eval()
        scaled = pictures.float() / 255
        return example_loss(*_with_pictures(self.model(scaled), scaled)).item() / len(pictures)


def _with_pictures(found: tuple[Tensor, Tensor, Tensor], pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    made, mean, log_variance = found
    return made, pictures, mean, log_variance
