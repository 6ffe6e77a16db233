"""Ways from one latent code to another, and how far from the data each step of a way is."""

import math
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

PathName = Literal["linear", "spherical"]
PATHS: tuple[PathName, ...] = get_args(PathName)

SMALLEST_SINE = 1e-4
"""Two codes that point the same way, or opposite ways, to this (radians) have no arc between them."""
NEIGHBOUR_EXAMPLES = 500
"""examples whose nearest neighbours give the typical distance: the median of 500 is known to some 5 %"""


def interpolate(
    start: Float[Tensor, "D"], end: Float[Tensor, "D"], count: int, path: PathName
) -> Float[Tensor, "count D"]:
    """`count` codes at even steps from `start` to `end`; the first and the last are these two, bit for bit.

    Raises:
        ValueError: fewer than two codes are asked for, the path is unknown, or the codes differ in length.
    """
    if count < 2:
        raise ValueError(f"count is {count}: give at least 2, the two ends.")
    if path not in PATHS:
        raise ValueError(f"path is {path!r}: choose one of {', '.join(PATHS)}.")
    if start.shape != end.shape:
        raise ValueError(f"the codes have {len(start)} and {len(end)} dimensions: give two of one model.")
    share = torch.linspace(0, 1, count)[:, None]
    codes = _arc(start, end, share) if path == "spherical" else torch.lerp(start, end, share)
    codes[0], codes[-1] = start, end
    return codes


def has_arc(start: Float[Tensor, "D"], end: Float[Tensor, "D"]) -> bool:
    """Whether the spherical way is another than the linear one: neither code is 0, and they are not on one line."""
    return math.sin(_angle(start, end)) > SMALLEST_SINE


def _angle(start: Float[Tensor, "D"], end: Float[Tensor, "D"]) -> float:
    """The angle between two codes seen from 0, in radians, 0 to pi; 0 where one of them is 0.

    By the half-angle's tangent in fp64: the arc cosine loses half of the digits where two codes point the same way.
    """
    first, second = start.double(), end.double()
    if not (first.any() and second.any()):
        return 0.0
    first, second = first / first.norm(), second / second.norm()
    return 2 * math.atan2(float((first - second).norm()), float((first + second).norm()))


def _arc(
    start: Float[Tensor, "D"], end: Float[Tensor, "D"], share: Float[Tensor, "count 1"]
) -> Float[Tensor, "count D"]:
    """((1-t) |a| + t |b|) (sin((1-t) w) a / |a| + sin(t w) b / |b|) / sin w, from a to b, w the angle between them.

    Steps are equal angles, and the length changes evenly. Shoemake 1985, of codes of one length; White 2016,
    arXiv:1609.04468, leaves the lengths in the sines' sum: the steps are then unequal, and the way leads far outwards
    between codes that point nearly opposite ways. Linear where there is no arc.
    """
    if not has_arc(start, end):
        return torch.lerp(start, end, share)
    angle, wide = _angle(start, end), share.double()
    first, second = start.double(), end.double()
    ahead = ((1 - wide) * angle).sin() * first / first.norm() + (wide * angle).sin() * second / second.norm()
    codes: Tensor = torch.lerp(first.norm(), second.norm(), wide) * ahead / math.sin(angle)
    return codes.to(start.dtype)


def distance_to_data(codes: Float[Tensor, "B D"], means: Float[Tensor, "N D"]) -> tuple[Tensor, Tensor]:
    """Euclidean distance of each code from the nearest posterior mean, in prior standard deviations, and its number.

    >= 0; means that are not numbers are nobody's nearest.
    """
    # The matrix product that cdist takes for many rows loses digits where two codes are close.
    distances = torch.cdist(codes, means, compute_mode="donot_use_mm_for_euclid_dist")
    nearest = distances.nan_to_num(nan=torch.inf, posinf=torch.inf).min(dim=1)
    return nearest.values, nearest.indices


def typical_distance(means: Float[Tensor, "N D"]) -> float:
    """Median distance of an example's posterior mean from the nearest other one, in prior standard deviations, >= 0.

    Of up to 500 examples, evenly spread over all; infinite where there is no other one.
    """
    if len(means) < 2:
        return float("inf")
    rows = torch.arange(0, len(means), max(1, -(-len(means) // NEIGHBOUR_EXAMPLES)))
    distances = torch.cdist(means[rows], means, compute_mode="donot_use_mm_for_euclid_dist")
    distances[torch.arange(len(rows)), rows] = torch.inf
    return float(distances.nan_to_num(nan=torch.inf, posinf=torch.inf).amin(1).median())
