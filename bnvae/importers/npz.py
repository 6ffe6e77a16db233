"""Arrays out of a stranger's .npz: bounded before anything is unpacked, and never by unpickling."""

import io
import math
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_EXPANDED_BYTES = 512 * 2**20
MOST_ARRAYS = 16
LARGEST_HEADER = 10_000
KINDS = "fiuU"
"""floating-point numbers, whole numbers, text"""


def read_npz(content: bytes) -> dict[str, NDArray[Any]]:
    """Every array of the file by its name.

    Raises:
        ValueError: it is damaged, expands to too much, or holds anything but numbers and text.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ARRAYS:
                raise ValueError(f"the .npz holds {len(entries)} arrays: at most {MOST_ARRAYS} are read.")
            if (expanded := sum(entry.file_size for entry in entries)) > LARGEST_EXPANDED_BYTES:
                raise ValueError(
                    f"the .npz expands to {expanded:,} bytes: at most {LARGEST_EXPANDED_BYTES:,} are read."
                )
            return {entry.filename.removesuffix(".npy"): _read(archive, entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, OSError) as error:
        raise ValueError(f"this is no .npz, or a damaged one ({error}): write it with numpy.savez.") from None


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    name = entry.filename.removesuffix(".npy")
    # A zip's own reader stops at the size that was declared, and the sum of these was checked.
    buffer = io.BytesIO(archive.read(entry))
    try:
        version = np.lib.format.read_magic(buffer)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"format version {version} is not read")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(buffer, max_header_size=LARGEST_HEADER)
    except ValueError as error:
        raise ValueError(f"{name!r:.80} in the .npz has a damaged header ({error!s:.200}).") from None
    if dtype.hasobject:
        raise ValueError(f"{name!r:.80} is an array of objects, which only unpickling can read: give numbers or text.")
    if dtype.kind not in KINDS:
        raise ValueError(f"{name!r:.80} is {dtype}: give floating-point or whole numbers, or text.")
    data = buffer.getbuffer()[buffer.tell() :]
    # Before an array is made: a header may speak of more than any machine has.
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{name!r:.80} says {dtype} {shape} and has {len(data):,} bytes: it is damaged.")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
