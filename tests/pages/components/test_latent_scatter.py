"""What the map's browser part is given, and what it is believed."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from pages.components.latent_scatter import (
    Layer,
    Legend,
    Panel,
    View,
    checked_camera,
    chosen_view,
    class_colours,
    payload,
    scale_colours,
)

HOSTILE = '<img src=x onerror="alert(1)">'


def panel(count: int = 3, dimensions: int = 2, **more: Any) -> Panel:
    points = np.linspace(-1, 1, count * dimensions).reshape(count, dimensions)
    return Panel(title=HOSTILE, points=points, colours=np.zeros(count, dtype=np.uint32), **more)


def numbers(sent: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(sent), dtype=kind)


def test_points_arrive_row_by_row_and_layers_with_them() -> None:
    sent = payload(
        [panel(layers=[Layer(points=np.array([[0.5, 0.25]]), shape="cross")])],
        legend=Legend(low=float("nan"), high=2.0),
        view=View(pick={"example": 1}, other=2, lasso=[0, 2], id="a"),
        classes=np.array([0, -1, 1]),
        names=[HOSTILE],
    )

    json.dumps(sent, allow_nan=False)
    (only,) = sent["panels"]
    assert numbers(only["points"], "<f4") == pytest.approx([-1, -0.6, -0.2, 0.2, 0.6, 1])
    assert numbers(only["layers"][0]["points"], "<f4").tolist() == [0.5, 0.25]
    assert only["dimensions"] == 2
    assert numbers(sent["classes"], "<i2").tolist() == [0, -1, 1]
    assert sent["view"] == {"id": "a", "pick": {"example": 1}, "other": 2, "lasso": [0, 2], "camera": None}
    assert sent["legend"]["low"] is None
    assert only["title"] == HOSTILE  # as text: the browser makes a text node of it


@pytest.mark.parametrize("counts", [(), (1, 1, 1, 1, 1), (2, 3), (70_001,)])
def test_maps_that_cannot_stand_under_one_hand_are_refused(counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="panels"):
        payload([panel(count) for count in counts], legend=Legend(), view=View())


def test_a_class_has_its_colour_and_none_is_grey() -> None:
    found = class_colours(np.array([0, 1, 2, -1]), ["#112233", "#ff0000"])

    # Bytes red, green, blue, alpha; the third class begins the palette again.
    assert found.view(np.uint8).reshape(4, 4).tolist() == [
        [0x11, 0x22, 0x33, 255],
        [255, 0, 0, 255],
        [0x11, 0x22, 0x33, 255],
        [128, 128, 128, 255],
    ]


def test_a_scale_runs_between_its_ends_and_what_is_no_number_is_grey() -> None:
    found = scale_colours(np.array([0.0, 1.0, -9.0, 9.0, np.nan]), 0.0, 1.0).view(np.uint8).reshape(5, 4)

    assert found[0].tolist() == found[2].tolist() == [72, 60, 140, 255]
    assert found[1].tolist() == found[3].tolist() == [253, 231, 37, 255]
    assert found[4].tolist() == [128, 128, 128, 255]
    assert (scale_colours(np.ones(2), 1.0, 1.0).view(np.uint8).reshape(2, 4)[:, 3] == 255).all()


@pytest.mark.parametrize(
    ("sent", "pick", "lasso"),
    [
        (None, None, []),
        ("text", None, []),
        ({"pick": {"example": 2}, "lasso": [0, 5, -1, 1.0, True, "1", 2]}, {"example": 2}, [0, 2]),
        ({"pick": {"example": 3}, "lasso": "012"}, None, []),
        ({"pick": {"example": True}}, None, []),
        ({"pick": {"panel": 0, "x": 0.5, "y": -1}}, {"panel": 0, "x": 0.5, "y": -1.0}, []),
        ({"pick": {"panel": 9, "x": 0.5, "y": -1}}, None, []),
        ({"pick": {"panel": 0, "x": float("inf"), "y": 0}}, None, []),
        ({"pick": {"panel": 0, "x": "1", "y": None}}, None, []),
        ({"pick": []}, None, []),
    ],
)
def test_what_a_browser_sends_is_believed_only_where_it_makes_sense(sent: Any, pick: Any, lasso: list[int]) -> None:
    found = chosen_view(sent, 3)

    assert (None if found is None else found.pick) == pick
    assert ([] if found is None else found.lasso) == lasso


def test_a_camera_without_all_its_numbers_is_none() -> None:
    whole = {"x": 0, "y": 0.5, "zoom": 2, "yaw": 0, "pitch": 0}

    assert checked_camera(whole) == whole
    assert checked_camera({**whole, "zoom": float("nan")}) is None
    assert checked_camera({"x": 0}) is None
    assert checked_camera(7) is None
