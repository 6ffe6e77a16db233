"""Five heads on MNIST, three seeds each: what the likelihood, the code and the labels say, in paired differences.

    python -m benchmarks.mnist_heads --folder DIRECTORY [--seeds 0 1 2] [--heads rms-scaler …] [--epochs 15]

The network and settings are those of the bundled runs (checkpoints/train.sh). For one seed all heads start from the
same encoder and decoder and see the same batches. Figures are of the 10,000 test images, in eval mode, with the moments
of all training images; the NLL is of a random 1,000 of them with 500 draws of z each, and accuracies are of a logistic
probe on one draw of z of each image. A difference is paired: the mean over images of one head's figure minus that of
the plain VAE of the same seed, with its standard error; over seeds, the mean and the standard deviation of these
differences.

A training leaves one .npz in DIRECTORY. Given again, the command makes what is missing and prints the tables.
"""

import argparse
import dataclasses
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.report import publish
from benchmarks.whole_trainings import train
from bnvae.config.schema import SCALED, DataConfig, HeadName, ModelConfig, RunConfig, TrainingConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset
from bnvae.data.random_subset import random_subset
from bnvae.metrics.downstream.labels_needed import labels_needed
from bnvae.metrics.estimators.importance_sampling import importance_sampled_nlls
from bnvae.metrics.test_set import evaluate_each
from bnvae.training.mutual_information import standard_error

HEADS: tuple[HeadName, ...] = ("gaussian", "bn-mean", "ln-mean", "bn-scaler", "rms-scaler")
TAU, GAMMA = 0.3, 0.7
NLL_EXAMPLES, SAMPLES = 1_000, 500
LABELS = (10, 100, 1_000)


def configuration(head: HeadName, seed: int, epochs: int) -> RunConfig:
    return RunConfig(
        data=DataConfig(name="mnist"),
        model=ModelConfig(network="conv", head=head, tau=TAU, gamma=GAMMA, latent_dimensions=16),
        training=TrainingConfig(
            epochs=epochs,
            batch_size=128,
            gradient_clip=5.0,
            seed=seed,
            threads=1,
            precision="fp32",
            device="cpu",
            record_every=20,
        ),
    )


def measure(config: RunConfig, dataset: Dataset) -> dict[str, np.ndarray[Any, Any]]:
    """Train one model; figures as JSON, ELBO of each test image, NLL of each of some (nats)."""
    started = time.process_time()
    model, seconds = train(config, dataset)
    test = dataset.test.examples
    found, each = evaluate_each(model, test)
    rows = random_subset(len(test), NLL_EXAMPLES)
    sampled, nlls = importance_sampled_nlls(model, test[rows], SAMPLES)
    probes = labels_needed(model, dataset, labels=LABELS)
    figures = {
        **found.to_dict(),
        **dataclasses.asdict(sampled),
        "labels_needed": dataclasses.asdict(probes),
        "training_seconds": seconds,
        "seconds": time.process_time() - started,
    }
    return {
        "figures": np.array(json.dumps(figures)),
        "elbo": -(each.distortion + each.rate).numpy(),
        "nll": nlls.numpy(),
    }


def title(head: str) -> str:
    if head in SCALED:
        return f"{head}, τ {TAU:g}"
    return f"{head}, γ {GAMMA:g}" if head in ("bn-mean", "ln-mean") else head


Kept = Mapping[tuple[str, int], Mapping[str, Any]]


def _over_seeds(values: Sequence[float], digits: int = 2) -> str:
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.{digits}f}{spread}"


def publish_figures(kept: Kept, seeds: Sequence[int]) -> None:
    rows = []
    for head in HEADS:
        each = [kept[head, seed]["figures"] for seed in seeds if (head, seed) in kept]
        if each:
            rows.append(
                [title(head), f"{len(each)}"]
                + [_over_seeds([one[name] for one in each]) for name in ("elbo", "nll", "rate", "mutual_information")]
                + [f"{statistics.fmean(one['active_units'] for one in each):.0f} of 16"]
                + [
                    _over_seeds([one["labels_needed"]["codes"]["accuracy"][row] for one in each])
                    for row in range(len(LABELS))
                ]
            )
    publish(
        "MNIST, conv, 16 dimensions; nats; mean ± standard deviation over seeds",
        [
            *("head", "seeds", "ELBO", f"NLL, K = {SAMPLES}", "rate", "mutual information", "active units"),
            *(f"accuracy, {count:,} labels" for count in LABELS),
        ],
        rows,
    )


def publish_differences(kept: Kept, seeds: Sequence[int], figure: str, words: str) -> None:
    rows = []
    for head in HEADS[1:]:
        differences = []
        cells = []
        for seed in seeds:
            if (head, seed) in kept and ("gaussian", seed) in kept:
                paired = torch.from_numpy(kept[head, seed][figure] - kept["gaussian", seed][figure])
                differences.append(paired.mean().item())
                cells.append(f"{differences[-1]:+.2f} ± {standard_error(paired):.2f}")
            else:
                cells.append("–")
        if differences:
            rows.append([title(head), *cells, _over_seeds(differences)])
    publish(
        f"{words} minus that of the plain VAE of the same seed, paired over the test images",
        ["head", *(f"seed {seed}" for seed in seeds), "mean ± standard deviation over seeds"],
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="one .npz for each training")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--heads", nargs="*", choices=HEADS, default=list(HEADS), help="train what is missing of these")
    parser.add_argument("--epochs", type=int, default=15)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    paths = {(head, seed): chosen.folder / f"{head}-{seed}.npz" for seed in chosen.seeds for head in HEADS}
    missing = [which for which, path in paths.items() if which[0] in chosen.heads and not path.exists()]
    dataset = load_dataset(DataConfig(name="mnist")) if missing else None
    for head, seed in missing:
        assert dataset is not None
        found = measure(configuration(head, seed, chosen.epochs), dataset)
        unfinished = paths[head, seed].with_suffix(".part.npz")
        np.savez_compressed(unfinished, figures=found["figures"], elbo=found["elbo"], nll=found["nll"])
        unfinished.rename(paths[head, seed])
        print(head, seed, str(found["figures"])[:300], flush=True)
    kept: dict[tuple[str, int], Mapping[str, Any]] = {}
    for which, path in paths.items():
        if path.exists():
            with np.load(path, allow_pickle=False) as stored:
                kept[which] = {
                    "figures": json.loads(str(stored["figures"])),
                    "elbo": stored["elbo"],
                    "nll": stored["nll"],
                }
    publish_figures(kept, chosen.seeds)
    publish_differences(kept, chosen.seeds, "elbo", "ELBO (nats, higher is better)")
    publish_differences(kept, chosen.seeds, "nll", "NLL (nats, lower is better)")


if __name__ == "__main__":
    main()
