"""All five posterior heads on one text and one image data set: what each costs and what it keeps.

    python -m benchmarks.heads [--only storybook mnist] [--json heads.json]

The networks and settings are those of the bundled runs (checkpoints/train.sh), with fewer epochs: storybook 6 of 15,
MNIST 3 of 15 on 20,000 of its 60,000 examples. Every head starts from the same encoder and decoder and sees the same
batches. One thread, one seed: differences of a few tenths of a nat mean nothing. Figures are of the test examples, in
eval mode, with the moments of the training examples.
"""

import dataclasses
import json
import math

from benchmarks.report import machine, publish
from benchmarks.whole_trainings import options, train
from bnvae.analysis.metrics import evaluate
from bnvae.config import SCALED, DataConfig, HeadName, ModelConfig, RunConfig, TrainingConfig
from bnvae.data import load_dataset

BASES = {
    "storybook": RunConfig(
        data=DataConfig(name="storybook"),
        model=ModelConfig(network="lstm", latent_dimensions=16, hidden_units=128, embedding_units=64),
        training=TrainingConfig(epochs=6, threads=1, precision="fp32", device="cpu", record_every=20),
    ),
    "mnist": RunConfig(
        data=DataConfig(name="mnist", training_examples=20_000),
        model=ModelConfig(network="conv", latent_dimensions=16, hidden_units=128, conv_channels=16),
        training=TrainingConfig(
            epochs=3, batch_size=128, gradient_clip=5.0, threads=1, precision="fp32", device="cpu", record_every=20
        ),
    ),
}
HEADS: tuple[tuple[HeadName, float], ...] = (
    ("gaussian", 0.0),
    ("ln-mean", 0.0),
    ("bn-mean", 0.0),
    ("bn-scaler", 0.2),
    ("bn-scaler", 0.5),
    ("rms-scaler", 0.2),
    ("rms-scaler", 0.5),
)
"""Each head, and the tau of those that have one."""


def words(head: HeadName, tau: float, config: ModelConfig) -> str:
    if head in SCALED:
        return f"{head}, τ {tau:g}"
    return f"{head}, γ {config.gamma:g}" if head in ("bn-mean", "ln-mean") else head


def main() -> None:
    chosen = options(__doc__, BASES)
    kept = []
    for name in chosen.only:
        base = BASES[name]
        dataset = load_dataset(base.data)
        rows = []
        for head, tau in HEADS:
            model = dataclasses.replace(base.model, head=head, tau=tau)
            trained, seconds = train(dataclasses.replace(base, model=model), dataset)
            found = evaluate(trained, dataset.test.examples)
            kept.append({"data": name, "head": head, "tau": tau, "seconds": seconds, **found.to_dict()})
            rows.append(
                [
                    words(head, tau, model),
                    f"{found.elbo:.2f}",
                    f"{found.distortion:.2f}",
                    f"{found.rate:.2f}",
                    f"{found.active_units} of {model.latent_dimensions}",
                    f"{found.mutual_information:.2f}",
                    f"{seconds:.0f}",
                ]
            )
            print(" | ".join(rows[-1]), flush=True)
        count = min(len(dataset.test), found.mutual_information_examples)
        publish(
            f"{name}: {base.network}, {base.training.epochs} epochs of {len(dataset.training):,} examples; nats",
            [
                "head",
                "ELBO (higher is better)",
                "distortion",
                "rate",
                "active units",
                f"mutual information (N = {count:,}, at most {math.log(count):.2f})",
                "training, processor s",
            ],
            rows,
        )
    if chosen.json:
        chosen.json.write_text(json.dumps({"machine": machine(), "runs": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
