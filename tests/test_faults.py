"""Workers that are killed, and disks that fail: the run ends with the bytes of an undisturbed one."""

import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import get_args

import pytest

from bnvae import launcher
from bnvae.config import HeadName, RunConfig
from bnvae.data import load_dataset
from bnvae.model import VAE
from bnvae.runs import BrokenRunError, RunStore, checkpoint
from bnvae.runs.control import CONTROL, PLAY, Control
from bnvae.training import Trainer

if sys.platform == "win32":
    pytest.skip("kills and limits of POSIX", allow_module_level=True)

from benchmarks import faults

KILLS = {"image": 3, "text": 2}
"""each; 25 over the five heads"""
SAMPLED_FAULTS = 3
"""of each kind; `python -m benchmarks.faults` tries them all"""


@pytest.mark.parametrize("modality", faults.MODALITIES)
@pytest.mark.parametrize("head", faults.HEADS)
def test_workers_killed_at_random_moments_leave_the_bytes_of_an_undisturbed_training(
    head: HeadName, modality: str, store: RunStore
) -> None:
    config = faults.config_of(head, modality, epochs=13)  # evaluations at steps 100 and 104
    begun = time.monotonic()
    whole, _ = faults.undisturbed(store, config)
    within_s = 0.7 * min(4.0, time.monotonic() - begun)  # on a busy machine every life is longer
    rng = random.Random(f"{head} {modality}")
    wanted = faults.outcome(whole)
    kills = KILLS[modality]
    assert faults.kill_again_and_again(store, config, wanted, kills=kills, rng=rng, within_s=within_s) == []


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunConfig, dict[str, bytes], int]:
    """A configuration, what it leaves, and how many operations its disk sees."""
    config = faults.config_of("rms-scaler", "image", epochs=1)
    store = RunStore(tmp_path_factory.mktemp("whole"))
    whole, operations = faults.undisturbed(store, config, checkpoint_seconds=-1.0)
    return config, faults.outcome(whole), operations


@pytest.mark.parametrize("kind", get_args(faults.FaultKind))
def test_a_disk_that_fails_at_any_operation_costs_no_byte(
    kind: faults.FaultKind, short: tuple[RunConfig, dict[str, bytes], int], store: RunStore
) -> None:
    config, wanted, operations = short
    for number in random.Random(kind).sample(range(1, operations + 1), SAMPLED_FAULTS):
        fault = faults.Fault(kind=kind, number=number)
        assert faults.strike(store, config, wanted, fault) == [], fault


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + faults.LONGEST_LIFE_SECONDS
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def ended(process: ForkServerProcess) -> int | None:
    process.join(faults.LONGEST_LIFE_SECONDS)
    return process.exitcode


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits can be changed on Linux")
def test_a_file_that_may_not_grow_pauses_the_training_which_goes_on_when_it_may(
    short: tuple[RunConfig, dict[str, bytes], int], store: RunStore
) -> None:
    config, wanted, _ = short
    run = store.create("a", config)
    # Enough for a status, too little for anything else.
    process, _ = faults.start(run, checkpoint_seconds=-1.0, largest_file_bytes=6_000)
    wait_until(lambda: run.status.state == "paused")
    assert run.status.message.startswith("Waiting: examples.npz can't be written (File too large)")
    assert process.pid is not None
    too_little = len(wanted["trainer"]) - 1
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (too_little, resource.RLIM_INFINITY))
    wait_until(lambda: "Waiting: trainer-0.safetensors can't be written" in run.status.message)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert ended(process) == 0
    assert faults.differing(run, wanted) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return filler


def test_a_full_disk_pauses_the_training_which_goes_on_when_there_is_room(small_disk: Path) -> None:
    config = faults.config_of("rms-scaler", "image", epochs=13)
    store = RunStore(small_disk)
    wanted = faults.outcome(faults.undisturbed(store, config)[0])
    run = store.create("a", config)
    run.desk.command(Control(pause_at=5))
    process, _ = faults.start(run)
    wait_until(lambda: (run.status.state, run.status.step) == ("paused", 5))
    filler = fill(small_disk)
    (run.folder / CONTROL).unlink()  # plays; a command would need room
    wait_until(lambda: "can't be written (No space left on device)" in launcher.state(run).message)
    assert launcher.state(run).state == "paused"
    assert process.is_alive()
    filler.unlink()
    assert ended(process) == 0
    assert faults.differing(run, wanted) == []


