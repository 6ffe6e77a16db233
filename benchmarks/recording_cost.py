"""What it costs to record a training and to be watched.

    python -m benchmarks.recording_cost [--rounds 5] [--only storybook mlp]

Recorded: `train_run` as the app's worker runs it (history, status, previews, weights, snapshots, checkpoints, controls
looked at before each step) while another process reads history and status every 0.4 s, as a page does. Bare: the same
steps and evaluations of the same `Trainer` with one record at the end and nothing written. Both in one process, turn by
turn, on one thread. Timed from after the first evaluation to the last step, so that neither loading nor the final
evaluation counts. The sums from which records are made are in both; they are a few microseconds a step.
"""

import argparse
import dataclasses
import multiprocessing
import os
import statistics
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import torch

from benchmarks.report import publish, with_spread
from bnvae.config.schema import DataConfig, ModelConfig, RunConfig, TrainingConfig
from bnvae.data import load_dataset
from bnvae.data.dataset import Dataset
from bnvae.jobs.train_runs import train_run
from bnvae.nn.vae import VAE
from bnvae.runs import RunStore
from bnvae.runs.progress.status import Status
from bnvae.runs.run import Run
from bnvae.training.records import Record, StepRecord
from bnvae.training.trainer import FEWEST_STEPS_BETWEEN_EVALUATIONS, Trainer

SECONDS_PER_TICK = 0.4
"""what pages/shared/live/trainings.py waits between two looks"""
STARTED_AT = FEWEST_STEPS_BETWEEN_EVALUATIONS + 20
"""a multiple of every record's length, after the first evaluation"""

CASES = {
    "storybook": RunConfig(
        model=ModelConfig(network="lstm", latent_dimensions=16, hidden_units=128, embedding_units=64),
        training=TrainingConfig(epochs=3, precision="fp32", device="cpu", threads=1),
    ),
    "mlp": RunConfig(
        data=DataConfig(name="mnist"),
        model=ModelConfig(network="mlp", latent_dimensions=16, hidden_units=512),
        training=TrainingConfig(epochs=5, batch_size=128, precision="fp32", device="cpu", threads=1),
    ),
}
NAMES = {"storybook": "LSTM 64/128/16, storybook, batch 64", "mlp": "MLP 784-512-16, MNIST, batch 128"}


@dataclasses.dataclass
class Clock:
    """Wall and processor seconds between two steps."""

    begun: tuple[float, float] = (0.0, 0.0)
    ended: tuple[float, float] = (0.0, 0.0)

    def begin(self) -> None:
        self.begun = (time.perf_counter(), time.process_time())

    def end(self) -> None:
        self.ended = (time.perf_counter(), time.process_time())

    @property
    def wall_seconds(self) -> float:
        return self.ended[0] - self.begun[0]

    @property
    def processor_seconds(self) -> float:
        return self.ended[1] - self.begun[1]


def recorded(config: RunConfig, folder: Path) -> Clock:
    store = RunStore(folder)
    run = store.create(store.free_id("recorded"), config)
    clock = Clock()

    def report(run: Run, record: Record, status: Status) -> None:
        if isinstance(record, StepRecord):
            if record.step == STARTED_AT:
                clock.begin()
            clock.end()  # the last one stays

    ready, done = multiprocessing.Event(), multiprocessing.Event()
    watcher = multiprocessing.get_context("fork").Process(target=_watch, args=(run, ready, done))
    watcher.start()
    ready.wait()
    try:
        train_run(run, report)
    finally:
        done.set()
        watcher.join()
        store.delete(run.id)
    return clock


def _watch(run: Run, ready: Event, done: Event) -> None:
    """What a page does at each tick, without drawing."""
    history = run.history()
    ready.set()
    while not done.wait(SECONDS_PER_TICK):
        history.read()
        _ = run.status


def bare(config: RunConfig, dataset: Dataset) -> Clock:
    model = VAE.build(config.network, config.model, dataset.shape, seed=config.training.seed)
    trainer = Trainer(model, dataset.training, dataset.validation, config.training, record_every=10_000)
    clock = Clock()

    def before_step() -> None:
        if trainer.step == STARTED_AT:
            clock.begin()

    for record in trainer.fit(before_step):
        if isinstance(record, StepRecord):
            clock.end()
    return clock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    rows = []
    for name in chosen.only:
        config, dataset = CASES[name], load_dataset(CASES[name].data)
        wall, processor, seconds = [], [], []
        with tempfile.TemporaryDirectory() as folder:
            for index in range(chosen.rounds):
                if index % 2:  # every other round the other way round
                    without = bare(config, dataset)
                    watched = recorded(config, Path(folder))
                else:
                    watched = recorded(config, Path(folder))
                    without = bare(config, dataset)
                wall.append(100 * (watched.wall_seconds / without.wall_seconds - 1))
                processor.append(100 * (watched.processor_seconds / without.processor_seconds - 1))
                seconds.append(without.processor_seconds)
                print(
                    f"{name}: {wall[-1]:.1f} % of the wall's time, {processor[-1]:.1f} % of the processor's", flush=True
                )
        rows.append(
            [
                NAMES[name],
                f"{statistics.median(seconds):.1f} processor s",
                f"**{with_spread(wall, '%', digits=2)}**",
                with_spread(processor, "%", digits=2),
            ]
        )
    header = ["training", "without records", "more time with them, watched (< 3 %)", "more processor time"]
    publish("Cost of recording and of being watched", header, rows)


if __name__ == "__main__":
    main()
