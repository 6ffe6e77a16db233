"""How far -ELBO after a short training is a matter of the seed: ours, and the peers' with the same network.

    python -m benchmarks.peers.seeds [--seeds 6] [--network conv]

Ten epochs of 6,000 MNIST pictures, 460 steps, each in this process; -ELBO of the 10,000 test pictures, one draw of z
each. Ours twice: with the last bias at the mean pixel of the training pictures, as a training begins, and with the one
that torch draws. Two minutes of processor time a seed.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import torch
from torch.utils.data import Subset
from torchvision import datasets, transforms

from benchmarks.peers.__main__ import EPOCHS, FEWER_PICTURES, HAS_PYTHAE, case_of, torchvisions_mnist
from benchmarks.peers.others import BATCH, Example, NetworkOfPeers, Pythae
from benchmarks.report import publish
from bnvae.config.schema import TrainingConfig
from bnvae.data.dataset import Split
from bnvae.data.random_subset import random_subset
from bnvae.metrics.test_set import evaluate
from bnvae.nn.vae import VAE
from bnvae.training.trainer import fit

FEWER = random_subset(60_000, FEWER_PICTURES)
"""rows of MNIST's training file that all of them see"""


def ours(network: NetworkOfPeers, seed: int, *, at_mean: bool) -> float:
    case = case_of(network)
    pictures = case.dataset.training.examples[FEWER]
    model = VAE.build(network, case.config.model, case.dataset.shape, seed=seed)
    if at_mean:
        model.decoder.begin_at(pictures)
    training = TrainingConfig(epochs=EPOCHS, batch_size=BATCH, seed=seed, precision="fp32", device="cpu")
    split = Split(examples=pictures, labels=case.dataset.training.labels[FEWER])
    for _ in fit(model, split, case.dataset.validation, training):
        pass
    return -evaluate(model, case.dataset.test.examples).elbo


def pythaes(network: NetworkOfPeers, seed: int, folder: Path) -> float:
    pictures, test = datasets.MNIST(folder).data[FEWER, None], datasets.MNIST(folder, train=False).data
    torch.manual_seed(seed)
    peer = Pythae(network, pictures, folder / "pythae", epochs=EPOCHS)
    peer.train()
    return peer.negative_elbo(test[:, None])


def examples(network: NetworkOfPeers, seed: int, folder: Path) -> float:
    torch.manual_seed(seed)
    pictures = datasets.MNIST(folder, transform=transforms.ToTensor())
    peer = Example(network, Subset(pictures, FEWER.tolist()))
    for _ in range(EPOCHS):
        peer.run_epoch()
    return peer.negative_elbo(datasets.MNIST(folder, train=False).data[:, None])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6, help="trainings of each")
    parser.add_argument("--network", choices=get_args(NetworkOfPeers), default="conv")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = torchvisions_mnist(Path(temporary))
        trainings: dict[str, Callable[[int], float]] = {
            "bnvae": lambda seed: ours(chosen.network, seed, at_mean=True),
            "bnvae, its last bias as torch draws it": lambda seed: ours(chosen.network, seed, at_mean=False),
            "PyTorch's example": lambda seed: examples(chosen.network, seed, folder),
        }
        if HAS_PYTHAE:
            trainings["pythae"] = lambda seed: pythaes(chosen.network, seed, folder)
        for name, train in trainings.items():
            found = [train(seed) for seed in range(chosen.seeds)]
            spread = statistics.stdev(found) if len(found) > 1 else 0.0
            rows.append(
                [name, f"{statistics.mean(found):.1f} ± {spread:.1f}", " ".join(f"{each:.1f}" for each in found)]
            )
            print(" | ".join(rows[-1]), flush=True)
    publish(f"{chosen.network}, {EPOCHS} epochs of {FEWER_PICTURES:,} pictures", ["", "-ELBO (nats)", "each"], rows)


if __name__ == "__main__":
    main()
