"""Which run is marked as best: by pairs, by seeds, and never by a figure that is not known."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from bnvae.comparison.columns import BY_NAME, Entry
from bnvae.comparison.ranking import best, difference, differences, marks, notes
from bnvae.comparison.seeds import by_seed
from bnvae.comparison.table_export import difference_rows, to_csv, to_json, to_latex, to_markdown
from bnvae.metrics.figures.example_figures import ExampleFigures

ELBO = BY_NAME["elbo"]
COUNT = 400
HARD = 20 * torch.randn(COUNT, generator=torch.Generator().manual_seed(0)).double()


def run(name: str, shift: float, *, pairs: bool = True, seed: int = 0, seedless: str = "", noise: float = 0.5) -> Entry:
    """A run whose distortion is `shift` on average above that of an example's own difficulty."""
    own = torch.randn(COUNT, generator=torch.Generator().manual_seed(sum(map(ord, name)))).double()
    distortion = 100 + HARD + shift + noise * (own - own.mean())
    each = ExampleFigures(rows=torch.arange(COUNT), distortion=distortion, rate=torch.zeros(COUNT).double())
    error = distortion.std().item() / math.sqrt(COUNT)
    test = {"elbo": -distortion.mean().item(), "elbo_standard_error": error}
    return Entry(
        run=name,
        recipe="plain VAE",
        data="digits",
        group="g",
        evaluation={"test": test},
        each=each if pairs else None,
        seed=seed,
        seedless=seedless,
    )


def test_pairs_tell_a_difference_that_two_means_do_not() -> None:
    pairs = [run("a", 0.0), run("b", 0.3)]
    assert marks(pairs, ELBO) == {"a": "best"}
    apart = [run("a", 0.0, pairs=False), run("b", 0.3)]
    assert marks(apart, ELBO) == {}
    found = difference(pairs[1], pairs[0], ELBO)
    assert found is not None
    assert found.mean == pytest.approx(-0.3)
    assert found.standard_error == pytest.approx(0.5 * math.sqrt(2 / COUNT), rel=0.15)
    unpaired = difference(apart[0], apart[1], ELBO)
    assert unpaired is not None
    assert (unpaired.examples, found.examples) == (0, COUNT)
    assert unpaired.standard_error == pytest.approx(20 * math.sqrt(2 / COUNT), rel=0.15)
    assert any(words.startswith("No figures of single test examples are kept of a:") for words in notes(apart))
    assert not any("single test examples" in words for words in notes(pairs))


def test_of_three_the_two_that_cannot_be_told_apart_are_level() -> None:
    entries = [run("a", 0.0), run("b", 0.01), run("c", 2.0)]
    assert marks(entries, ELBO) == {"a": "level", "b": "level"}
    assert best(entries, ELBO) == set()
    assert "≈ −101." in to_markdown(entries).replace("\\", "")
    assert "Bold" not in to_latex(entries)


def test_accuracies_are_not_ranked_where_runs_had_other_labels() -> None:
    def probed(name: str, accuracy: float, labels: int, factor: str = "mood") -> Entry:
        figures = {
            "accuracy_from_draws": accuracy,
            "accuracy_from_draws_standard_error": 0.01,
            "accuracy_labels": labels,
        }
        buys = {**figures, "labels_needed": {factor: {}}}
        return Entry(run=name, recipe="", data="", group="g", evaluation={"buys": buys})

    column = BY_NAME["accuracy_from_draws"]
    assert marks([probed("a", 0.9, 100), probed("b", 0.5, 100)], column) == {"a": "best"}
    assert marks([probed("a", 0.9, 100), probed("b", 0.5, 30)], column) == {}
    assert marks([probed("a", 0.9, 100), probed("b", 0.5, 100, "tense")], column) == {}


def test_pairs_that_point_the_other_way_make_no_run_the_best() -> None:
    first, second = run("a", 0.0), run("b", 1.0)
    assert first.each is not None
    assert second.each is not None
    # A few shared examples, on which the run with the better mean is worse.
    few = ExampleFigures(
        rows=torch.arange(10), distortion=first.each.distortion[:10] + 9, rate=torch.zeros(10).double()
    )
    assert marks([replace(first, each=few), second], ELBO) == {}


def seeds(name: str, shifts: list[float], seedless: str) -> list[Entry]:
    return [run(f"{name}-seed-{seed}", shift, seed=seed, seedless=seedless) for seed, shift in enumerate(shifts)]


