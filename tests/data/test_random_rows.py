import numpy as np

from bnvae.data.random_rows import TEST, TRAINING, random_rows, shuffled, split


def test_a_row_does_not_depend_on_how_many_are_asked_for() -> None:
    few, many = (random_rows(3, stream=TRAINING, count=count, width=6) for count in (5, 50))
    assert np.array_equal(few, many[:5])


def test_rows_can_start_in_the_middle() -> None:
    everything = random_rows(3, stream=TRAINING, count=12, width=6)
    assert np.array_equal(random_rows(3, stream=TRAINING, count=4, width=6, start=8), everything[8:])


def test_streams_and_seeds_share_no_numbers() -> None:
    drawn = [random_rows(seed, stream=stream, count=10, width=4) for seed in (0, 1) for stream in (TRAINING, TEST)]
    assert len(np.unique(np.stack(drawn))) == 4 * 40


def test_numbers_are_uniform_over_zero_to_one() -> None:
    numbers = random_rows(0, stream=TRAINING, count=10_000, width=4)
    assert 0 <= numbers.min() < numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 0.006  # four standard errors, 4 * sqrt(1 / 12 / 40,000)


def test_the_generator_is_philox_4x64_10() -> None:
    # The known answer for counter 1, key 0 of 4x64-10; numpy raises its counter before the first block.
    (first, *_) = random_rows(0, stream=0, count=1, width=4)[0]
    assert first == (int(np.random.Philox(key=0).random_raw()) >> 11) / 2**53


def test_shuffling_keeps_every_number_once() -> None:
    order = shuffled(100, 7)
    assert sorted(order) == list(range(100))
    assert list(order) != list(range(100))


def test_a_split_shares_no_example_and_loses_none() -> None:
    training, test = split(97, test_share=0.1, seed=1)
    assert len(test) == 10
    assert sorted([*training, *test]) == list(range(97))


def test_the_smallest_split_has_an_example_on_each_side() -> None:
    training, test = split(2, test_share=0.01, seed=0)
    assert (len(training), len(test)) == (1, 1)
