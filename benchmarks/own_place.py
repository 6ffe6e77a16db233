"""Where the Explore page puts a code that is not on the map, against umap-learn's own transform.

    python -m benchmarks.own_place [--checkpoints checkpoints] [--runs mnist-plain mnist-scaler]

umap-learn maps 3,000 codes of a trained run, and its transform places up to 400 others, twice with different seeds:
it draws its repulsion at random. The same others are placed on the same map by `settled_place`, and at the mean place
of their neighbours weighted by 1 / distance (`place`), the quicker way for layers of many draws. Distances are medians
in shares of the map's spread, the root of its points' mean squared distance from their middle. Labels are those of the
15 nearest points on the map.
"""

import argparse
import time
import warnings
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.browser import ROOT
from benchmarks.report import publish
from bnvae.latent.neighbours import NEIGHBOURS, nearest, place
from bnvae.latent.projection.umap_transform import settled_place
from bnvae.runs import RunStore

FITTED, HELD_OUT = 3_000, 400


def measure(codes: Tensor, labels: Tensor) -> list[list[str]]:
    warnings.simplefilter("ignore")
    from umap import UMAP

    order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(0))
    fitted, others = order[: min(FITTED, len(codes) * 4 // 5)], order[-min(HELD_OUT, len(codes) // 5) :]
    model = UMAP(random_state=0, n_jobs=1).fit(codes[fitted].numpy())
    points = torch.from_numpy(model.embedding_)
    theirs = torch.from_numpy(model.transform(codes[others].numpy()))
    model.transform_seed = 1
    again = torch.from_numpy(model.transform(codes[others].numpy()))
    started = time.process_time()
    settled = torch.cat([settled_place(part, codes[fitted], points) for part in torch.split(codes[others], 1)])
    each = (time.process_time() - started) / len(others)
    blended = place(codes[others], codes[fitted], points)
    spread = (points - points.mean(0)).square().sum(1).mean().sqrt()

    def row(name: str, places: Tensor, cost: str = "") -> list[str]:
        apart = f"{float((places - theirs).norm(dim=1).median() / spread):.3f}"
        there = labels[fitted][nearest(places, points, NEIGHBOURS)[0]] == labels[others][:, None]
        return [name, "" if places is theirs else apart, f"{there.float().mean():.1%}", cost]

    return [
        row("umap-learn's transform", theirs),
        row("the same with another seed", again),
        row("settled_place, one code at a time", settled, f"{1000 * each:.0f} ms"),
        row("mean of the neighbours' places", blended),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoints", type=Path, default=ROOT / "checkpoints")
    parser.add_argument("--runs", nargs="+", default=["mnist-plain", "mnist-scaler"])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in chosen.runs:
        posterior, labels = RunStore(chosen.checkpoints).get(name).encodings()
        rows += [[name, *row] for row in measure(posterior.mean, labels)]
    publish(
        "A code put on a finished map",
        [
            "run",
            "placed by",
            "from umap-learn's place, shares of the spread",
            "neighbours of its label",
            "processor time",
        ],
        rows,
    )


if __name__ == "__main__":
    main()
