"""What the heads that normalise over the batch cost in time, against the plain one of the same network.

    python -m benchmarks.head_cost [--rounds 31] [--only mlp conv storybook ptb] [--threads 1]

The paper states 1.02 to 1.04 for BatchNorm on the mean; the target is at most 1.03 for all three. An epoch's time is
that of its steps and of its one evaluation, which for these heads takes the moments of 10,000 training examples first.
Heads take turns of a few steps each; evaluations are timed on their own. Ratios are medians over rounds, of processor
time by default: with one thread that is the wall's on an idle machine. Five minutes.
"""

import argparse
import dataclasses
import statistics
import tempfile
from pathlib import Path

from benchmarks.report import publish, thousands
from benchmarks.training_speed import EVER, TAU, Case, Product, mlp_case, ptb_case, storybook_case
from benchmarks.turns import chosen_turns, take_turns
from bnvae.config.schema import HeadName, ModelConfig, TrainingConfig
from bnvae.training.trainer import FEWEST_STEPS_BETWEEN_EVALUATIONS

PLAIN: HeadName = "gaussian"
HEADS: tuple[HeadName, ...] = (PLAIN, "bn-mean", "bn-scaler", "rms-scaler")
TARGET = 1.03
ROUNDS_BETWEEN_EVALUATIONS = 20


def conv_case() -> Case:
    mlp = mlp_case()
    config = dataclasses.replace(
        mlp.config,
        model=ModelConfig(network="conv", latent_dimensions=16, tau=TAU),
        training=TrainingConfig(epochs=EVER, batch_size=128, precision="fp32", device="cpu"),
    )
    return dataclasses.replace(mlp, name="conv, MNIST, batch 128", steps=5, config=config)


CASES = {"mlp": mlp_case, "conv": conv_case, "storybook": storybook_case, "ptb": ptb_case}


def measure(case: Case, rounds: int, folder: Path) -> list[str]:
    products = {
        head: Product(
            dataclasses.replace(case.config, model=dataclasses.replace(case.config.model, head=head)),
            case.dataset,
            folder,
        )
        for head in HEADS
    }

    def evaluate(index: int, steps: int) -> None:
        for product in products.values():
            # Rarer than there: of the large LSTM one takes as long as a hundred steps.
            product.between_turns(0 if index % ROUNDS_BETWEEN_EVALUATIONS == 0 else 1, steps)

    for product in products.values():
        product.run(FEWEST_STEPS_BETWEEN_EVALUATIONS)  # past the first evaluation, which comes earlier than the others
    turns = take_turns({head: product.run for head, product in products.items()}, case.steps, rounds, evaluate)
    plain = products[PLAIN]
    step = statistics.median(turn.processor for turn in turns[PLAIN]) / case.steps
    evaluation = {
        head: statistics.median(each.processor for each in product.evaluations) for head, product in products.items()
    }
    steps = plain.trainer.batches.steps_per_epoch
    epoch = step * steps + evaluation[PLAIN]
    cells = []
    for head in HEADS[1:]:
        of_step = statistics.median(
            ours.processor / theirs.processor for ours, theirs in zip(turns[head], turns[PLAIN], strict=True)
        )
        of_epoch = (step * of_step * steps + evaluation[head]) / epoch
        cells.append(f"**{of_epoch:.3f}** ({of_step:.3f}){', missed' if of_epoch > TARGET else ''}")
    return [case.name, f"{thousands(case.units_per_step * steps / epoch)} {case.unit}", *cells]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    chosen = chosen_turns(parser, CASES)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.only:
            rows.append(measure(CASES[name](), chosen.rounds, Path(folder)))
            print(" | ".join(rows[-1]), flush=True)
    publish(
        f"Time of an epoch, as a multiple of the plain head's (≤ {TARGET}), fp32; in brackets that of a step",
        ["network", PLAIN, *HEADS[1:]],
        rows,
    )


if __name__ == "__main__":
    main()
