"""The idx format of MNIST and its relatives: a few big-endian numbers, then bytes (http://yann.lecun.com/exdb/mnist)."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_UNSIGNED_BYTES = 8


def read_idx(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The array in a gzipped idx file, which must have this shape.

    The idx inside is what counts: a file compressed anew is as good as the published one.

    Raises:
        ValueError: it is not gzipped, cut off, too long, or holds something else.
    """
    expected = struct.pack(f">HBB{len(shape)}I", 0, _UNSIGNED_BYTES, len(shape), *shape)
    length = len(expected) + math.prod(shape)
    try:
        with gzip.open(path) as file:
            content = file.read(length + 1)  # never more, whatever a crafted file would expand to
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _damaged(path, f"it cannot be decompressed ({error})") from None
    if not content.startswith(expected):
        raise _damaged(path, f"its header is not that of {' x '.join(map(str, shape))} bytes")
    if len(content) != length:
        raise _damaged(path, f"it has {'more' if len(content) > length else 'fewer'} than {length} bytes")
    return np.frombuffer(content, dtype=np.uint8, offset=len(expected)).reshape(shape).copy()


def _damaged(path: Path, reason: str) -> ValueError:
    return ValueError(f"file {path} is not usable: {reason}. Delete it, and it is downloaded again.")
