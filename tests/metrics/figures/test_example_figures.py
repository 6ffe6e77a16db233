"""Paired differences against numbers worked out by hand."""

import math

import pytest
import torch
from scipy import stats

from bnvae.metrics.figures import example_figures
from bnvae.metrics.figures.example_figures import Difference, ExampleFigures, errors_needed, paired_difference


def figures(rows: list[int], distortion: list[float], rate: float = 1.0) -> ExampleFigures:
    values = torch.tensor(distortion, dtype=torch.float64)
    return ExampleFigures(rows=torch.tensor(rows), distortion=values, rate=torch.full_like(values, rate))


def test_a_difference_is_taken_over_the_examples_that_both_have() -> None:
    first = figures([0, 2, 3, 7], [10.0, 20.0, 30.0, 40.0])
    second = figures([2, 3, 5, 7], [18.0, 29.0, 500.0, 37.0], rate=3.0)
    found = paired_difference([first], [second], "distortion")
    assert found is not None
    # Differences 2, 1, 3: mean 2, deviation 1.
    assert found.mean == pytest.approx(2)
    assert found.examples == 3
    assert found.standard_error == pytest.approx(1 / math.sqrt(3))
    elbo = paired_difference([first], [second], "elbo")
    assert elbo is not None
    assert elbo.mean == pytest.approx(0)  # 2 nats more distortion, 2 less rate


def test_examples_that_are_hard_for_both_do_not_count() -> None:
    generator = torch.Generator().manual_seed(0)
    hard = 30 * torch.randn(1000, generator=generator).double()
    rows = torch.arange(1000)
    runs = [
        ExampleFigures(
            rows=rows,
            distortion=hard + shift + torch.randn(1000, generator=generator).double(),
            rate=torch.zeros(1000).double(),
        )
        for shift in (0.0, 0.5)
    ]
    found = paired_difference([runs[1]], [runs[0]], "distortion")
    assert found is not None
    assert found.standard_error == pytest.approx(math.sqrt(2 / 1000), rel=0.1)  # and not 30 sqrt(2 / 1000)
    assert found.is_clear
    assert found.mean == pytest.approx(0.5, abs=4 * math.sqrt(2 / 1000))


@pytest.mark.parametrize("rows", [[5, 6], [0, 6]])
def test_fewer_than_two_shared_examples_are_no_comparison(rows: list[int]) -> None:
    assert paired_difference([figures([0, 1], [1.0, 2.0])], [figures(rows, [1.0, 2.0])], "rate") is None


def test_a_likelihood_that_one_lacks_is_no_comparison() -> None:
    assert paired_difference([figures([0, 1], [1.0, 2.0])], [figures([0, 1], [1.0, 2.0])], "nll") is None


def test_of_a_large_test_set_a_random_part_is_kept_and_the_same_one_for_every_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(example_figures, "MOST_EXAMPLES", 50)
    whole = figures(list(range(1000)), [float(row) for row in range(1000)])
    one, other = whole.bounded(), whole.bounded()
    assert len(one.rows) == 50
    assert torch.equal(one.rows, other.rows)
    assert torch.equal(one.distortion, one.rows.double())
    assert one.rows.double().mean().item() == pytest.approx(500, abs=3 * 1000 / math.sqrt(12 * 50))


def test_runs_of_several_seeds_are_averaged_example_by_example() -> None:
    seeds = [figures([0, 1, 2], [10.0, 20.0, 33.0]), figures([1, 2, 4], [22.0, 35.0, 9.0])]
    found = paired_difference(seeds, [figures([0, 1, 2], [1.0, 20.0, 30.0])], "distortion")
    assert found is not None
    # Shared are 1 and 2: means 21 and 34, differences 1 and 4.
    assert found.mean == pytest.approx(2.5)
    assert found.standard_error == pytest.approx(math.sqrt(4.5) / math.sqrt(2))
    assert found.examples == 2


@pytest.mark.parametrize("seeds", [2, 3, 5, 8])
def test_few_seeds_ask_for_as_many_errors_as_students_t(seeds: int) -> None:
    assert errors_needed(seeds) == pytest.approx(stats.t.ppf(0.975, 2 * (seeds - 1)), abs=1e-3)


def test_a_difference_of_two_seeds_has_to_be_larger_to_be_clear() -> None:
    assert Difference(mean=3.0, standard_error=1.0).is_clear
    assert not Difference(mean=3.0, standard_error=1.0, seeds=2).is_clear
    assert Difference(mean=3.0, standard_error=1.0, seeds=3).is_clear
