import gzip
import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import KMNIST, MNIST, FashionMNIST

from bnvae.config.schema import DataConfig, DataName
from bnvae.data import DownloadError, ImageShape, load_dataset
from tests.data.web import Web

NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Four files as MNIST's: every picture's first pixel is its label."""
    made = {}
    for images_name, labels_name, count in ((*NAMES[:2], 60_000), (*NAMES[2:], 10_000)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = np.zeros((count, 28, 28), dtype=np.uint8)
        images[:, 0, 0] = labels
        images_header = struct.pack(">IIII", 0x00000803, count, 28, 28)
        made[images_name] = gzip.compress(images_header + images.tobytes(), 1)
        made[labels_name] = gzip.compress(struct.pack(">II", 0x00000801, count) + labels.tobytes(), 1)
    return made


def _put(files: dict[str, bytes], folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist"])
def test_files_put_there_by_hand_are_read(name: DataName, files: dict[str, bytes], cache: Path) -> None:
    _put(files, cache / name)
    dataset = load_dataset(DataConfig(name=name))
    assert dataset.shape == ImageShape(channels=1, height=28, width=28)
    for part, count in ((dataset.training, 55_000), (dataset.validation, 5_000), (dataset.test, 10_000)):
        assert len(part) == count
        assert (part.examples[:, 0, 0, 0] == part.labels).all()
    assert len(dataset.label_names) == 10


def test_files_are_downloaded_where_they_are_missing(
    files: dict[str, bytes], cache: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.files = dict(files)
    sums = [(name, hashlib.md5(files[name], usedforsecurity=False).hexdigest()) for name in NAMES]
    monkeypatch.setattr(MNIST, "mirrors", [web.address("gone/"), web.address("")])
    monkeypatch.setattr(MNIST, "resources", sums)
    assert len(load_dataset(DataConfig(name="mnist", training_examples=100)).training) == 100
    assert sorted(file.name for file in (cache / "mnist").iterdir()) == sorted(NAMES)


def test_an_unreachable_host_is_named_with_the_folder(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MNIST, "mirrors", ["https://mirror.invalid/mnist/"])
    with pytest.raises(DownloadError, match=r"mirror\.invalid") as raised:
        load_dataset(DataConfig(name="mnist"))
    assert str(cache / "mnist" / NAMES[0]) in str(raised.value)


def test_a_folder_with_all_files_is_not_written_to(files: dict[str, bytes], cache: Path) -> None:
    folder = _put(files, cache / "mnist")
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    load_dataset(DataConfig(name="mnist", training_examples=10))
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_labels_beyond_the_classes_are_refused(files: dict[str, bytes], cache: Path) -> None:
    labels = gzip.compress(struct.pack(">II", 0x00000801, 10_000) + bytes([10] * 10_000))
    _put({**files, NAMES[3]: labels}, cache / "mnist")
    with pytest.raises(ValueError, match="label 10 is none of the 10"):
        load_dataset(DataConfig(name="mnist"))


@pytest.mark.parametrize(("name", "published"), [("mnist", MNIST), ("fashion-mnist", FashionMNIST), ("kmnist", KMNIST)])
def test_files_and_classes_are_torchvisions(
    name: DataName, published: type[MNIST], files: dict[str, bytes], cache: Path
) -> None:
    assert tuple(each for each, _ in published.resources) == NAMES
    assert all(mirror.endswith("/") for mirror in published.mirrors)
    _put(files, cache / name)
    # "0 - zero" and so on for MNIST, whose digits say enough.
    assert load_dataset(DataConfig(name=name)).label_names == tuple(
        each.partition(" - ")[0] for each in published.classes
    )


def test_files_that_are_there_are_read_without_importing_torchvision(files: dict[str, bytes], cache: Path) -> None:
    _put(files, cache / "mnist")
    program = """
import sys
from bnvae.config.schema import DataConfig
from bnvae.data import load_dataset
assert len(load_dataset(DataConfig(name="mnist", training_examples=100)).training) == 100
sys.exit("torchvision" in sys.modules)
"""
    environment = os.environ | {"BNVAE_DATA": str(cache)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
