"""How fast this project trains beside pythae, PyTorch's own example of a VAE, and a bare loop.

    python -m benchmarks.peers [--only mlp conv lstm] [--full] [--threads 0]

Steady state: turns of 100 steps (LSTM: 5), in one process, the project with its records and evaluations. End to end:
each trains from a fresh process for ten epochs, by the wall, start-up, loading and saving included; the project is
`python -m bnvae train` to its exit, so that its previews and its final evaluation of all examples count too. -ELBO is
of the 10,000 test pictures, one draw of z each. All have the same network and Adam at 1e-3, and the precision that each
has by default: the project's is bf16 where products are faster in it, theirs fp32. Targets: 2 times pythae's pictures a
second for the MLP, end to end included, at equal -ELBO; 2 times the bare fp32 loop for the LSTM, at equal perplexity.

Six minutes on two idle cores; `--full` trains the conv end to end on all 60,000 pictures instead of 6,000. Ratios are
by the wall, so the machine has to be quiet. `--threads 0` leaves their number to torch. pythae is measured where it can
be imported: `pip install --no-deps pythae pydantic pydantic-core annotated-types typing-inspection dill cloudpickle
imageio`.
"""

import argparse
import dataclasses
import gzip
import importlib.util
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor
from torchvision import datasets, transforms

from benchmarks.bare import BareLoop
from benchmarks.peers.others import BATCH, Example, NetworkOfPeers, Pythae
from benchmarks.report import publish, thousands
from benchmarks.training_speed import EVER, Case, Product, mlp_case, ptb_case
from benchmarks.turns import Contender, chosen_turns, speed_ratio, take_turns
from bnvae.config.schema import ModelConfig, RunConfig
from bnvae.data import cache_folder
from bnvae.data.random_subset import random_subset
from bnvae.metrics.test_set import evaluate
from bnvae.training.evaluation import recompute_statistics
from bnvae.training.sampler import row_lengths
from bnvae.training.trainer import FEWEST_STEPS_BETWEEN_EVALUATIONS

STEPS = 100
EPOCHS, FEWER_PICTURES = 10, 6_000
TARGET = 2.0
TARGETED = {("mlp", "pythae"), ("lstm", "bare fp32 loop")}
LSTM_STEPS, LSTM_TEST_SENTENCES = 200, 300
HAS_PYTHAE = importlib.util.find_spec("pythae") is not None


def case_of(network: NetworkOfPeers) -> Case:
    """The plain VAE in the precision that the project chooses."""
    case = mlp_case()
    model = ModelConfig(network=network, head="gaussian", latent_dimensions=16)
    if network == "mlp":
        model = dataclasses.replace(model, hidden_units=512)
    training = dataclasses.replace(case.config.training, precision="auto")
    config = dataclasses.replace(case.config, model=model, training=training)
    return dataclasses.replace(case, name=network, config=config)