def test_a_full_disk_does_not_keep_a_training_from_being_stopped(small_disk: Path) -> None:
    run = RunStore(small_disk).create("a", faults.config_of("rms-scaler", "image", epochs=1_000))
    process, _ = faults.start(run)
    wait_until(lambda: run.status.step > 0)
    filler = fill(small_disk)
    wait_until(lambda: "No space left" in launcher.state(run).message)
    run.request_stop()
    assert ended(process) == 1
    assert not run.is_held
    filler.unlink()
    assert run.status.resumable


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere root may write into any folder")
def test_a_folder_that_becomes_read_only_is_said_before_the_next_step_and_the_training_goes_on_afterwards(
    short: tuple[RunConfig, dict[str, bytes], int], store: RunStore
) -> None:
    config, wanted, _ = short
    run = store.create("a", config)
    run.desk.command(Control(pause_at=5))
    process, _ = faults.start(run)
    wait_until(lambda: (run.status.state, run.status.step) == ("paused", 5))
    run.desk.command(Control(pause_at=6))
    run.folder.chmod(0o555)
    wait_until(lambda: "history.jsonl can't be written (Permission denied)" in launcher.state(run).message)
    assert len(run.history().steps) <= 2  # of steps 3 and 6
    run.folder.chmod(0o755)
    run.desk.command(PLAY)
    assert ended(process) == 0
    assert faults.differing(run, wanted) == []


def trainer_of(config: RunConfig) -> Trainer:
    data = load_dataset(config.data)
    model = VAE.build(config.network, config.model, data.shape, seed=0)
    return Trainer(model, data.training, data.test, config.training)


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
def test_every_flipped_bit_of_a_checkpoint_is_noticed_and_the_one_before_is_taken(
    suffix: str, tiny: RunConfig, tmp_path: Path
) -> None:
    trainer = trainer_of(tiny)
    for step in (0, 1):
        trainer.step = step
        checkpoint.save(tmp_path, trainer, 0, "d" * 64)
    newest = tmp_path / f"trainer-1.{suffix}"
    manifest = (tmp_path / "trainer-1.json").read_bytes()
    content, rng = newest.read_bytes(), random.Random(0)
    for _ in range(60):
        bit = rng.randrange(8 * len(content))
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        newest.write_bytes(flipped)
        position = checkpoint.restore(tmp_path, trainer, "d" * 64)
        assert position is not None
        assert position.step == 0, bit
        assert "passed over" in position.skipped[0]
        newest.write_bytes(content)
        (tmp_path / "trainer-1.json").write_bytes(manifest)


def test_a_manifest_that_was_the_only_one_is_not_taken_for_none(tiny: RunConfig, tmp_path: Path) -> None:
    trainer = trainer_of(tiny)
    checkpoint.save(tmp_path, trainer, 0, "d" * 64)
    (tmp_path / "trainer-0.json").write_bytes(b"\0")
    with pytest.raises(BrokenRunError, match=r"trainer-0\.json passed over: it is damaged"):
        checkpoint.restore(tmp_path, trainer, "d" * 64)


def test_a_race_whose_worker_is_killed_is_resumed_to_the_bytes_of_runs_alone(store: RunStore) -> None:
    configs = [faults.config_of(head, "image", epochs=13) for head in ("rms-scaler", "gaussian")]
    wanted = [faults.outcome(faults.undisturbed(store, config)[0]) for config in configs]
    race = [store.create(f"race-{index}", config) for index, config in enumerate(configs)]
    for delay_s in (0.3, 0.6):
        process, _ = faults.start(*race)
        time.sleep(delay_s)
        process.kill()
        process.join()
    assert faults.live(*race)[0] == 0
    assert [faults.differing(run, outcome) for run, outcome in zip(race, wanted, strict=True)] == [[], []]
