import base64
import io

import numpy as np
import pytest
from PIL import Image

from pages.components.image_grid import image_grid, sprite


def decoded(png: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


@pytest.mark.parametrize("channels", [1, 3])
def test_each_picture_stands_in_its_cell_of_the_sprite(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, channels, 4, 6), dtype=np.uint8)
    sheet = decoded(sprite(pixels, columns=3)).reshape(2 * 4, 3 * 6, channels)
    for i, picture in enumerate(pixels):
        row, column = divmod(i, 3)
        cell = sheet[row * 4 : row * 4 + 4, column * 6 : column * 6 + 6]
        np.testing.assert_array_equal(cell, picture.transpose(1, 2, 0))


def test_no_pictures_make_no_sprite() -> None:
    assert sprite(np.zeros((0, 1, 8, 8), dtype=np.uint8), columns=4) == ""


def test_pictures_that_are_neither_grey_nor_rgb_are_refused() -> None:
    with pytest.raises(ValueError, match="pixels has 2 channels: give 1"):
        sprite(np.zeros((1, 2, 8, 8), dtype=np.uint8), columns=1)


def test_a_missing_caption_is_refused() -> None:
    with pytest.raises(ValueError, match="captions has 1 entries for 2 pictures"):
        image_grid(key="a", pixels=np.zeros((2, 1, 8, 8), dtype=np.uint8), columns=2, alt="", captions=["one"])
