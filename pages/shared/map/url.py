"""The view of the map in the address: what is chosen, up to 100 of a lasso, and the camera."""

from collections.abc import Mapping

import streamlit as st

from pages.components.latent_scatter import View, checked_camera, checked_pick

ADDRESS = "address"
"""the id of a view that an address asks for"""
POINT, CHOSEN, CAMERA = "point", "chosen", "camera"
MOST_CHOSEN = 100
CAMERA_NAMES = ("x", "y", "zoom", "yaw", "pitch")
LONGEST = 1_000
"""characters of a parameter that are read"""


def view_in_url(count: int) -> View:
    """What the address asks for; parts that are wrong are left out."""
    pick = _pick(count)
    return View(pick=pick, other=_other(pick, count), lasso=_chosen(count), camera=_camera(), id=ADDRESS)


def _pick(count: int) -> dict[str, float] | None:
    parts = _numbers(POINT)
    if len(parts) in (1, 2) and parts[0].is_integer():
        return checked_pick({"example": int(parts[0])}, count)
    if len(parts) == 3 and parts[0].is_integer():
        return checked_pick({"panel": int(parts[0]), "x": parts[1], "y": parts[2]}, count)
    return None


def _other(pick: Mapping[str, float] | None, count: int) -> int | None:
    """The example that was chosen before the last one: the other end of a way."""
    parts = _numbers(POINT)
    known = pick is not None and "example" in pick and len(parts) == 2 and parts[1].is_integer()
    return int(parts[1]) if known and 0 <= parts[1] < count else None


def _chosen(count: int) -> list[int]:
    rows = [int(number) for number in _numbers(CHOSEN) if number.is_integer() and 0 <= number < count]
    return list(dict.fromkeys(rows))[:MOST_CHOSEN]


def _camera() -> dict[str, float] | None:
    parts = _numbers(CAMERA)
    if len(parts) != len(CAMERA_NAMES):
        return None
    return checked_camera(dict(zip(CAMERA_NAMES, parts, strict=True)))


def _numbers(name: str) -> list[float]:
    written = st.query_params.get(name, "")[:LONGEST]
    try:
        return [float(part) for part in written.split("~")] if written else []
    except ValueError:
        return []


def keep_in_url(view: View) -> None:
    """Write what the visitor sees into the address; a selection of more than 100 is too long for one."""
    pick = ""
    if view.pick is not None:
        other = [] if view.other is None else [view.other]
        pick = "~".join(f"{value:.6g}" for value in (*view.pick.values(), *other))
    chosen = "~".join(map(str, view.lasso)) if len(view.lasso) <= MOST_CHOSEN else ""
    camera = "" if view.camera is None else "~".join(f"{view.camera[name]:.4g}" for name in CAMERA_NAMES)
    for name, value in ((POINT, pick), (CHOSEN, chosen), (CAMERA, camera)):
        if value:
            if st.query_params.get(name) != value:
                st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
