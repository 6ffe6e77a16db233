"""Checkpoints that cost little are made often, and dear ones less often, but never too seldom."""

import pytest

from bnvae.runs.progress.intervals import checkpoint_interval


@pytest.mark.parametrize(("cost", "interval"), [(0.0, 10.0), (0.3, 10.0), (0.6, 20.0), (3.0, 100.0), (3_600.0, 120.0)])
def test_a_checkpoint_that_takes_long_is_made_less_often(cost: float, interval: float) -> None:
    assert checkpoint_interval(cost) == pytest.approx(interval)  # 3 % of 20 s are 0.6 s
