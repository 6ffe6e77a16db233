"""What the noise of a batch's own moments costs: one trained model, its ELBO in training mode over batch sizes.

    python -m benchmarks.batch_noise [--runs mnist-scaler mnist-bn-scaler] [--draws 4]

Under a head that normalises over the batch, an example's posterior while training depends on the other examples of its
batch. The weights are those of a finished run; nothing is trained. Every figure is of the same random 8,192 training
examples, cut into random batches of each size: the ELBO with each batch's own moments, minus the ELBO of the same
examples with the moments of all training examples (nats per example; below 0: the batch's noise costs so much). The
network has no dropout. Mean over several random cuts, and their standard deviation.
"""

import argparse
import statistics

import torch

from benchmarks.report import publish
from bnvae.data import load_dataset
from bnvae.data.random_subset import random_subset
from bnvae.metrics.estimators.bn_modes import in_eval_mode, in_training_mode
from bnvae.runs import RunStore
from bnvae.training.evaluation import recompute_statistics

EXAMPLES = 8_192
BATCH_SIZES = (8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", default=["mnist-scaler"])
    parser.add_argument("--draws", type=int, default=4, help="random cuts into batches")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for name in chosen.runs:
        run = RunStore().get(name)
        dataset = load_dataset(run.config.data, tokenizer=run.tokenizer)
        model = run.load_model()
        recompute_statistics(model, dataset.training.examples)
        examples = dataset.training.examples[random_subset(len(dataset.training), EXAMPLES)]
        exact = statistics.fmean(in_eval_mode(model, examples, seed=draw).elbo for draw in range(chosen.draws))
        rows = []
        for size in (size for size in BATCH_SIZES if size <= len(examples)):
            found = []
            for draw in range(chosen.draws):
                order = torch.randperm(len(examples), generator=torch.Generator().manual_seed(draw))
                found.append(in_training_mode(model, examples[order], size, seed=draw))
            costs = [terms.elbo - exact for terms in found]
            spread = statistics.stdev(costs) if len(costs) > 1 else 0.0
            rate = statistics.fmean(terms.rate for terms in found)
            rows.append([f"{size:,}", f"{statistics.fmean(costs):+.2f} ± {spread:.2f}", f"{rate:.2f}"])
            print(" | ".join(rows[-1]), flush=True)
        publish(
            f"{name}: ELBO with a batch's own moments minus {exact:.2f} with those of all training examples; nats",
            ["batch size", "difference", "rate"],
            rows,
        )


if __name__ == "__main__":
    main()
