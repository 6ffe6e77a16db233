import json
import math

import pytest

from pages.components.assets import sendable
from pages.components.kl_bars import bars, headline, summary


def test_values_that_json_cannot_carry_become_null() -> None:
    assert sendable([0.5, math.nan, math.inf, -math.inf]) == [0.5, None, None, None]


def test_what_is_sent_is_strict_json_even_with_nan() -> None:
    json.dumps(bars([math.nan, 0.2], [0.1, math.inf], None), allow_nan=False)


def test_sorted_bars_keep_the_name_and_the_floors_of_their_dimension() -> None:
    sent = bars([0.1, math.nan, 0.3], [0.01, 0.02, 0.03], [0.04, 0.05, 0.06], sort=True)
    assert sent["dimensions"] == [2, 0, 1]
    assert sent["kl"] == [0.3, 0.1, None]
    assert sent["fixed"] == [0.03, 0.01, 0.02]
    assert sent["current"] == [0.06, 0.04, 0.05]


def test_the_headline_counts_dimensions_above_a_hundredth_of_a_nat() -> None:
    assert headline([0.5, 0.5, 0.009, 0.01]) == "total 1.0 nats · 3 of 4 above 0.01"


def test_a_screen_reader_hears_count_total_and_extremes() -> None:
    assert summary([0.5, 1.25]) == "2 dimensions, total 1.8 nats, 2 of 2 above 0.01, lowest 0.5, highest 1.2"
    assert summary([0.5]).startswith("1 dimension,")


@pytest.mark.parametrize("kl", [None, []])
def test_no_values_are_said_to_be_none(kl: list[float] | None) -> None:
    sent = bars(kl, [], [])
    assert sent["summary"] == "no values yet"
    assert sent["fixed"] is None


def test_values_that_are_not_numbers_are_counted_apart() -> None:
    assert headline([0.5, None]) == "total 0.5 nats · 1 of 2 above 0.01 · 1 not a number"
    assert summary([None]) == headline([None])


def test_floors_are_named_with_their_value_or_their_range() -> None:
    sent = bars([0.5, 0.5], [0.223, 0.223], [0.3, 0.4])
    assert sent["fixed_label"] == "floor −½ ln(1−τ) = 0.223 nats"
    assert sent["current_label"] == "current floor 0.300 to 0.400 nats"


def test_a_floor_of_another_length_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="fixed_floor has 1 values for 2 dimensions: give one for each"):
        bars([0.5, 0.5], [0.1], None)
