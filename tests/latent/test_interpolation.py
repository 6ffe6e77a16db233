"""Ends are the inputs, arcs keep their length, and distances agree with scikit-learn's neighbours."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from bnvae.latent.interpolation import (
    PATHS,
    PathName,
    distance_to_data,
    has_arc,
    interpolate,
    typical_distance,
)

coordinates = st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3)


@given(start=coordinates, end=coordinates, count=st.integers(2, 16), path=st.sampled_from(PATHS))
def test_the_ends_are_the_inputs_bit_for_bit(start: list[float], end: list[float], count: int, path: PathName) -> None:
    a, b = torch.tensor(start), torch.tensor(end)
    codes = interpolate(a, b, count, path)
    assert codes.shape == (count, 3)
    assert torch.equal(codes[0], a)
    assert torch.equal(codes[-1], b)
    assert codes.isfinite().all()


def test_a_line_has_its_mean_in_the_middle() -> None:
    codes = interpolate(torch.tensor([0.0, 2.0]), torch.tensor([4.0, -2.0]), 5, "linear")
    assert codes.tolist() == [[0, 2], [1, 1], [2, 0], [3, -1], [4, -2]]


def test_an_arc_between_two_axes_goes_by_even_angles_and_keeps_its_length() -> None:
    codes = interpolate(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 4, "spherical")
    for step, code in enumerate(codes):
        angle = step * math.pi / 6  # a quarter turn in three steps
        assert code.tolist() == pytest.approx([2 * math.cos(angle), 2 * math.sin(angle)], abs=1e-6)


@pytest.mark.parametrize("degrees", [90, 170])
def test_an_arc_between_codes_of_two_lengths_goes_by_even_angles_and_even_lengths(degrees: int) -> None:
    turn = math.radians(degrees)
    end = torch.tensor([2 * math.cos(turn), 2 * math.sin(turn)])
    codes = interpolate(torch.tensor([1.0, 0.0]), end, 5, "spherical")
    angles = [math.degrees(math.atan2(float(code[1]), float(code[0]))) for code in codes]
    assert angles == pytest.approx([0, degrees / 4, degrees / 2, 3 * degrees / 4, degrees], abs=1e-3)  # of fp32
    assert codes.norm(dim=1).tolist() == pytest.approx([1, 1.25, 1.5, 1.75, 2], abs=1e-5)


@pytest.mark.parametrize("end", [[2.0, 2.0], [-1.0, -1.0], [0.0, 0.0]])
def test_codes_on_one_line_through_zero_have_no_arc_and_take_the_line(end: list[float]) -> None:
    a, b = torch.tensor([1.0, 1.0]), torch.tensor(end)
    assert not has_arc(a, b)
    assert torch.equal(interpolate(a, b, 9, "spherical"), interpolate(a, b, 9, "linear"))


def test_distances_are_those_of_scikit_learn() -> None:
    means = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    codes = torch.randn(20, 5, generator=torch.Generator().manual_seed(1))
    expected, rows = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(means.numpy()).kneighbors(codes.numpy())
    distance, nearest = distance_to_data(codes, means)
    np.testing.assert_allclose(distance.numpy(), expected[:, 0], rtol=1e-5)  # fp32 sums of five squares
    assert nearest.tolist() == rows[:, 0].tolist()
    others = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(means.numpy()).kneighbors(means.numpy())[0][:, 1]
    # The lower of the two middle values, which torch's median takes, against their mean.
    assert np.sort(others)[99] == pytest.approx(typical_distance(means), rel=1e-5)


def test_an_example_is_at_no_distance_from_the_data() -> None:
    means = 30 + torch.randn(300, 16, generator=torch.Generator().manual_seed(0))
    distance, nearest = distance_to_data(means, means)
    assert distance.tolist() == [0.0] * 300
    assert nearest.tolist() == list(range(300))


def test_a_mean_that_is_not_a_number_is_nobodys_nearest() -> None:
    means = torch.tensor([[math.nan, 0.0], [3.0, 4.0]])
    distance, nearest = distance_to_data(torch.zeros(1, 2), means)
    assert (distance.item(), nearest.item()) == (5.0, 1)
    assert typical_distance(means) == math.inf
    assert typical_distance(means[:1]) == math.inf


@pytest.mark.parametrize(
    ("count", "path", "end", "words"),
    [(1, "linear", [0.0], "count is 1"), (8, "curly", [0.0], "choose one of"), (8, "linear", [0.0, 0.0], "1 and 2")],
)
def test_what_cannot_be_is_refused(count: int, path: PathName, end: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        interpolate(torch.zeros(1), torch.tensor(end), count, path)
