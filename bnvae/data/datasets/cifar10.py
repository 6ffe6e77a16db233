"""CIFAR-10 (Krizhevsky 2009), from its binary version: the one torchvision reads is a pickle, which can run code."""

import tarfile
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bnvae.config.schema import DataConfig
from bnvae.data.dataset import Dataset, ImageShape, Split
from bnvae.data.datasets.held_back import published_rows
from bnvae.data.download.fetch import cache_folder, fetch
from bnvae.data.limits import Progress

SIDE = 32
EXAMPLES_A_FILE = 10_000
TRAINING_FILES = tuple(f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6))
TEST_FILE = "cifar-10-batches-bin/test_batch.bin"
LABEL_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_ADDRESS = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
_MOST_BYTES = 256 << 20
_MOST_MEMBERS = 20
_PIXELS = 3 * SIDE * SIDE
_FILE_BYTES = EXAMPLES_A_FILE * (1 + _PIXELS)


def load_cifar10(config: DataConfig, progress: Progress) -> Dataset:
    """45,000 small colour photographs for training, 5,000 for validation and 10,000 for testing."""
    archive = cache_folder() / "cifar10" / "cifar-10-binary.tar.gz"
    fetch([_ADDRESS], archive, most_bytes=_MOST_BYTES, progress=progress, md5=_MD5)
    kept, held = published_rows(config, len(TRAINING_FILES) * EXAMPLES_A_FILE)
    files = read_archive(archive)
    published_training = np.concatenate([files[name] for name in TRAINING_FILES])
    test = _split(files[TEST_FILE])
    return Dataset(
        name="cifar10",
        shape=ImageShape(channels=3, height=SIDE, width=SIDE),
        training=_split(published_training[kept]),
        validation=_split(published_training[held]) if len(held) else test,
        test=test,
        label_names=LABEL_NAMES,
    )


def read_archive(archive: Path) -> dict[str, NDArray[np.uint8]]:
    """The rows of each file, (10,000, 1 + 3072): a label, then red, green and blue pixels.

    Raises:
        ValueError: it is not the published archive.
    """
    wanted = {*TRAINING_FILES, TEST_FILE}
    found: dict[str, NDArray[np.uint8]] = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for position, member in enumerate(tar):
                if position >= _MOST_MEMBERS or member.size > _FILE_BYTES:
                    raise _damaged(archive, f"it holds more than it should, at {member.name!r}")
                if member.name in wanted and member.isreg() and member.size == _FILE_BYTES:
                    content = tar.extractfile(member)
                    assert content is not None
                    rows = np.frombuffer(content.read(_FILE_BYTES), dtype=np.uint8)
                    found[member.name] = rows.reshape(EXAMPLES_A_FILE, 1 + _PIXELS)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise _damaged(archive, f"it cannot be read ({error})") from None
    if missing := wanted - found.keys():
        raise _damaged(archive, f"it lacks {', '.join(sorted(missing))}")
    if max(rows[:, 0].max() for rows in found.values()) >= len(LABEL_NAMES):
        raise _damaged(archive, f"it has labels beyond {len(LABEL_NAMES) - 1}")
    return found


def _split(rows: NDArray[np.uint8]) -> Split:
    images = rows[:, 1:].reshape(-1, 3, SIDE, SIDE)
    return Split(examples=torch.from_numpy(images.copy()), labels=torch.from_numpy(rows[:, 0].astype(np.int64)))


def _damaged(archive: Path, reason: str) -> ValueError:
    return ValueError(f"file {archive} is not usable: {reason}. Delete it, and it is downloaded again.")
