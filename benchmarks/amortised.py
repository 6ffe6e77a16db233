"""One model for every tau against a model for each: what does it cost to have the whole curve at once?

    python -m benchmarks.amortised [--only storybook digits] [--json amortised.json]

Every model has the same network, seed, batches and number of epochs; those of digits are the bundled runs'
(checkpoints/train.sh). Figures are of the test examples, in eval mode, with the moments of the training examples and
the mean of four draws of z. One thread, one seed: a difference of a few tenths of a nat means nothing.
"""

import dataclasses
import json

import torch

from benchmarks.report import machine, publish
from benchmarks.whole_trainings import options, train
from bnvae.config.schema import DataConfig, ModelConfig, RunConfig, TrainingConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset
from bnvae.nn.losses import ElboTerms
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import distortions, draw_codes, encode

BASES = {
    "storybook": RunConfig(
        data=DataConfig(name="storybook"),
        model=ModelConfig(network="lstm", head="rms-scaler"),
        training=TrainingConfig(epochs=10, threads=1, precision="fp32", device="cpu", record_every=20),
    ),
    "digits": RunConfig(
        data=DataConfig(name="digits"),
        model=ModelConfig(network="mlp", head="rms-scaler"),
        training=TrainingConfig(
            epochs=100, batch_size=64, gradient_clip=5.0, threads=1, precision="fp32", device="cpu", record_every=20
        ),
    ),
}
TAUS = (0.1, 0.3, 0.5, 0.7, 0.9)
DRAWS = 4
TARGET = 0.03
"""the amortised model may be this much worse, as a share of the other's -ELBO"""


@torch.no_grad()
def terms_at(model: VAE, dataset: Dataset, tau: float) -> tuple[float, float]:
    """Distortion and rate of the test examples at one tau, in nats per example."""
    posterior = encode(model, dataset.test.examples, tau)
    drawn = [distortions(model, dataset.test.examples, draw_codes(posterior, seed), tau) for seed in range(DRAWS)]
    terms = ElboTerms(torch.stack(drawn).mean(0).double(), posterior.kl_per_dimension().double())
    return terms.distortion.mean().item(), terms.rate.mean().item()


def main() -> None:
    chosen = options(__doc__, BASES)
    kept = []
    for name in chosen.only:
        base = BASES[name]
        dataset = load_dataset(base.data)
        one, seconds = train(dataclasses.replace(base, model=dataclasses.replace(base.model, amortised=True)), dataset)
        rows, spent = [], 0.0
        for tau in TAUS:
            config = dataclasses.replace(base, model=dataclasses.replace(base.model, tau=tau))
            other, seconds_of_other = train(config, dataset)
            spent += seconds_of_other
            ours, theirs = terms_at(one, dataset, tau), terms_at(other, dataset, tau)
            excess = sum(ours) / sum(theirs) - 1
            kept.append({"data": name, "tau": tau, "amortised": ours, "separate": theirs, "excess": excess})
            cells = [f"{-sum(terms):.2f} | {terms[0]:.2f} | {terms[1]:.2f}" for terms in (ours, theirs)]
            rows.append([f"{tau:g}", *cells, f"{excess:+.1%}" + (", missed" if excess > TARGET else "")])
            print(" | ".join(rows[-1]), flush=True)
        figures = [f"{which}: {figure}" for which in ("one", "each") for figure in ("ELBO", "distortion", "rate")]
        publish(
            f"{name}: {base.network}, {base.training.epochs} epochs of {len(dataset.training):,} examples; nats; "
            f"training took {seconds:.0f} s of processor time against {spent:.0f} s",
            ["τ", *figures, "-ELBO of the one model against that of its own"],
            rows,
        )
    if chosen.json:
        chosen.json.write_text(json.dumps({"machine": machine(), "models": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
