"""One coordinate moves at a time, and the change is measured from the start."""

import math

import pytest
import torch

from bnvae.latent.traversal import by_kl, is_seen, picture_change, steps, traverse


def test_only_the_named_coordinate_of_each_row_differs_from_the_code() -> None:
    code = torch.tensor([0.5, -1.0, 2.0, 0.25])
    codes = traverse(code, [2, 0], [-3.0, 0.0, 1.5])
    assert codes.shape == (2, 3, 4)
    for row, dimension in enumerate((2, 0)):
        kept = [d for d in range(4) if d != dimension]
        assert codes[row, :, dimension].tolist() == [-3.0, 0.0, 1.5]
        assert (codes[row][:, kept] == code[kept]).all()


def test_the_code_itself_is_left_as_it_was() -> None:
    code = torch.zeros(2)
    traverse(code, [0], [9.0])
    assert code.tolist() == [0.0, 0.0]


def test_rows_come_by_kl_with_the_largest_first_and_no_number_last() -> None:
    assert by_kl([0.1, math.nan, 2.0, 0.1, 0.0]) == [2, 0, 3, 4, 1]


def test_values_are_even_and_symmetric() -> None:
    assert steps(3.0, 7) == pytest.approx([-3, -2, -1, 0, 1, 2, 3])
    with pytest.raises(ValueError, match="count is 1"):
        steps(3.0, 1)


def test_the_change_is_the_mean_distance_in_grey_levels() -> None:
    start = torch.full((1, 2, 2), 100, dtype=torch.uint8)
    still = start.expand(3, 1, 2, 2)
    moved = still.clone()
    moved[0] = 130  # one of three pictures is 30 brighter, another has one of four pixels 60 darker
    moved[1, 0, 0, 0] = 40
    assert picture_change(torch.stack([still, moved]), start).tolist() == pytest.approx([0.0, (30 + 15) / 3])


@pytest.mark.parametrize(("levels", "seen"), [(0, False), (25, False), (26, True), (-26, True)])
def test_a_row_is_seen_when_one_pixel_differs_by_more_than_25_levels(levels: int, seen: bool) -> None:
    start = torch.full((1, 3, 3), 100, dtype=torch.uint8)
    rows = start.expand(2, 4, 1, 3, 3).clone()
    rows[1, 2, 0, 1, 1] = 100 + levels
    assert is_seen(rows, start).tolist() == [False, seen]