def test_runs_equal_but_for_their_seed_are_one_row_with_mean_and_spread() -> None:
    (entry, other) = by_seed([*seeds("x", [0.0, 1.0, 2.0], "one"), run("y", 9.0, seedless="two")])
    assert entry.run == "x (3 seeds)"
    elbo = -(100 + HARD.mean().item() + 1)
    assert entry.value(ELBO) == pytest.approx(elbo)
    assert entry.spread(ELBO) == pytest.approx(1)  # deviation of 0, 1, 2
    assert entry.written(ELBO) == f"−{-elbo:.2f} ± 1.00"
    assert [one.seed for one in entry.members] == [0, 1, 2]
    assert other.members == ()
    assert notes([entry])[0].startswith("x (3 seeds): mean ± standard deviation over the seeds 0, 1, 2 of x-seed-0, x-")


def test_a_difference_between_groups_is_held_against_the_spread_over_seeds() -> None:
    # Pairs alone would call every one of these clear: their error is 0.02 nats.
    near = by_seed([*seeds("x", [0.0, 1.0, 2.0], "one"), *seeds("y", [0.5, 1.5, 2.5], "two")])
    far = by_seed([*seeds("x", [0.0, 1.0, 2.0], "one"), *seeds("y", [5.0, 6.0, 7.0], "two")])
    assert marks(near, ELBO) == {}
    assert marks(far, ELBO) == {"x (3 seeds)": "best"}
    found = difference(near[0], near[1], ELBO)
    assert found is not None
    assert found.mean == pytest.approx(0.5)
    # Deviations of 1 over three seeds each: sqrt(1/3 + 1/3), and next to nothing for the examples.
    assert found.standard_error == pytest.approx(math.sqrt(2 / 3), rel=0.01)
    assert (found.seeds, found.examples) == (3, COUNT)


def test_a_single_run_is_taken_to_vary_as_much_as_the_seeds_of_the_other() -> None:
    group, alone = by_seed([*seeds("x", [0.0, 1.0, 2.0], "one"), run("y", 3.0, seedless="two")])
    found = difference(group, alone, ELBO)
    assert found is not None
    assert found.standard_error == pytest.approx(math.sqrt(1 / 3 + 1), rel=0.01)
    assert not found.is_clear


def test_seeds_are_never_rivals_of_each_other() -> None:
    repeated = [run("a", 0.0, seedless="one"), run("copy", 5.0, seedless="one")]
    assert [entry.run for entry in by_seed(repeated)] == ["a", "copy"]  # one seed, twice: counted once each
    assert marks(repeated, ELBO) == {}
    entries = by_seed(
        [*seeds("x", [0.0, 1.0], "one"), run("x-again", 3.0, seedless="one"), run("y", 9.0, seedless="t")]
    )
    assert [len(entry.parts) for entry in entries] == [2, 1, 1]
    assert set(marks(entries, ELBO)) <= {"x (2 seeds)"}


def test_a_figure_that_is_no_number_is_named_and_not_ranked_anywhere() -> None:
    broken = Entry(
        run="broken", recipe="", data="", group="g", evaluation={"test": {"elbo": math.nan, "rate": math.inf}}
    )
    empty = Entry(run="empty", recipe="", data="", group="g", evaluation={})
    entries = [broken, run("a", 0.0), run("b", 5.0), empty]
    assert marks(entries, ELBO) == {"a": "best"}
    assert broken.written(ELBO) == "NaN"
    words = notes(entries)
    assert any(line.startswith("broken: not a finite number: ELBO, rate. Not ranked.") for line in words)
    assert "empty: not known, and so not ranked: ELBO." in words
    for text in (to_csv(entries), to_latex(entries), to_markdown(entries)):
        assert "NaN" in text
    stored: dict[str, Any] = json.loads(to_json(entries))
    assert stored["runs"][0]["figures"]["elbo"]["not_a_number"] is True
    assert stored["runs"][0]["figures"]["elbo"]["value"] is None
    assert {name for line in stored["remarks"] for name in ("broken", "empty") if line.startswith(name)} == {
        "broken",
        "empty",
    }


def test_a_group_of_which_one_run_lacks_a_figure_says_how_many_have_it() -> None:
    members = seeds("x", [0.0, 1.0, 2.0], "one")
    bare = Entry(run="x-seed-3", recipe="", data="", group="g", evaluation={}, seed=3, seedless="one")
    (entry,) = by_seed([*members, bare])
    assert entry.written(ELBO).endswith(" ± 1.00 (3 of 4)")
    assert any(line.startswith("x-seed-3: not known") for line in notes([entry]))


def test_differences_are_from_the_first_run_of_the_same_data() -> None:
    entries = [run("a", 1.0), run("b", 0.0), run("c", 2.0, pairs=False)]
    assert [(entry.run, first.run) for entry, first, _ in differences(entries)] == [("b", "a"), ("c", "a")]
    columns, rows = difference_rows(entries)
    assert [column.name for column in columns] == ["elbo"]
    assert rows[0][:2] == ["b", "a"]
    assert rows[0][2].startswith("+1.00 ± 0.0")
    assert rows[0][2].endswith("*")
    assert rows[1][2].startswith("−1.00 ± ")
    assert not rows[1][2].endswith("*")
