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

import pytest

from bnvae.config.schema import HeadName, RunConfig
from bnvae.data import load_dataset
from bnvae.jobs import launch
from bnvae.nn.vae import VAE
from bnvae.runs import BrokenRunError, RunStore
from bnvae.runs.progress import checkpoint
from bnvae.runs.progress.control import CONTROL, PLAY, Control
from bnvae.runs.progress.history import HISTORY
from bnvae.runs.storage.atomic_files import sha256
from bnvae.training.trainer import Trainer

if sys.platform == "win32":
    pytest.skip("kills and limits of POSIX", allow_module_level=True)

from benchmarks.faults import kills, lives, sweep
from benchmarks.faults.disk import KINDS, FaultKind
from benchmarks.faults.sweep import Short

KILLS = {"image": 3, "text": 2}
"""each; 25 over the five heads"""
FLIPS = 1_000
"""of each kind of file, without repetition"""
SAMPLED_FAULTS = 2
"""of each kind in either life; `python -m benchmarks.faults` tries them all"""


@pytest.mark.parametrize("modality", lives.MODALITIES)
@pytest.mark.parametrize("head", lives.HEADS)
def test_workers_killed_at_random_moments_leave_the_bytes_of_an_undisturbed_training(
    head: HeadName, modality: str, store: RunStore
) -> None:
    config = lives.config_of(head, modality, epochs=kills.EPOCHS)
    wanted = lives.outcome(lives.undisturbed(store, config))
    rng = random.Random(f"{head} {modality}")
    struck = kills.strike(store, config, wanted, kills=KILLS[modality], rng=rng)
    assert len(struck.steps) >= KILLS[modality]  # more if a run ended before its last one
    assert struck.differing == []


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Short, Short]:
    """A whole training of three steps, and the second half of one."""
    return sweep.short_lives(RunStore(tmp_path_factory.mktemp("short")), "image")


