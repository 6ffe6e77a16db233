import gzip
from pathlib import Path

import numpy as np
import pytest

from bnvae.data.datasets.idx import read_idx

HEADER = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])
"""Unsigned bytes, two dimensions, 2 x 3."""


def _file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(content))
    return path


def test_an_array_is_read(tmp_path: Path) -> None:
    assert read_idx(_file(tmp_path, HEADER + bytes(range(6))), (2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("level", [0, 1, 9])
def test_a_file_compressed_anew_is_as_good(tmp_path: Path, level: int) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(HEADER + bytes(6), level, mtime=level))
    assert read_idx(path, (2, 3)).shape == (2, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "header"),
        (HEADER[:5], "header"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 6]) + bytes(6), "header"),
        (bytes([0, 0, 13, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(24), "header"),
        (bytes([0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255]), "header"),
        (HEADER + bytes(5), "fewer than 18 bytes"),
        (HEADER + bytes(7), "more than 18 bytes"),
        (HEADER + bytes(50_000_000), "more than 18 bytes"),
    ],
)
def test_another_content_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_idx(_file(tmp_path, content), (2, 3))


def test_a_damaged_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    whole = gzip.compress(HEADER + np.arange(6, dtype=np.uint8).tobytes())
    path = tmp_path / "a.gz"
    for spoilt in (b"not gzipped", whole[:-12], whole[:12] + b"\xff\xff\xff" + whole[15:]):
        path.write_bytes(spoilt)
        with pytest.raises(ValueError, match=r"a\.gz is not usable: .* Delete it"):
            read_idx(path, (2, 3))
