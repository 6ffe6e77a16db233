import colorsys
import time

import numpy as np
import pytest
import torch

from bnvae.config.schema import DataConfig
from bnvae.data.datasets.shapes import SHAPES, Causes, draw, draw_causes, load_shapes
from bnvae.data.random_subset import TRAINING


def _silent(what: str, share: float) -> None:
    del what, share


def _one(shape: str, *, hue: float = 0.0, x: float = 0.5, y: float = 0.5, angle: float = 0.0) -> Causes:
    numbers = {"hue": hue, "size": 0.2, "x": x, "y": y, "angle": angle}
    arrays = {name: np.array([value], dtype=np.float32) for name, value in numbers.items()}
    return Causes(shape=np.array([SHAPES.index(shape)]), **arrays)


def _lit(causes: Causes, side: int = 64) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    picture = draw(causes, side=side, progress=_silent)[0]
    return np.asarray(picture.max(axis=0) / 255, dtype=np.float64)


def test_a_picture_does_not_depend_on_how_many_are_made() -> None:
    few, many = (draw_causes(5, stream=TRAINING, count=count) for count in (3, 200))
    last = draw(many, side=32, progress=_silent)[:3]
    assert np.array_equal(draw(few, side=32, progress=_silent), last)


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        ("square", 0.4**2),
        ("ellipse", np.pi * 0.27 * 0.15),
        ("heart", 0.28**2 + np.pi * 0.14**2),
    ],
)
def test_a_shape_covers_its_area(shape: str, area: float) -> None:
    # One per cent: smoothing the outline over a pixel moves its area only to second order.
    assert _lit(_one(shape, angle=0.3), side=128).mean() == pytest.approx(area, rel=0.01)


@pytest.mark.parametrize(("x", "y"), [(0.3, 0.7), (0.7, 0.4)])
def test_a_shape_lies_where_its_causes_say(x: float, y: float) -> None:
    lit = _lit(_one("ellipse", x=x, y=y, angle=1.0))
    rows, columns = np.mgrid[:64, :64] + 0.5
    assert (lit * columns).sum() / lit.sum() / 64 == pytest.approx(x, abs=1e-3)
    assert (lit * rows).sum() / lit.sum() / 64 == pytest.approx(y, abs=1e-3)


def test_a_heart_stands_upright_at_angle_zero() -> None:
    widths = (_lit(_one("heart")) > 0.5).sum(axis=1)
    filled = np.flatnonzero(widths)
    assert widths[filled[0] : filled[0] + 8].max() > widths[filled[-1] - 8 : filled[-1] + 1].max()


@pytest.mark.parametrize("hue", [0.0, 0.2, 1 / 3, 0.5, 0.9])
def test_the_hue_is_the_colour_circles(hue: float) -> None:
    middle = draw(_one("square", hue=hue), side=64, progress=_silent)[0, :, 32, 32]
    assert middle == pytest.approx(255 * np.array(colorsys.hsv_to_rgb(hue, 0.8, 1.0)), abs=1.5)


def test_no_shape_touches_the_edge() -> None:
    images = load_shapes(DataConfig(name="shapes", training_examples=2_000), _silent).training.examples
    assert images.amax() > 200
    for edge in (images[..., 0, :], images[..., -1, :], images[..., :, 0], images[..., :, -1]):
        assert edge.max() == 0


def test_labels_are_the_shapes_and_all_causes_are_factors() -> None:
    dataset = load_shapes(DataConfig(name="shapes", training_examples=300, image_size=16), _silent)
    assert torch.equal(dataset.training.labels, dataset.training.factors["shape"])
    assert set(dataset.training.labels.tolist()) == {0, 1, 2}
    assert dataset.training.factors.keys() == dataset.factor_names.keys()


def test_training_and_test_pictures_differ() -> None:
    dataset = load_shapes(DataConfig(name="shapes", training_examples=2_000, image_size=16), _silent)
    places = [
        set(zip(split.factors["x"].tolist(), split.factors["y"].tolist(), strict=True))
        for split in (dataset.training, dataset.test)
    ]
    assert places[0].isdisjoint(places[1])


def test_all_pictures_are_made_in_seconds() -> None:
    start = time.perf_counter()
    dataset = load_shapes(DataConfig(name="shapes"), _silent)
    assert dataset.training.examples.shape == (20_000, 3, 64, 64)
    assert time.perf_counter() - start < 15  # 2 s on two idle cores; the rest is for busy ones
