"""Five networks on an accelerator, in fp32 and bf16: against a bare loop, and against the chip's floor.

    python -m benchmarks.accelerator [--device cuda] [--only mnist-conv ...] [--rounds 7] [--whole]

Steady state, in turns of some steps: the project as its worker trains, with records and evaluations, and a bare loop
with fused Adam. The floor is the least time that the step can take on this chip: its operations at the speed of a large
product, or the bytes that it has to move at the speed of a large copy, whichever takes longer; both speeds are measured
first, both amounts counted on a model without values. `--whole`: also whole trainings, by the wall, and what they
reach. On processors fp32 alone is a fair comparison unless they have matrix units.

MNIST is read from BNVAE_DATA; the texts are made up, in the sizes of the Penn Treebank and of Yahoo's answers.
"""

import argparse
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.accelerator.cases import CASES, Case
from benchmarks.accelerator.floor import Chip, count, measured, wait_for
from benchmarks.bare import BareLoop
from benchmarks.report import publish, thousands
from benchmarks.training_speed import Product
from benchmarks.turns import Contender, speed_ratio, take_turns
from bnvae.config.schema import RunConfig
from bnvae.data.random_subset import random_subset
from bnvae.metrics.test_set import evaluate
from bnvae.nn.vae import VAE
from bnvae.training.device import resolve_device
from bnvae.training.trainer import FEWEST_STEPS_BETWEEN_EVALUATIONS, Trainer

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
TEST_EXAMPLES = 2_000


def configured(case: Case, device: torch.device, precision: str) -> RunConfig:
    training = dataclasses.replace(case.config.training, device=device.type, precision=precision)  # type: ignore[arg-type]
    return dataclasses.replace(case.config, training=training)


def bare_loop(case: Case, device: torch.device, precision: str) -> BareLoop:
    return BareLoop(
        case.bare(),
        case.bare_examples,
        case.config.training.batch_size,
        fused=True,
        device=device.type,
        precision=PRECISIONS[precision],
    )


def waiting(run: Contender, device: torch.device) -> Contender:
    """The same, and then until the device is done: what is only asked for is not finished."""

    def run_to_the_end(steps: int) -> None:
        run(steps)
        wait_for(device)

    return run_to_the_end


def steady(
    case: Case, device: torch.device, precision: str, *, chip: Chip, chosen: argparse.Namespace, folder: Path
) -> list[str]:
    product = Product(configured(case, device, precision), case.dataset, folder)
    bare = bare_loop(case, device, precision)
    contenders = {"bnvae": waiting(product.run, device), "bare": waiting(bare.run, device)}
    product.run(FEWEST_STEPS_BETWEEN_EVALUATIONS)
    turns = take_turns(contenders, chosen.steps, chosen.rounds, product.between_turns)
    seconds = {name: statistics.median(turn.wall for turn in each) / chosen.steps for name, each in turns.items()}
    training = product.share_of_training(seconds["bnvae"])
    batch_size = case.config.training.batch_size
    work = count(case.bare, case.bare_examples[:batch_size], PRECISIONS[precision])
    return [
        case.name,
        precision,
        f"{thousands(training * batch_size / seconds['bnvae'])}",
        f"{thousands(batch_size / seconds['bare'])}",
        f"**{training * speed_ratio(turns['bare'], turns['bnvae']).wall:.2f}**",
        f"{chip.floor_seconds(work) / seconds['bnvae']:.0%}",
        f"{work.operations / 1e9:.3g} G operations, {work.bytes / 1e6:.3g} MB; {chip.limit(work)}",
    ]


def whole(case: Case, device: torch.device, precision: str) -> list[str]:
    """Seconds of a training of the case's epochs, and -ELBO of the test examples, one draw of z each."""
    config = configured(case, device, precision)
    config = dataclasses.replace(config, training=dataclasses.replace(config.training, epochs=case.epochs))
    model = VAE.build(config.network, config.model, case.dataset.shape, seed=0)
    model.decoder.begin_at(case.dataset.training.examples)
    trainer = Trainer(model, case.dataset.training, case.dataset.validation, config.training)

    def train() -> None:
        for _ in trainer.fit():
            pass

    ours = _seconds(train, device)
    test = case.dataset.test.examples
    examples = test[random_subset(len(test), TEST_EXAMPLES)]
    reached = -evaluate(model, examples).elbo
    bare = bare_loop(case, device, precision)
    theirs = _seconds(lambda: bare.run(trainer.total_steps), device)
    bare.examples = examples.float() / 255 if examples.dim() == 4 else examples
    return [
        case.name,
        precision,
        f"{case.epochs}",
        f"{ours:.1f} s",
        f"{theirs:.1f} s",
        f"**{theirs / ours:.2f}**",
        f"{reached:.1f} and {bare.mean_loss():.1f}",
    ]


def _seconds(work: Callable[[], None], device: torch.device) -> float:
    started = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["auto", "cuda", "mps", "cpu"], default="auto")
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--precisions", nargs="*", choices=list(PRECISIONS), default=list(PRECISIONS))
    parser.add_argument("--rounds", type=int, default=7, help="turns that each contender takes")
    parser.add_argument("--steps", type=int, default=50, help="steps of a turn")
    parser.add_argument("--whole", action="store_true", help="also whole trainings")
    chosen = parser.parse_args()
    device = resolve_device(chosen.device)
    chips = {name: measured(device, PRECISIONS[name]) for name in chosen.precisions}
    for name, chip in chips.items():
        print(f"{device}, {name}: {chip.operations_per_second / 1e12:.3g} T operations/s, "
              f"{chip.bytes_per_second / 1e9:.3g} GB/s", flush=True)  # fmt: skip
    rows, trainings = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.only:
            case = CASES[name]()
            for precision, chip in chips.items():
                rows.append(steady(case, device, precision, chip=chip, chosen=chosen, folder=Path(folder)))
                print(" | ".join(rows[-1]), flush=True)
                if chosen.whole:
                    trainings.append(whole(case, device, precision))
                    print(" | ".join(trainings[-1]), flush=True)
    header = ["network", "precision", "bnvae, examples/s", "bare loop", "times as fast", "of the chip's floor"]
    publish("On an accelerator", [*header, "a step needs at least; limited by"], rows)
    if trainings:
        header = ["network", "precision", "epochs", "bnvae", "bare loop", "times as fast"]
        publish("Whole trainings", [*header, "-ELBO, ours and the bare one's (nats)"], trainings)


if __name__ == "__main__":
    main()
