import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.components.curves import MOST_POINTS, Series, payload, summary, thinned


def line(values: list[float] | np.ndarray, name: str = "a") -> Series:
    return Series(name=name, values=list(values), colour="#0072B2")


def area(values: list[float] | np.ndarray, name: str) -> Series:
    return Series(name=name, values=list(values), colour="#0072B2", kind="stacked")


@given(st.integers(0, 20_000), st.integers(0, 2**31))
def test_thinning_keeps_ends_and_extremes_and_stays_within_the_limit(count: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=count)
    keep = thinned(values)
    assert len(keep) <= MOST_POINTS
    assert (np.diff(keep) > 0).all()
    if count:
        assert {0, count - 1, int(values.argmin()), int(values.argmax())} <= set(keep.tolist())


def test_a_single_gap_survives_thinning() -> None:
    values = np.zeros(10_000)
    values[4321] = np.nan
    assert 4321 in thinned(values)


def test_values_that_are_all_missing_are_thinned_too() -> None:
    assert len(thinned(np.full(5000, np.nan))) <= MOST_POINTS


def test_the_points_kept_stay_while_steps_are_added() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    before, after = set(thinned(values[:990]).tolist()), set(thinned(values).tolist())
    assert len(before - after) <= 4  # the last bucket and the end


def test_stacked_series_are_thinned_at_the_same_x() -> None:
    rng = np.random.default_rng(0)
    sent = payload(range(5000), [area(rng.normal(size=5000), "distortion"), area(rng.normal(size=5000), "rate")])
    assert sent[0]["x"] == sent[1]["x"]


def test_what_is_sent_is_strict_json_even_with_nan() -> None:
    sent = payload([0, 1, 2], [line([1.0, np.nan, np.inf])])
    json.dumps(sent, allow_nan=False)
    assert sent[0]["y"] == [1.0, None, None]


def test_no_steps_yet_are_no_error() -> None:
    assert payload([], [line([])])[0]["x"] == []
    assert summary("ELBO", "step", [], [line([])]) == "ELBO: no values yet"


def test_a_screen_reader_hears_the_newest_values() -> None:
    series = [area([90, 85.25], "distortion"), area([1, 5.5], "rate")]
    assert summary("ELBO", "step", [0, 100], series) == "ELBO: at step 100 distortion 85.25, rate 5.5"


def test_a_series_of_another_length_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="series 'a' has 1 values for 2 x: give one for each"):
        payload([0, 1], [line([1.0])])
