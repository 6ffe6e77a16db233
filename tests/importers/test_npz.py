"""A stranger's .npz: numbers and text are read, everything else is refused before it costs anything."""

import io
import struct
import zipfile
from typing import Any

import numpy as np
import pytest

from bnvae.importers import npz
from bnvae.importers.npz import read_npz


def packed(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("means.npy", content)
    return buffer.getvalue()


def with_header(header: str, data: bytes = b"") -> bytes:
    return zipped(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def test_numbers_and_text_come_back_as_they_went() -> None:
    arrays = {
        "a": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "b": np.array(["x", "yz"]),
        "c": np.array([1, 2], np.uint8),
    }

    found = read_npz(packed(**arrays))

    assert list(found) == ["a", "b", "c"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_objects_are_refused_without_being_unpickled() -> None:
    with pytest.raises(ValueError, match="'means' is an array of objects, which only unpickling can read"):
        read_npz(packed(means=np.array([{}, None], dtype=object)))


def test_other_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="'means' is complex128: give floating-point or whole numbers, or text"):
        read_npz(packed(means=np.ones(2, complex)))
    with pytest.raises(ValueError, match="give floating-point or whole numbers"):
        read_npz(packed(means=np.zeros(2, [("x", "f4")])))


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    content = packed(means=np.zeros(100_000))
    assert len(content) < 2_000
    monkeypatch.setattr(npz, "LARGEST_EXPANDED_BYTES", 100_000)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was unpacked"))

    with pytest.raises(ValueError, match=r"expands to 800,1\d\d bytes: at most 100,000 are read"):
        read_npz(content)


def test_a_bomb_that_lies_about_its_size_is_read_no_further_than_it_says() -> None:
    content = packed(means=np.zeros(100_000))
    size = struct.pack("<I", zipfile.ZipFile(io.BytesIO(content)).infolist()[0].file_size)
    assert content.count(size) >= 1

    with pytest.raises(ValueError, match="damaged"):
        read_npz(content.replace(size, struct.pack("<I", 1_000)))


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (10**12,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '<f8'" + ", 'x': 0" * 5_000 + "}",
        "__import__('os').getcwd()",
        "",
    ],
    ids=lambda header: header[-40:],
)
def test_a_header_that_says_too_much_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match=r"'means' (in the .npz has a damaged header|says float64)"):
        read_npz(with_header(header + "\n", b"\0" * 8))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", packed(means=np.ones(3))[:-30], zipped(b"x")], ids=len)
def test_what_is_no_npz_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\.npz"):
        read_npz(content)


def test_too_many_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="holds 17 arrays: at most 16"):
        read_npz(packed(**{f"a{index}": np.ones(1) for index in range(17)}))
