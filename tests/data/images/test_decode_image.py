import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from bnvae.data.images.decode_image import decode_picture, is_picture


def _encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def _png_of_size(width: int, height: int) -> bytes:
    """A valid header that promises these many pixels, and hardly any data."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_every_kind_is_read(kind: str) -> None:
    pixels = decode_picture(_encoded(Image.new("RGB", (40, 30), (250, 40, 40)), kind), name="a", side=8)
    assert pixels.shape == (8, 8, 3)
    assert np.abs(pixels.astype(int) - [250, 40, 40]).max() <= 6  # JPEG and WebP are lossy


def test_the_middle_square_is_kept() -> None:
    wide = np.zeros((10, 30, 3), dtype=np.uint8)
    wide[:, 10:20] = 255
    assert decode_picture(_encoded(Image.fromarray(wide)), name="a", side=10).min() == 255


def test_a_photograph_is_turned_upright() -> None:
    picture = Image.new("RGB", (16, 16))
    picture.paste((255, 255, 255), (0, 0, 16, 8))  # white above
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright: white to the right
    pixels = decode_picture(_encoded(picture, "PNG", exif=exif.tobytes()), name="a", side=16)
    assert pixels[:, :7].max() == 0
    assert pixels[:, 9:].min() == 255


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    pixels = decode_picture(_encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 0)).convert(mode)), name="a", side=8)
    assert pixels.min() == 255


def test_sixteen_bits_are_scaled_to_eight() -> None:
    deep = Image.fromarray(np.full((8, 8), 0x8080, dtype=np.uint16))
    assert np.unique(decode_picture(_encoded(deep), name="a", side=8)).tolist() == [0x80]


@pytest.mark.parametrize("size", [(100_000, 100_000), (20_000, 4_000), (2**31 - 1, 1)])
def test_a_picture_with_too_many_pixels_is_refused_undecoded(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"'huge\.png' has more than 64000000 pixels"):
        decode_picture(_png_of_size(*size), name="huge.png", side=8)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_that_is_cut_off_is_refused(kind: str) -> None:
    noise = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = _encoded(Image.fromarray(noise), kind)
    with pytest.raises(ValueError, match=r"'cut' is (damaged|not a picture)"):
        decode_picture(content[: len(content) // 2], name="cut", side=8)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"II*\0" + b"\0" * 99]
)
def test_what_is_no_picture_is_named(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"'cat\.png' is (not a picture|damaged)"):
        decode_picture(content, name="cat.png", side=8)


def test_damage_raises_nothing_but_a_value_error() -> None:
    random = np.random.Generator(np.random.PCG64(1))
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP"):
        content = bytearray(_encoded(Image.new("RGB", (16, 16), (9, 99, 200)), kind))
        for _ in range(60):
            spoilt = content.copy()
            for place in random.integers(0, len(content), 3):
                spoilt[place] = random.integers(256)
            with contextlib.suppress(ValueError):
                decode_picture(bytes(spoilt), name="a", side=8)


def test_names_tell_pictures_from_the_rest() -> None:
    assert [name for name in ("a.PNG", "b/c.jpeg", "d.txt", ".e.png", "__MACOSX/f.png", "png") if is_picture(name)] == [
        "a.PNG",
        "b/c.jpeg",
    ]