@pytest.mark.parametrize("life", [0, 1], ids=["new", "resumed"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fails_at_any_operation_costs_no_byte(
    kind: FaultKind, life: int, short: tuple[Short, Short], store: RunStore
) -> None:
    every = list(sweep.faults(short[life], [kind]))
    for fault in random.Random(f"{kind} {life}").sample(every, SAMPLED_FAULTS):
        assert sweep.strike(store, short[life], fault).wrong == [], fault


@pytest.fixture(scope="module")
def eight_steps(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunConfig, dict[str, bytes]]:
    """A configuration, and what it leaves."""
    config = lives.config_of("rms-scaler", "image", epochs=1)
    return config, lives.outcome(lives.undisturbed(RunStore(tmp_path_factory.mktemp("eight")), config))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + lives.LONGEST_LIFE_SECONDS
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def ended(process: ForkServerProcess) -> int | None:
    process.join(lives.LONGEST_LIFE_SECONDS)
    return process.exitcode


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits can be changed on Linux")
def test_a_file_that_may_not_grow_pauses_the_training_which_goes_on_when_it_may(
    eight_steps: tuple[RunConfig, dict[str, bytes]], store: RunStore
) -> None:
    config, wanted = eight_steps
    run = store.create("a", config)
    # Enough for a status, too little for anything else.
    process, _ = lives.start(run, checkpoint_seconds=-1.0, largest_file_bytes=6_000)
    wait_until(lambda: run.status.state == "paused")
    assert run.status.message.startswith("Waiting: examples.npz can't be written (File too large)")
    assert process.pid is not None
    too_little = len(wanted["trainer"]) - 1
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (too_little, resource.RLIM_INFINITY))
    wait_until(lambda: "Waiting: trainer-0.safetensors can't be written" in run.status.message)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert ended(process) == 0
    assert lives.differing(run, wanted) == []


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
    config = lives.config_of("rms-scaler", "image", epochs=13)
    store = RunStore(small_disk)
    wanted = lives.outcome(lives.undisturbed(store, config))
    run = store.create("a", config)
    run.desk.command(Control(pause_at=5))
    process, _ = lives.start(run)
    wait_until(lambda: (run.status.state, run.status.step) == ("paused", 5))
    filler = fill(small_disk)
    (run.folder / CONTROL).unlink()  # plays; a command would need room
    wait_until(lambda: "can't be written (No space left on device)" in launch.state(run).message)
    assert launch.state(run).state == "paused"
    assert process.is_alive()
    filler.unlink()
    assert ended(process) == 0
    assert lives.differing(run, wanted) == []


def test_a_full_disk_does_not_keep_a_training_from_being_stopped(small_disk: Path) -> None:
    run = RunStore(small_disk).create("a", lives.config_of("rms-scaler", "image", epochs=1_000))
    process, _ = lives.start(run)
    wait_until(lambda: run.status.step > 0)
    filler = fill(small_disk)
    wait_until(lambda: "No space left" in launch.state(run).message)
    run.request_stop()
    assert ended(process) == lives.REFUSED
    assert not run.is_held
    filler.unlink()
    assert run.status.resumable


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere root may write into any folder")
def test_a_folder_that_becomes_read_only_is_said_before_the_next_step_and_the_training_goes_on_afterwards(
    eight_steps: tuple[RunConfig, dict[str, bytes]], store: RunStore
) -> None:
    config, wanted = eight_steps
    run = store.create("a", config)
    run.desk.command(Control(pause_at=5))
    process, _ = lives.start(run)
    wait_until(lambda: (run.status.state, run.status.step) == ("paused", 5))
    run.folder.chmod(0o555)
    wait_until(lambda: "history.jsonl can't be written (Permission denied)" in launch.state(run).message)
    assert [record.step for record in run.history().steps] == [3]
    run.folder.chmod(0o755)
    run.desk.command(PLAY)
    assert ended(process) == 0
    assert lives.differing(run, wanted) == []


def trainer_of(config: RunConfig) -> Trainer:
    data = load_dataset(config.data)
    model = VAE.build(config.network, config.model, data.shape, seed=0)
    return Trainer(model, data.training, data.test, config.training)


@pytest.mark.parametrize("suffix", ["safetensors", "json"])
def test_every_one_of_a_thousand_flipped_bits_of_a_checkpoint_is_noticed_and_the_one_before_is_taken(
    suffix: str, tiny: RunConfig, tmp_path: Path
) -> None:
    trainer = trainer_of(tiny)
    next(trainer.fit())  # so that the optimiser has a state as well
    (tmp_path / HISTORY).write_bytes(bytes(1_234))
    for step in (1, 2):
        trainer.step = step
        checkpoint.save(tmp_path, trainer, 1_234, "d" * 64, history_sha256=sha256(bytes(1_234)))
    flipped = tmp_path / f"trainer-1.{suffix}"
    manifest = (tmp_path / "trainer-1.json").read_bytes()
    content = flipped.read_bytes()
    for bit in random.Random(0).sample(range(8 * len(content)), FLIPS):
        flipped.write_bytes(content[: bit // 8] + bytes([content[bit // 8] ^ 1 << bit % 8]) + content[bit // 8 + 1 :])
        read = checkpoint.newest(tmp_path)
        assert read is not None
        assert read[0]["step"] == 1, bit
        position = checkpoint.restore(tmp_path, trainer, "d" * 64)
        assert position is not None
        assert (position.step, position.history_bytes) == (1, 1_234), bit
        # One whose step reads as an earlier one comes second, and is overwritten next.
        assert "passed over" in " ".join(position.skipped) or b'"step": 0' in flipped.read_bytes()
        flipped.write_bytes(content)
        (tmp_path / "trainer-1.json").write_bytes(manifest)


def test_a_manifest_that_was_the_only_one_is_not_taken_for_none(tiny: RunConfig, tmp_path: Path) -> None:
    trainer = trainer_of(tiny)
    checkpoint.save(tmp_path, trainer, 0, "d" * 64)
    (tmp_path / "trainer-0.json").write_bytes(b"\0")
    with pytest.raises(BrokenRunError, match=r"trainer-0\.json passed over: it is damaged"):
        checkpoint.restore(tmp_path, trainer, "d" * 64)


def test_a_race_whose_worker_is_killed_is_resumed_to_the_bytes_of_runs_alone(store: RunStore) -> None:
    configs = [lives.config_of(head, "image", epochs=13) for head in ("rms-scaler", "gaussian")]
    wanted = [lives.outcome(lives.undisturbed(store, config)) for config in configs]
    race = [store.create(f"race-{index}", config) for index, config in enumerate(configs)]
    for delay_s in (0.3, 0.6):
        process, _ = lives.start(*race)
        time.sleep(delay_s)
        process.kill()
        process.join()
    assert lives.live(*race)[0] == 0
    assert [lives.differing(run, outcome) for run, outcome in zip(race, wanted, strict=True)] == [[], []]
