"""One picture's bytes as a square of pixels, with every bound checked before the work that it bounds."""

import io
import struct
import warnings
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".gif": "GIF"}
MOST_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded (pixels)."""
MOST_BYTES = 64 << 20
"""Larger files are refused before they are read (bytes)."""

_DECODER_ERRORS = (OSError, SyntaxError, EOFError, LookupError, TypeError, ValueError, ArithmeticError, struct.error)
"""What Pillow raises for damaged files, by format and by place of the damage."""


def is_picture(name: str) -> bool:
    """Whether the name says so; hidden files and the copies that macOS puts into archives are not pictures."""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in FORMATS and not hidden


def decode_picture(content: bytes, *, name: str, side: int) -> NDArray[np.uint8]:
    """The picture's middle square, (side, side, 3): turned upright as its EXIF says, on white where transparent.

    Raises:
        ValueError: it is not a picture, is cut off, or has too many pixels; the message names it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own bound is lower
            with Image.open(io.BytesIO(content), formats=sorted(set(FORMATS.values()))) as picture:
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    raise Image.DecompressionBombError
                # A JPEG is decoded at a fraction of its size, which for photographs saves most of the time.
                picture.draft("RGB", (2 * side, 2 * side))
                upright = ImageOps.exif_transpose(picture)
                square = ImageOps.fit(_opaque(upright), (side, side), Image.Resampling.LANCZOS)
    except Image.DecompressionBombError:
        raise _refused(name, f"has more than {MOST_PIXELS} pixels") from None
    except UnidentifiedImageError:
        raise _refused(name, f"is not a picture of the kinds {', '.join(sorted(set(FORMATS.values())))}") from None
    except _DECODER_ERRORS as error:
        raise _refused(name, f"is damaged ({error})") from None
    return np.asarray(square, dtype=np.uint8)


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits a pixel; Pillow would clip them to white
        deep = np.asarray(picture).astype(np.int64)
        return Image.fromarray((np.clip(deep, 0, 65_535) // 257).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return picture.convert("RGB")


def _refused(name: str, reason: str) -> ValueError:
    return ValueError(f"picture {name!r} {reason}: repair it or take it out of the data.")
