"""What tells a selection apart, by hand."""

import pytest
import torch

from bnvae.analysis.selection import difference


def test_the_direction_is_the_difference_of_means_and_the_effect_is_in_pooled_deviations() -> None:
    codes = torch.tensor([[1.0, 5.0], [3.0, 5.0], [-1.0, 5.0], [-3.0, 5.0], [torch.nan, 0.0]])

    found = difference(codes, torch.tensor([0, 1]))

    assert found.mean.tolist() == [2, 5]
    assert found.direction.tolist() == [4, 0]
    # Squares within: 1 + 1 + 1 + 1 over 4 - 2, so s = sqrt 2.
    assert found.effect.tolist() == pytest.approx([4 / 2**0.5, 0])
    assert found.order == [0, 1]
    assert (found.chosen, found.rest) == (2, 2)


def test_all_examples_differ_from_no_others_in_nothing() -> None:
    found = difference(torch.tensor([[1.0], [3.0]]), torch.tensor([0, 1]))

    assert (found.mean.tolist(), found.direction.tolist(), found.effect.tolist()) == ([2], [0], [0])


def test_a_selection_without_a_finite_code_is_refused() -> None:
    with pytest.raises(ValueError, match="no example with a finite code"):
        difference(torch.tensor([[torch.nan], [1.0]]), torch.tensor([0]))
    with pytest.raises(ValueError, match="no example with a finite code"):
        difference(torch.ones(3, 2), torch.tensor([], dtype=torch.long))
