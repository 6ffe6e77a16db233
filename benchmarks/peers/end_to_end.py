"""A peer's training from a fresh process, as its user would write the script; started by `benchmarks.peers`.

    python -m benchmarks.peers.end_to_end pythae|example mlp|conv EPOCHS PICTURES FOLDER

Reads torchvision's MNIST from FOLDER. Writes "trained" when that is done, then -ELBO of the test pictures in nats.
"""

import sys
from pathlib import Path

import torch
from torch.utils.data import Subset
from torchvision import datasets, transforms

from benchmarks.peers.others import Example, NetworkOfPeers, Pythae


def main() -> None:
    peer, named, epochs, pictures, folder = sys.argv[1:]
    network: NetworkOfPeers = "mlp" if named == "mlp" else "conv"
    torch.manual_seed(0)
    if peer == "pythae":
        training = datasets.MNIST(folder, train=True)
        pythae = Pythae(network, training.data[: int(pictures), None], Path(folder) / "pythae", epochs=int(epochs))
        pythae.train()
        found = pythae.negative_elbo
    else:
        training = datasets.MNIST(folder, train=True, transform=transforms.ToTensor())
        example = Example(network, Subset(training, range(int(pictures))))
        for _ in range(int(epochs)):
            example.run_epoch()
        torch.save(example.model.state_dict(), Path(folder) / "example.pt")
        found = example.negative_elbo
    print("trained", flush=True)
    print(found(datasets.MNIST(folder, train=False).data[:, None]), flush=True)


if __name__ == "__main__":
    main()
