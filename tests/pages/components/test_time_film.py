import base64
import dataclasses
import json

import numpy as np
import pytest

from pages.components.image_grid import sprite
from pages.components.time_film import LABEL_COLOURS, FilmRun, Snapshot, kept, map_words, payload

DARK_PAGE = "#0E1117"


def film_run(records: int = 5, dimensions: int = 3, snapshots: int = 2) -> FilmRun:
    rng = np.random.default_rng(0)
    numbers = rng.random((records, dimensions))
    return FilmRun(
        title="run",
        colour="#0072B2",
        steps=[20 * (t + 1) for t in range(records)],
        kl=numbers,
        mean_second_moment=numbers,
        std_second_moment=1 - numbers,
        current_floor=numbers / 2,
        fixed_floor=[0.1] * dimensions,
        labels=[7] * 150,
        originals=rng.integers(0, 256, (8, 1, 28, 28), dtype=np.uint8),
        snapshots=[
            Snapshot(
                step=20 * (i + 1),
                points=rng.normal(size=(150, 2)),
                spreads=rng.random((150, 2)),
                samples=rng.integers(0, 256, (16, 1, 28, 28), dtype=np.uint8),
                reconstructions=rng.integers(0, 256, (8, 1, 28, 28), dtype=np.uint8),
            )
            for i in range(snapshots)
        ],
    )


def floats(sent: str) -> list[float]:
    numbers: list[float] = np.frombuffer(base64.b64decode(sent), "<f4").tolist()
    return numbers


@pytest.mark.parametrize("count", [0, 1, 2, 24, 199, 200, 201, 1000, 30_000])
@pytest.mark.parametrize("most", [24, 100, 200])
def test_records_kept_are_few_ascend_and_have_both_ends(count: int, most: int) -> None:
    chosen = kept(count, most)
    assert len(chosen) <= min(count, most)
    assert (np.diff(chosen) > 0).all()
    assert count == 0 or (chosen[0] == 0 and chosen[-1] == count - 1)


def test_early_records_are_kept_more_densely_than_late_ones() -> None:
    chosen = kept(10_000, 200)
    assert (np.diff(chosen[:-1]) >= 1).all()
    assert np.diff(chosen)[0] == 1
    assert (chosen < 100).sum() > 10 * (chosen > 9_900).sum()


def test_a_record_that_is_kept_stays_while_records_are_added() -> None:
    """Otherwise the step at which a visitor stands would change under them at nearly every tick."""
    changes = sum(not set(kept(n, 200)[:-1]) <= set(kept(n + 1, 200)) for n in range(200, 5_000))
    assert changes <= 5


def test_numbers_arrive_as_they_were_even_if_they_are_not_numbers() -> None:
    run = film_run(records=2, dimensions=2)
    run.kl[0, 1] = np.nan
    sent = payload([run])[0]
    json.dumps(sent, allow_nan=False)
    assert floats(sent["kl"]) == pytest.approx(run.kl.ravel().tolist(), nan_ok=True, rel=1e-7)
    assert "1 not a number" in sent["words"][0]["headline"]


def test_two_runs_of_mnist_are_sent_in_less_than_three_megabytes() -> None:
    """Of noise, which PNG cannot compress; 1,000 records and 24 snapshots each."""
    sent = payload([film_run(records=1_000, dimensions=32, snapshots=24)] * 2)
    assert len(json.dumps(sent)) < 3e6


def test_many_dimensions_are_paid_for_with_records() -> None:
    assert len(payload([film_run(records=1_000, dimensions=256)])[0]["steps"]) <= 100


def test_large_pictures_are_sent_smaller() -> None:
    run = film_run()
    large = np.full((2, 3, 64, 96), 100, dtype=np.uint8)
    sent = payload([dataclasses.replace(run, originals=large)])[0]["originals"]
    assert (sent["count"], sent["height"], sent["width"]) == (2, 21, 32)
    assert sent["png"] == sprite(np.full((2, 3, 21, 32), 100, dtype=np.uint8), 2)


def test_sentences_are_sent_as_they_are_but_not_endless() -> None:
    sent = payload([dataclasses.replace(film_run(), originals=["<b>", "", "x" * 1_000])])[0]["originals"]["sentences"]
    assert sent[:2] == ["<b>", ""]
    assert len(sent[2]) < 400


def test_a_run_without_records_or_snapshots_is_sent() -> None:
    none = np.zeros((0, 4))
    run = FilmRun(
        title="new", colour="#000", steps=[], kl=none, mean_second_moment=none, std_second_moment=none, originals=[]
    )
    assert payload([run])[0]["steps"] == []


def test_what_does_not_fit_is_named() -> None:
    run = film_run()
    with pytest.raises(ValueError, match=r"runs has 0 entries: give 1 to 4"):
        payload([])
    with pytest.raises(ValueError, match=r"mean_second_moment of 'run' has shape \(5, 2\): give \(5, 3\)"):
        payload([dataclasses.replace(run, mean_second_moment=np.zeros((5, 2)))])
    with pytest.raises(ValueError, match=r"steps of 'run' do not ascend"):
        payload([dataclasses.replace(run, steps=[1, 2, 3, 3, 4])])
    with pytest.raises(ValueError, match=r"snapshots of 'run' do not ascend"):
        payload([dataclasses.replace(run, snapshots=run.snapshots[::-1])])


def test_the_map_in_words_counts_what_it_does_not_show() -> None:
    points = np.array([[1.0, 2.0], [-1.0, -2.0], [np.nan, 0.0], [5.0, 0.0]])
    words = map_words(points[:2], np.full((2, 2), 0.5))
    assert (
        words
        == "2 test examples, the standard deviation of their means is 1.00 and 2.00, that of a posterior 0.50 and 0.50"
    )
    assert "1 not a number" in map_words(points, None)
    assert map_words(points, None).endswith("1 outside the map")


@pytest.mark.parametrize("page", ["#FFFFFF", DARK_PAGE])
@pytest.mark.parametrize("colour", LABEL_COLOURS)
def test_the_colour_of_every_class_stands_out_from_a_light_and_a_dark_page(colour: str, page: str) -> None:
    def luminance(code: str) -> float:
        share = np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05

    low, high = sorted((luminance(colour), luminance(page)))
    assert high / low >= 3  # WCAG 2.2, 1.4.11
