import numpy as np

from bnvae.data.random_subset import TEST, TRAINING, hold_back, random_rows, random_subset, shuffled, split


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


def test_a_subset_has_no_row_twice_and_is_in_rising_order() -> None:
    rows = random_subset(1_000, 300, seed=3)
    assert len(rows) == 300
    assert bool((rows.diff() > 0).all())
    assert int(rows[0]) >= 0
    assert int(rows[-1]) < 1_000


def test_a_subset_of_few_rows_is_all_of_them() -> None:
    assert random_subset(5, 5).tolist() == random_subset(5, 9).tolist() == [0, 1, 2, 3, 4]


def test_a_subset_is_a_function_of_its_seed() -> None:
    assert random_subset(1_000, 10, seed=1).tolist() == random_subset(1_000, 10, seed=1).tolist()
    assert random_subset(1_000, 10, seed=1).tolist() != random_subset(1_000, 10, seed=2).tolist()


def test_a_subset_of_rows_that_alternate_are_sorted_or_repeat_resembles_them() -> None:
    rows = random_subset(60_000, 10_000)
    for period in (2, 3, 6, 7, 100):  # alternating or repeating: each residue as often as chance lets it come
        shares = np.bincount(rows.numpy() % period, minlength=period) / len(rows)
        assert np.abs(shares - 1 / period).max() < 5 * (1 / period / len(rows)) ** 0.5
    in_tenths = np.bincount(rows.numpy() // 6_000, minlength=10) / len(rows)  # sorted by class
    assert np.abs(in_tenths - 0.1).max() < 5 * (0.1 / len(rows)) ** 0.5


def test_each_row_is_drawn_as_often_as_any_other() -> None:
    drawn = np.bincount(np.concatenate([random_subset(20, 5, seed=seed).numpy() for seed in range(2_000)]))
    assert np.abs(drawn - 500).max() < 5 * (2_000 * 0.25 * 0.75) ** 0.5


def test_a_split_shares_no_example_and_loses_none() -> None:
    training, validation, test = split(97, test_share=0.1, validation_share=0.2, seed=1)
    assert (len(validation), len(test)) == (19, 10)
    assert sorted([*training, *validation, *test]) == list(range(97))


def test_the_smallest_split_has_an_example_of_each_kind() -> None:
    for share in (0.01, 0.5):
        parts = split(3, test_share=share, validation_share=share, seed=0)
        assert [len(part) for part in parts] == [1, 1, 1]


def test_what_is_held_back_for_validation_does_not_decide_what_is_tested() -> None:
    without, held = (split(97, test_share=0.1, validation_share=share, seed=1) for share in (0.0, 0.2))
    assert len(without[1]) == 0
    assert without[2].tolist() == held[2].tolist()
    assert [*without[0]] == [*held[1], *held[0]]  # in earlier versions' order


def test_random_rows_are_held_back_for_validation_and_none_is_lost() -> None:
    kept, held = hold_back(60_000, 5_000, seed=0)
    assert sorted([*kept, *held]) == list(range(60_000))
    assert abs((held % 2).mean() - 0.5) < 5 * (0.25 / 5_000) ** 0.5  # rows that alternate
    assert abs(held.mean() / 60_000 - 0.5) < 5 * (1 / 12 / 5_000) ** 0.5  # rows that are sorted
