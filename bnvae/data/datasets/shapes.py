"""Coloured squares, ellipses and hearts, made here, whose causes are all known."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bnvae.config.schema import DataConfig
from bnvae.data.dataset import Dataset, ImageShape, Split
from bnvae.data.limits import Progress, training_count
from bnvae.data.random_subset import TEST, TRAINING, VALIDATION, random_rows

Floats = NDArray[np.float32]

SHAPES = ("square", "ellipse", "heart")
TRAINING_EXAMPLES, VALIDATION_EXAMPLES, TEST_EXAMPLES = 20_000, 2_000, 2_000
SIDE = 64
_SYMMETRY = np.array([4, 2, 1])
"""Turns that leave each shape as it is: angles are drawn from one of them, so that every picture has one angle."""
_CHUNK = 64
"""Pictures drawn at once; the work arrays (1 MiB each) then stay in the processor's cache."""


@dataclass(frozen=True, kw_only=True)
class Causes:
    """What a picture shows: lengths as fractions of the side, the angle in radians, the hue as a fraction of a turn."""

    shape: NDArray[np.int64]
    hue: Floats
    size: Floats
    x: Floats
    y: Floats
    angle: Floats

    def part(self, rows: slice | NDArray[np.bool_]) -> "Causes":
        return Causes(**{name: values[rows] for name, values in vars(self).items()})


def draw_causes(seed: int, *, stream: int, count: int) -> Causes:
    """Independent uniform causes; row i depends on (seed, stream, i) alone."""
    numbers = random_rows(seed, stream=stream, count=count, width=6)
    shape = (numbers[:, 0] * len(SHAPES)).astype(np.int64)
    hue, size, x, y, turn = numbers[:, 1:].T.astype(np.float32)
    angle = turn * (2 * np.pi / _SYMMETRY[shape]).astype(np.float32)
    # The bounds keep the largest shape inside the picture wherever it lies and however it is turned.
    return Causes(shape=shape, hue=hue, size=0.11 + 0.09 * size, x=0.3 + 0.4 * x, y=0.3 + 0.4 * y, angle=angle)


def draw(causes: Causes, *, side: int, progress: Progress) -> NDArray[np.uint8]:
    """Pictures on black, (N, 3, side, side); edges are smoothed over one pixel."""
    count = len(causes.shape)
    pictures = np.zeros((count, 3, side, side), dtype=np.uint8)
    for start in range(0, count, _CHUNK):
        rows = slice(start, start + _CHUNK)
        chunk = causes.part(rows)
        coverage = np.clip(0.5 - side * _distance_outside(chunk, side), 0, 1)
        # In 256ths and whole numbers, because the product with three colours costs half as much as in floats.
        shares, colours = (256 * coverage).astype(np.uint16), (255 * _colour(chunk.hue)).astype(np.uint16)
        pictures[rows] = (shares[:, None] * colours[:, :, None, None]) >> 8
        progress("drawing shapes", (start + len(chunk.shape)) / count)
    return pictures


def load_shapes(config: DataConfig, progress: Progress) -> Dataset:
    """20,000 pictures for training, 2,000 each for validation and testing, at `image_size`; the label is the shape."""
    side = config.image_size or SIDE
    count = training_count(config, TRAINING_EXAMPLES)

    def drawn(stream: int, pictures: int) -> Split:
        return _split(draw_causes(config.seed, stream=stream, count=pictures), side, progress)

    test = drawn(TEST, TEST_EXAMPLES)
    return Dataset(
        name="shapes",
        shape=ImageShape(channels=3, height=side, width=side),
        training=drawn(TRAINING, count),
        validation=drawn(VALIDATION, VALIDATION_EXAMPLES) if config.validation_share else test,
        test=test,
        label_names=SHAPES,
        factor_names={"shape": SHAPES, "hue": (), "size": (), "x": (), "y": (), "angle": ()},
    )


def _split(causes: Causes, side: int, progress: Progress) -> Split:
    factors = {name: torch.from_numpy(values.copy()) for name, values in vars(causes).items()}
    return Split(
        examples=torch.from_numpy(draw(causes, side=side, progress=progress)),
        labels=factors["shape"].clone(),
        factors=factors,
    )


def _distance_outside(causes: Causes, side: int) -> Floats:
    """Distance of each pixel's centre from the outline, negative inside, (N, side, side); exact near the outline."""
    centres = (np.arange(side, dtype=np.float32) + 0.5) / side
    right = centres[None, None, :] - causes.x[:, None, None]
    down = centres[None, :, None] - causes.y[:, None, None]
    cos, sin = np.cos(causes.angle)[:, None, None], np.sin(causes.angle)[:, None, None]
    along, across = cos * right + sin * down, cos * down - sin * right
    distance: Floats = np.empty_like(along, dtype=np.float32)
    for index, outline in enumerate((_square, _ellipse, _heart)):
        rows = causes.shape == index
        if rows.any():
            distance[rows] = outline(along[rows], across[rows], causes.size[rows][:, None, None])
    return distance


def _square(along: Floats, across: Floats, size: Floats) -> Floats:
    distance: Floats = np.maximum(np.abs(along), np.abs(across)) - size
    return distance


def _ellipse(along: Floats, across: Floats, size: Floats) -> Floats:
    """To first order: level / |gradient of level|, where the level of the outline is 0."""
    long, short = 1.35 * size, 0.75 * size
    radius = np.sqrt((along / long) ** 2 + (across / short) ** 2)
    slope = np.sqrt((along / long**2) ** 2 + (across / short**2) ** 2)
    distance: Floats = (radius - 1) * radius / np.maximum(slope, 1e-6)
    return distance


def _heart(along: Floats, across: Floats, size: Floats) -> Floats:
    """A square standing on its corner with a disc on each of its two upper sides."""
    half = 0.7 * size
    diagonal = np.float32(np.sqrt(0.5))
    left, right = (along + across) * -diagonal, (along - across) * diagonal
    square = np.maximum(np.abs(left), np.abs(right)) - half
    discs = np.sqrt(np.minimum((left - half) ** 2 + right**2, left**2 + (right - half) ** 2)) - half
    distance: Floats = np.minimum(square, discs)
    return distance


def _colour(hue: Floats) -> Floats:
    """Red, green and blue shares of a bright colour, (N, 3); each is a triangle wave over the circle of hues."""
    offsets = np.array([0, 1 / 3, 2 / 3], dtype=np.float32)
    from_peak = np.abs((hue[:, None] - offsets + 0.5) % 1 - 0.5) * 6
    colour: Floats = 0.2 + 0.8 * np.clip(2 - from_peak, 0, 1)
    return colour
