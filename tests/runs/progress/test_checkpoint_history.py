"""Checkpoints know their history; and files that can't be read now are not damaged ones."""

import errno
import io
import json
import os
import random
from pathlib import Path

import pytest

from bnvae.config.schema import RunConfig
from bnvae.data import load_dataset
from bnvae.nn.vae import VAE
from bnvae.runs.progress import checkpoint
from bnvae.runs.progress.history import HISTORY, ChangedHistoryError, HistoryWriter
from bnvae.runs.storage.atomic_files import UnreadableRunError
from bnvae.training.trainer import Trainer
from tests.runs.damage import flip

DIGEST = "d" * 64
FLIPS = 1_000


def trainer_of(config: RunConfig) -> Trainer:
    dataset = load_dataset(config.data)
    model = VAE.build(config.network, config.model, dataset.shape, seed=0)
    return Trainer(model, dataset.training, dataset.test, config.training, record_every=config.record_every)


@pytest.fixture
def saved(tiny: RunConfig, tmp_path: Path) -> tuple[Path, dict[int, int]]:
    """A folder with checkpoints of steps 3 and 6, and the length of the history at each."""
    trainer, history, lengths = trainer_of(tiny), HistoryWriter(tmp_path / HISTORY), {}
    for record in trainer.fit():
        history.append(record)
        lengths[record.step] = history.bytes_written
        if record.step == 9:
            break
        checkpoint.save(tmp_path, trainer, history.bytes_written, DIGEST, history_sha256=history.sha256)
    history.close()
    return tmp_path, lengths


def test_every_one_of_a_thousand_flipped_bits_of_a_history_is_noticed_and_costs_what_came_after_it(
    saved: tuple[Path, dict[int, int]], tiny: RunConfig
) -> None:
    folder, lengths = saved
    trainer = trainer_of(tiny)
    whole = {path: path.read_bytes() for path in folder.iterdir()}
    seen = set()
    for bit in random.Random(0).sample(range(8 * lengths[9]), FLIPS):
        flip(folder / HISTORY, bit)
        wanted = next((step for step in (6, 3) if bit // 8 >= lengths[step]), None)
        seen.add(wanted)
        if wanted is None:
            with pytest.raises(ChangedHistoryError, match=r"history\.jsonl is not: put it back from a copy"):
                checkpoint.restore(folder, trainer, DIGEST)
            assert "not what its training wrote" in checkpoint.history_doubt(folder)
        else:
            position = checkpoint.restore(folder, trainer, DIGEST)
            assert position is not None
            assert (position.step, position.history_bytes) == (wanted, lengths[wanted]), bit
            assert ["passed over" in each for each in position.skipped] == [True] * (wanted == 3)
        for path, content in whole.items():
            path.write_bytes(content)
    assert seen == {6, 3, None}
    assert checkpoint.history_doubt(folder) == ""


def test_a_checkpoint_of_a_version_that_kept_no_hash_of_the_history_goes_on(
    saved: tuple[Path, dict[int, int]], tiny: RunConfig
) -> None:
    folder, lengths = saved
    trainer = trainer_of(tiny)
    checkpoint.restore(folder, trainer, DIGEST)
    for path in folder.glob("trainer-*"):
        path.unlink()
    checkpoint.save(folder, trainer, lengths[6], DIGEST)
    assert json.loads((folder / "trainer-0.json").read_text()).keys() == {
        *("step", "history_bytes", "data_digest", "sha256")
    }
    flip(folder / HISTORY, 80)
    position = checkpoint.restore(folder, trainer_of(tiny), DIGEST)
    assert position is not None
    assert (position.step, position.skipped) == (6, ())
    assert checkpoint.history_doubt(folder) == ""


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
@pytest.mark.parametrize("name", ["trainer-*.safetensors", "trainer-*.json", HISTORY])
def test_what_cannot_be_read_now_is_not_lost(
    name: str, number: int, saved: tuple[Path, dict[int, int]], tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = saved
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    real, trainer = Path.open, trainer_of(tiny)

    def failing(self: Path, *arguments: object, **options: object) -> object:
        if self.match(name):
            raise OSError(number, os.strerror(number), str(self))
        return real(self, *arguments, **options)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", failing)
        with pytest.raises(UnreadableRunError, match=r"nothing is lost by that: resume when its disk answers") as error:
            checkpoint.restore(folder, trainer, DIGEST)
    assert os.strerror(number) in str(error.value)
    assert "start a new run" not in str(error.value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    position = checkpoint.restore(folder, trainer, DIGEST)
    assert position is not None
    assert position.step == 6


def test_one_damaged_and_one_unreadable_checkpoint_are_worth_another_try(
    saved: tuple[Path, dict[int, int]], tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = saved
    (folder / "trainer-1.safetensors").write_bytes(b"")
    real = Path.read_bytes

    def failing(self: Path) -> bytes:
        if self.name == "trainer-0.safetensors":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", failing)
    with pytest.raises(UnreadableRunError, match=r"nothing is lost.*step 6 passed over.*does not match its hash"):
        checkpoint.restore(folder, trainer_of(tiny), DIGEST)


@pytest.mark.parametrize("name", ["trainer-1.safetensors", "trainer-1.json", HISTORY])
def test_the_newest_checkpoint_is_not_given_up_for_the_older_one_while_it_cannot_be_read(
    name: str, saved: tuple[Path, dict[int, int]], tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, lengths = saved
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    bad = lengths[3] if name == HISTORY else 0  # as one sector of a disk may be
    real = Path.open

    class Bad(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if size is None or size < 0 or self.tell() + size > bad:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().read(size) or b""

        readall = read

    def opened(self: Path, *arguments: object, **options: object) -> object:
        return Bad(self) if self.name == name else real(self, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(UnreadableRunError, match=r"resume when its disk answers.*delete trainer-1\.json"):
        checkpoint.restore(folder, trainer_of(tiny), DIGEST)
    assert {path.name for path in folder.iterdir()} == before.keys()
    (folder / "trainer-1.json").unlink()
    position = checkpoint.restore(folder, trainer_of(tiny), DIGEST)
    assert position is not None
    assert (position.step, position.history_bytes) == (3, lengths[3])


def test_a_manifest_of_a_negative_length_is_damaged(saved: tuple[Path, dict[int, int]], tiny: RunConfig) -> None:
    folder, _ = saved
    manifest = json.loads((folder / "trainer-1.json").read_text())
    (folder / "trainer-1.json").write_text(json.dumps({**manifest, "history_bytes": -1}))
    assert list(checkpoint._manifests(folder)[0]) == [0]
    position = checkpoint.restore(folder, trainer_of(tiny), DIGEST)
    assert position is not None
    assert (position.step, position.skipped) == (3, ("trainer-1.json passed over: it is damaged.",))
