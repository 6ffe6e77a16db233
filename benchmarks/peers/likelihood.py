"""What pythae's own VAE reaches on the pictures of `benchmarks.mnist_nll`: its model, its loss, its estimator.

    python -m benchmarks.peers.likelihood --weights FILE [--epochs 1000]

As its script of the published figure (784-400-40, batches of 100, Adam whose rate falls by 10^(1/5) at 20, 35, 50 and
75 % of the training, the weights of the lowest -ELBO of validation pictures, 200 draws), but for the draw of black
and white and for the rate that it begins with, which its repository does not state: 1e-3. One thread; 75 minutes.
"""

import argparse
import copy
import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.mnist_nll import PUBLISHED, PYTHAE, SAMPLES, TRAINING_EXAMPLES
from benchmarks.report import publish
from bnvae.config.schema import DataConfig
from bnvae.data import load_dataset

PIXELS, HIDDEN, LATENT, BATCH = 784, 400, 40, 100
FIRST_LEARNING_RATE = 1e-3
FALLS_AT = (0.2, 0.35, 0.5, 0.75)
SEED = 123
EPOCHS_BETWEEN_LOOKS = 20


def pythaes_vae() -> Any:
    from pythae.models import VAE, VAEConfig  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from pythae.models.base.base_utils import ModelOutput  # type: ignore[import-not-found,import-untyped,unused-ignore]
    from pythae.models.nn import BaseDecoder, BaseEncoder  # type: ignore[import-not-found,import-untyped,unused-ignore]

    class Encoder(BaseEncoder):  # type: ignore[misc,no-any-unimported,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Sequential(nn.Linear(PIXELS, HIDDEN), nn.ReLU())
            self.embedding, self.log_var = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)

        def forward(self, x: Tensor) -> Any:
            hidden = self.hidden(x)
            return ModelOutput(embedding=self.embedding(hidden), log_covariance=self.log_var(hidden))

    class Decoder(BaseDecoder):  # type: ignore[misc,no-any-unimported,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            layers = nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, PIXELS), nn.Sigmoid()
            self.layers = nn.Sequential(*layers)

        def forward(self, z: Tensor) -> Any:
            return ModelOutput(reconstruction=self.layers(z))

    return VAE(VAEConfig(input_dim=(PIXELS,), latent_dim=LATENT, reconstruction_loss="bce"), Encoder(), Decoder())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="the best so far are kept in this file")
    parser.add_argument("--epochs", type=int, default=1_000)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    dataset = load_dataset(DataConfig(name="mnist", binarise=True))
    pictures, test = (split.examples.flatten(1).float() / 255 for split in (dataset.training, dataset.test))
    training, validation = pictures[:TRAINING_EXAMPLES], pictures[TRAINING_EXAMPLES:]
    torch.manual_seed(SEED)
    model = pythaes_vae()
    optimiser = torch.optim.Adam(model.parameters(), lr=FIRST_LEARNING_RATE)
    falls_at = [int(share * chosen.epochs) for share in FALLS_AT]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, falls_at, gamma=10**-0.2)
    best, best_epoch, weights = math.inf, 0, model.state_dict()
    for epoch in range(1, chosen.epochs + 1):
        for rows in torch.randperm(len(training)).split(BATCH):  # type: ignore[no-untyped-call]
            optimiser.zero_grad(set_to_none=True)
            model({"data": training[rows]}).loss.backward()
            optimiser.step()
        schedule.step()
        with torch.no_grad():
            seen = float(model({"data": validation}).loss)
            if seen < best:
                best, best_epoch, weights = seen, epoch, copy.deepcopy(model.state_dict())
            if epoch % EPOCHS_BETWEEN_LOOKS == 0 or epoch == chosen.epochs:
                of_training = float(model({"data": training[: len(validation)]}).loss)
                print(json.dumps({"epoch": epoch, "training": of_training, "validation": seen}), flush=True)
                torch.save(weights, chosen.weights)
    model.load_state_dict(weights)
    with torch.no_grad():
        elbo, nll = -float(model({"data": test}).loss), -model.get_nll(test, n_samples=SAMPLES)
    publish(
        f"pythae's VAE 784-400-40 on MNIST, statically binarised, weights of epoch {best_epoch} of {chosen.epochs}",
        ["figure", "published", "pythae states", "seen"],
        [
            [f"-ln p(x), at most (nats; K = {SAMPLES})", f"{PUBLISHED}", f"{PYTHAE}", f"{nll:.2f}"],
            ["ELBO (nats, higher is better)", "", "", f"{elbo:.2f}"],
        ],
    )


if __name__ == "__main__":
    main()