def torchvisions_mnist(folder: Path) -> Path:
    """A folder from which torchvision reads MNIST without downloading it."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for packed in (cache_folder() / "mnist").glob("*.gz"):
        with gzip.open(packed) as source, (raw / packed.stem).open("wb") as target:
            shutil.copyfileobj(source, target)
    return folder


def steady(network: NetworkOfPeers, rounds: int, folder: Path) -> list[list[str]]:
    """Rows of pictures a second, in turns of `STEPS` steps."""
    case = case_of(network)
    product = Product(case.config, case.dataset, folder)
    product.run(FEWEST_STEPS_BETWEEN_EVALUATIONS)
    count = STEPS * BATCH  # one epoch of theirs
    contenders: dict[str, Contender] = {"bnvae": product.run}
    if HAS_PYTHAE:
        pictures = case.dataset.training.examples[:count]
        contenders["pythae"] = Pythae(network, pictures, folder, epochs=EVER).run_epoch
    example = datasets.MNIST(folder, train=True, transform=transforms.ToTensor())
    loop = Example(network, torch.utils.data.Subset(example, range(count)))
    contenders["PyTorch's example"] = loop.run_epoch
    turns = take_turns(contenders, STEPS, rounds, product.between_turns)
    seconds = {name: statistics.median(turn.wall for turn in each) for name, each in turns.items()}
    training = product.share_of_training(seconds["bnvae"] / STEPS)
    ours = training * count / seconds["bnvae"]
    precision = str(product.trainer.precision).removeprefix("torch.")
    return [
        [
            f"{network}, MNIST, batch {BATCH}, {precision}",
            name,
            f"{thousands(ours)} images/s",
            f"{thousands(count / seconds[name])} images/s",
            judged(training * speed_ratio(turns[name], turns["bnvae"]).wall, network, name),
            "",
        ]
        for name in contenders
        if name != "bnvae"
    ]


def judged(ratio: float, network: str, peer: str) -> str:
    """The ratio, and whether it misses the target, where there is one."""
    if (network, peer) not in TARGETED:
        return f"{ratio:.2f}"
    return f"**{ratio:.2f}**{'' if ratio >= TARGET else ', missed'}"


def end_to_end(network: NetworkOfPeers, pictures: int, folder: Path, threads: int) -> list[list[str]]:
    environment = os.environ | {"BNVAE_CHECKPOINTS": str(folder / "runs"), "BNVAE_MAPS": "0"}
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    seconds, negative_elbo = trained_by_us(network, pictures, folder / "runs", threads, environment)
    rows = []
    for name in ("pythae", "example"):
        if name == "pythae" and not HAS_PYTHAE:
            continue
        command = ["benchmarks.peers.end_to_end", name, network, str(EPOCHS), str(pictures), str(folder)]
        theirs, their_elbo = trained_by_them(command, environment)
        rows.append(
            [
                f"{network}, {EPOCHS} epochs of {pictures:,} pictures, end to end",
                "PyTorch's example" if name == "example" else name,
                f"{seconds:.1f} s",
                f"{theirs:.1f} s",
                judged(theirs / seconds, network, name),
                f"{negative_elbo:.1f} and {their_elbo:.1f}",
            ]
        )
    return rows


def trained_by_us(
    network: NetworkOfPeers, pictures: int, runs: Path, threads: int, environment: dict[str, str]
) -> tuple[float, float]:
    """Wall seconds of `python -m bnvae train`, and -ELBO of the test pictures."""
    case = case_of(network)
    flags = ["--data", "mnist", "--training-examples", str(pictures), "--network", network, "--head", "gaussian"]
    flags += ["--hidden-units", str(case.config.model.hidden_units), "--latent-dimensions", "16"]
    flags += ["--epochs", str(EPOCHS), "--batch-size", str(BATCH), "--device", "cpu", "--threads", str(threads)]
    name = f"{network}-{pictures}"
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "bnvae", "train", "--run", name, "--quiet", *flags], env=environment, check=True
    )
    seconds = time.perf_counter() - started
    evaluation = json.loads((runs / name / "evaluation.json").read_text())
    return seconds, -evaluation["test"]["elbo"]


def trained_by_them(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall seconds until the peer had trained, and -ELBO of the test pictures."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as peer:
        assert peer.stdout is not None
        seconds = math.nan
        for line in peer.stdout:
            if line.strip() == "trained":
                seconds = time.perf_counter() - started
            last = line
    return seconds, float(last)


def lstm(rounds: int, folder: Path) -> list[list[str]]:
    """The LSTM of PTB's size against a bare fp32 loop: tokens a second, and perplexity after as many steps."""
    case = ptb_case()
    model = dataclasses.replace(case.config.model, head="gaussian")
    training = dataclasses.replace(case.config.training, precision="auto")
    product = Product(RunConfig(model=model, training=training), case.dataset, folder)
    bare = BareLoop(case.bare_model("gaussian"), case.bare_examples, training.batch_size, fused=False)
    for run in (product.run, bare.run):
        run(FEWEST_STEPS_BETWEEN_EVALUATIONS)
    turns = take_turns({"bnvae": product.run, "bare": bare.run}, case.steps, rounds, product.between_turns)
    share = product.share_of_training(statistics.median(turn.wall for turn in turns["bnvae"]) / case.steps)
    if (left := LSTM_STEPS - product.trainer.step) > 0:
        product.run(left)
        bare.run(left)
    test = case.dataset.test.examples
    examples = test[random_subset(len(test), LSTM_TEST_SENTENCES)]
    tokens = (row_lengths(examples) - 1).double().mean().item()
    recompute_statistics(product.trainer.model, case.dataset.training.examples)
    ours = math.exp(-evaluate(product.trainer.model, examples).elbo / tokens)
    with torch.no_grad():
        theirs = math.exp(bare.model.eval()(trimmed(examples)).item() / tokens)
    speeds = {
        name: case.units_per_step * case.steps / statistics.median(turn.wall for turn in each)
        for name, each in turns.items()
    }
    precision = str(product.trainer.precision).removeprefix("torch.")
    return [
        [
            f"{case.name}, {precision}",
            "bare fp32 loop",
            f"{thousands(share * speeds['bnvae'])} tokens/s",
            f"{thousands(speeds['bare'])} tokens/s",
            judged(share * speed_ratio(turns["bare"], turns["bnvae"]).wall, "lstm", "bare fp32 loop"),
            f"perplexity {ours:.0f} and {theirs:.0f} after {product.trainer.step} steps",
        ]
    ]


def trimmed(examples: Tensor) -> Tensor:
    return examples[:, : int(row_lengths(examples).max())]


def measured(chosen: argparse.Namespace, folder: Path) -> Iterator[list[list[str]]]:
    for network in get_args(NetworkOfPeers):
        if network in chosen.only:
            yield steady(network, chosen.rounds, folder)
            pictures = 60_000 if network == "mlp" or chosen.full else FEWER_PICTURES
            yield end_to_end(network, pictures, folder, chosen.threads)
    if "lstm" in chosen.only:
        yield lstm(chosen.rounds, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="all pictures for the conv as well")
    chosen = chosen_turns(parser, ["mlp", "conv", "lstm"], rounds=7, threads=0)
    if not HAS_PYTHAE:
        print("pythae is not installed here: its rows are left out.")
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = torchvisions_mnist(Path(temporary))
        for found in measured(chosen, folder):
            rows += found
            print("\n".join(" | ".join(row) for row in found), flush=True)
    header = ["training", "peer", "bnvae", "the peer", f"how many times faster (≥ {TARGET:g} where bold)"]
    publish("Against peers, by the wall", [*header, "-ELBO, ours and theirs (nats)"], rows)


if __name__ == "__main__":
    main()
