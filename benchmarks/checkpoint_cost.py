"""What it costs to save a training so that it can be killed: python -m benchmarks.checkpoint_cost [--folder DISK].

The same number of steps with one checkpoint in their middle and with none, turn by turn, in one process on one thread.
A checkpoint waits until its files are on the disk. The first two of a run make these files, all later ones write over
them. The difference is set against the time between two checkpoints.
"""

import argparse
import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.recording_cost import CASES, NAMES, Clock
from benchmarks.report import publish, with_spread
from bnvae.config.schema import DataConfig, ModelConfig, RunConfig, TrainingConfig
from bnvae.data import load_dataset
from bnvae.nn.vae import VAE
from bnvae.runs.progress import checkpoint
from bnvae.runs.progress.history import HistoryWriter
from bnvae.runs.progress.intervals import CHECKPOINT_SECONDS
from bnvae.training.trainer import Trainer

LARGE = RunConfig(
    data=DataConfig(name="storybook", vocabulary_size=10_000),
    model=ModelConfig(network="lstm", latent_dimensions=32, hidden_units=1024, embedding_units=512),
    training=TrainingConfig(epochs=1_000, batch_size=8, precision="fp32", device="cpu", threads=1),
)
MEASURED = {NAMES[name]: config for name, config in CASES.items()} | {"LSTM 512/1024/32, storybook": LARGE}
TURN_SECONDS = 1.5
"""about how long the steps between two looks at the clock take"""


def one_turn(trainer: Trainer, steps: int, folder: Path, *, saves: bool) -> Clock:
    """The time of so many steps, half of them before a checkpoint if there is one."""
    history = HistoryWriter(folder / "history.jsonl", 0)
    clock = Clock()
    clock.begin()
    for index in range(steps):
        trainer._advance()
        if saves and index == steps // 2:
            history.sync()
            checkpoint.save(folder, trainer, history.bytes_written, "d" * 64, history_sha256=history.sha256)
    clock.end()
    history.close()
    return clock


def trainer_of(config: RunConfig) -> Trainer:
    endless = dataclasses.replace(config.training, epochs=100_000)
    data = load_dataset(config.data)
    model = VAE.build(config.network, config.model, data.shape, seed=0)
    return Trainer(model, data.training, data.validation, endless)


def steps_of(trainer: Trainer) -> int:
    """As many as take about `TURN_SECONDS`, the first ones apart, in which memory is laid out."""
    for _ in range(5):
        trainer._advance()
    begun = time.process_time()
    for _ in range(5):
        trainer._advance()
    return max(4, round(5 * TURN_SECONDS / (time.process_time() - begun)))


def measured(name: str, config: RunConfig, rounds: int, folder: Path) -> list[str]:
    trainer = trainer_of(config)
    steps, wall, processor = steps_of(trainer), [], []
    for index in range(rounds):
        order = (True, False) if index % 2 else (False, True)
        turns = {saves: one_turn(trainer, steps, folder, saves=saves) for saves in order}
        wall.append(1_000 * (turns[True].wall_seconds - turns[False].wall_seconds))
        processor.append(1_000 * (turns[True].processor_seconds - turns[False].processor_seconds))
    megabytes = (folder / "trainer-0.safetensors").stat().st_size / 1e6
    shares = [statistics.median(each) / (10 * CHECKPOINT_SECONDS) for each in (wall, processor)]
    return [
        name,
        f"{megabytes:.1f} MB",
        with_spread(wall, "ms", digits=2),
        with_spread(processor, "ms", digits=2),
        " and ".join(f"{share:.2f} %" for share in shares),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", type=Path, help="on the disk in question; else where temporary files are")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name, config in MEASURED.items():
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            rows.append(measured(name, config, options.rounds, Path(folder)))
    header = [
        "training",
        "checkpoint",
        "one costs on the clock",
        "of the processor",
        "of 10 s, clock and processor (< 3 %)",
    ]
    publish(f"Cost of a checkpoint every {CHECKPOINT_SECONDS:g} s", header, rows)


if __name__ == "__main__":
    main()
