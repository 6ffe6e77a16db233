import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from bnvae.config.schema import DataConfig
from bnvae.data import load_dataset
from bnvae.data.datasets.cifar10 import TEST_FILE, TRAINING_FILES, read_archive

FILES = (*TRAINING_FILES, TEST_FILE)


def _rows(file: int) -> bytes:
    """10,000 pictures with red as the label, green as the file, blue growing along each line."""
    rows = np.zeros((10_000, 3_073), dtype=np.uint8)
    rows[:, 0] = np.arange(10_000) % 10
    rows[:, 1:1_025] = rows[:, :1]
    rows[:, 1_025:2_049] = file
    rows[:, 2_049:] = np.tile(np.arange(32), 32)
    return rows.tobytes()


def _archive(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_the_binary_version_is_read(cache: Path) -> None:
    _archive(cache / "cifar10" / "cifar-10-binary.tar.gz", {name: _rows(index) for index, name in enumerate(FILES)})
    dataset = load_dataset(DataConfig(name="cifar10"))
    assert dataset.training.examples.shape == (45_000, 3, 32, 32)
    assert dataset.validation.examples.shape == (5_000, 3, 32, 32)
    files = []
    for part in (dataset.training, dataset.validation):
        assert (part.examples[:, 0, 0, 0] == part.labels).all()
        files.append(np.bincount(part.examples[:, 1, 5, 5].numpy(), minlength=5))
    assert (files[0] + files[1] == [10_000] * 5).all()  # no picture in both, none lost
    assert (abs(files[1] - 1_000) < 150).all()  # five standard errors, 5 * sqrt(5,000 / 5 * 4 / 5)
    assert dataset.test.examples[7, 2, 9].tolist() == list(range(32))
    assert (dataset.test.examples[:, 1] == 5).all()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "lacks"),
        ({TEST_FILE: b"short"}, "lacks"),
        ({f"../{TEST_FILE}": b""}, "lacks"),
        ({"cifar-10-batches-py/data_batch_1": b"\x80\x04."}, "lacks"),
        ({str(number): b"" for number in range(30)}, "holds more than it should"),
        ({"bomb": bytes(31_000_000)}, "holds more than it should"),
    ],
)
def test_another_archive_is_refused(tmp_path: Path, members: dict[str, bytes], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_archive(_archive(tmp_path / "a.tar.gz", members))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        link = tarfile.TarInfo(TEST_FILE)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(ValueError, match="lacks"):
        read_archive(tmp_path / "a.tar.gz")


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.tar\.gz is not usable"):
        read_archive(tmp_path / "a.tar.gz")
