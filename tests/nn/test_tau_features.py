"""The numbers that stand for a tau."""

import math

import pytest
import torch

from bnvae.nn.tau_features import TAU_FEATURES, tau_features


def test_the_features_of_a_third_are_those_reckoned_by_hand() -> None:
    # ln(2/3) = -0.405465; cos and sin of 60, 120, 180 and 240 degrees
    half, root = 0.5, math.sqrt(3) / 2
    wanted = [1 / 3, 0.2027326, half, -half, -1, -half, root, root, 0, -root]
    found = tau_features(torch.tensor([1 / 3]))
    assert found.shape == (1, TAU_FEATURES)
    assert found[0].tolist() == pytest.approx(wanted, abs=1e-6)


def test_the_features_are_of_similar_size_up_to_the_largest_tau_that_may_be_drawn() -> None:
    found = tau_features(torch.linspace(0, 0.99, 100))
    assert torch.isfinite(found).all()
    assert found.abs().max().item() < 2.5
