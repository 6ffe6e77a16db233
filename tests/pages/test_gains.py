"""What the codes buy and cost, on Overview and Compare: from the runs' folders, or the command that computes it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bnvae.jobs.evaluate_runs import evaluate_run
from bnvae.runs import RunStore
from bnvae.runs.storage.atomic_files import write_json
from pages.components.gains import Bar, Gain, gains
from tests.pages.reading import drawn, words

Visit = Callable[..., AppTest]


def cards(page: AppTest) -> dict[str, dict[str, Any]]:
    """The cards by their titles."""
    return {card["title"]: card for shown in drawn(page, "gains") for card in shown["cards"]}


def with_gains(runs: RunStore, name: str, **buys: Any) -> None:
    """Keeps made-up figures with a run."""
    path = runs.root / name / "evaluation.json"
    kept = json.loads(path.read_text())
    kept["buys"] = {"labels_needed": {"mood": probe(0.5)}, "missing": {}} | buys
    write_json(path, kept)


def probe(accuracy: float, *, labels: int = 100, majority: float = 0.2, baseline: float = 0.6) -> dict[str, Any]:
    """Accuracies of one factor, made up, from 10 labels and from so many."""
    told = {"accuracy": [0.25, accuracy], "spread": [0.05, 0.01]}
    without = {"accuracy": [0.25, baseline], "spread": [0.05, 0.02]}
    return {
        "labels": [10, labels],
        "majority": majority,
        "codes": told,
        "means": told,
        "baseline": without,
        "baseline_input": "bag of words",
    }


def test_runs_without_figures_name_the_command_that_makes_them(runs: RunStore, visit: Visit) -> None:
    for name in ("overview", "compare"):
        page = visit(name, "story-plain", "story-bn", **({"view": "What it buys"} if name == "compare" else {}))
        assert "python -m bnvae evaluate story-plain\npython -m bnvae evaluate story-bn" in words(page)
        assert not drawn(page, "gains")


def test_an_evaluated_pair_shows_its_gains_beside_chance_and_its_costs(runs: RunStore, visit: Visit) -> None:
    with_gains(
        runs,
        "story-plain",
        labels_needed={"mood": probe(0.2, majority=0.21)},
        causes_kept=0.15,
        causes_kept_by_chance=0.15,
    )
    with_gains(
        runs,
        "story-bn",
        labels_needed={"mood": probe(0.52, majority=0.21)},
        causes_kept=0.71,
        causes_kept_standard_error=0.005,
        causes_kept_by_chance=0.16,
        edits_took=0.8,
        edits_took_by_chance=0.1,
        edits_changed_others=0.07,
    )
    for name in ("story-plain", "story-bn"):
        path = runs.root / name / "evaluation.json"
        kept = json.loads(path.read_text())
        kept["test"] |= {
            "rate": 0.0 if name == "story-plain" else 9.0,
            "elbo": -18.6 if name == "story-plain" else -21.1,
        }
        write_json(path, kept)
    found = cards(visit("overview", "story-plain", "story-bn"))
    assert list(found) == ["Accuracy from 100 labels", "Causes kept", "Edits that took", "What it costs"]
    labels = found["Accuracy from 100 labels"]
    assert [bar["words"] for bar in labels["bars"]] == ["20 % ± 1.0", "52 % ± 1.0"]
    assert labels["bars"][0]["marks"] == [[0.21, "commonest class"], [0.6, "bag of words, without a code"]]
    assert labels["note"] == "Marks: commonest class 21 %; bag of words, without a code, 60 %."
    assert found["Causes kept"]["bars"][1]["words"] == "71 % ± 0.5"
    assert found["Causes kept"]["note"] == "Mark, by chance: story-plain 15 %, story-bn 16 %."
    assert [bar["name"] for bar in found["Edits that took"]["bars"]] == ["story-bn"]
    assert found["Edits that took"]["note"] == (
        "Mark, before the edit: story-bn 10 %. Other causes changed: story-bn 7 %."
    )
    assert [bar["words"] for bar in found["What it costs"]["bars"]] == ["0.0 nats", "9.0 nats"]
    assert found["What it costs"]["note"] == "−ELBO of story-bn: 2.5 nats higher than the plain run's."


def test_a_strangers_figures_that_are_no_shares_are_left_out(runs: RunStore, visit: Visit) -> None:
    strange = {"mood": probe(7), "place": probe(0.5) | {"labels": "many"}, "who": [1]}
    with_gains(runs, "story-bn", labels_needed=strange, causes_kept="all", edits_took=None)
    assert not drawn(visit("overview", "story-bn"), "gains")


def test_accuracies_of_another_number_of_labels_have_no_bar_beside_the_first(runs: RunStore, visit: Visit) -> None:
    with_gains(runs, "story-plain", labels_needed={"mood": probe(0.2)})
    with_gains(runs, "story-bn", labels_needed={"mood": probe(0.5, labels=30)})
    card = cards(visit("overview", "story-plain", "story-bn"))["Accuracy from 100 labels"]
    assert [bar["name"] for bar in card["bars"]] == ["story-plain"]
    assert card["note"].endswith("Evaluated with other labels, and so not shown: story-bn.")


def test_every_factor_that_all_runs_were_evaluated_for_has_a_bar(runs: RunStore, visit: Visit) -> None:
    plain = {"mood": probe(0.19), "place": probe(0.12, majority=0.24, baseline=0.53), "who": probe(0.05)}
    bn = {"mood": probe(0.24), "place": probe(0.49, majority=0.24, baseline=0.53), "tense": probe(0.8)}
    with_gains(runs, "story-plain", labels_needed=plain)
    with_gains(runs, "story-bn", labels_needed=bn)
    card = cards(visit("overview", "story-plain", "story-bn"))["Accuracy from 100 labels"]
    assert [(bar["group"], bar["name"], bar["share"]) for bar in card["bars"]] == [
        ("mood", "story-plain", 0.19),
        ("mood", "story-bn", 0.24),
        ("place", "story-plain", 0.12),
        ("place", "story-bn", 0.49),
    ]
    assert card["bars"][3]["marks"] == [[0.24, "commonest class"], [0.53, "bag of words, without a code"]]
    assert "names the mood and place, ±" in card["caption"]
    assert card["note"] == (
        "Marks, in this order: commonest class 20 %, 24 %; bag of words, without a code, 60 %, 53 %. "
        "Not evaluated of all runs, and so not shown: who, tense."
    )


@pytest.mark.parametrize("name", ["labels_needed", "causes", "edits", "missing"])
@pytest.mark.parametrize("stranger", [[1], "x", {"mood": [1]}, {"causes": [1]}])
def test_a_strangers_figures_of_another_shape_are_passed_over(
    name: str, stranger: object, runs: RunStore, visit: Visit
) -> None:
    with_gains(runs, "story-bn", accuracy_labels=100, accuracy_from_draws=0.5, **{name: stranger})
    assert not visit("compare", "story-plain", "story-bn", view="What it buys").exception
    assert not visit("overview", "story-plain", "story-bn").exception


def test_compare_draws_labels_needed_causes_and_edits(runs: RunStore, visit: Visit) -> None:
    for name in ("story-plain", "story-bn"):
        evaluate_run(runs.get(name), factors=["tense"], labels=[20, 100])
    page = visit("compare", "story-plain", "story-bn", view="What it buys")
    buys = (runs.get("story-bn").evaluation() or {})["buys"]
    tables = drawn(page, "figure_table")
    titles = [column["title"] for column in tables[0]["columns"]]
    row = next(row for row in tables[0]["rows"] if row["title"] == "story-bn")
    assert row["values"][titles.index("causes kept")] == pytest.approx(buys["causes_kept"], rel=1e-5)
    assert row["values"][titles.index("100 labels")] == pytest.approx(buys["accuracy_from_draws"], rel=1e-5)
    assert [column["title"] for column in tables[1]["columns"]][:3] == ["mean", "mood", "who"]
    assert tables[1]["rows"][1]["values"][0] == pytest.approx(buys["causes"]["mean"], rel=1e-5)
    assert tables[2]["rows"][1]["values"][0] == pytest.approx(buys["edits"]["took"], rel=1e-5)
    charts = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    names = [[trace["name"] for trace in chart["data"]] for chart in charts]
    assert names == [
        ["draws of z", "means", "bag of words"],
        ["draws of z", "means", "bag of words", "draws, story-plain"],
    ]
    assert charts[1]["data"][0]["y"] == buys["labels_needed"]["mood"]["codes"]["accuracy"]


def test_pictures_say_why_they_have_no_causes(runs: RunStore, visit: Visit) -> None:
    evaluate_run(runs.get("digits-plain"), labels=[20])
    page = visit("compare", "digits-plain", view="What it buys")
    assert "causes can be read from the sentences of 'storybook' only" in words(page)


def test_the_entropy_is_a_line_in_the_charts_and_a_sentence(runs: RunStore, visit: Visit) -> None:
    for name in ("story-plain", "story-bn"):
        path = runs.root / name / "data.json"
        assert json.loads(path.read_text())["entropy"] is None  # these sentences are cut at 12 tokens
        write_json(path, json.loads(path.read_text()) | {"entropy": 18.25})
    page = visit("train", "story-plain", "story-bn")
    assert "The sentences have an entropy of 18.2 nats: no model of their source can go below it." in words(page)
    assert "The code of story-bn costs" in words(page)
    levels = [chart["levels"] for chart in drawn(page, "curves") if chart["title"].startswith("−ELBO")]
    assert levels == [[[18.25, "entropy of the source: 18.2 nats"]]] * 2
    assert "an entropy of 18.2 nats" in words(visit("overview", "story-plain", "story-bn"))


def test_an_entropy_that_only_an_evaluation_knows_is_shown_too(runs: RunStore, visit: Visit) -> None:
    with_gains(runs, "story-bn", source_entropy=17.5)
    assert "an entropy of 17.5 nats" in words(visit("overview", "story-bn"))


TOO_LONG = Bar(name="a", colour="#000", words="", share=1.2)
MARKED_OUTSIDE = Bar(name="a", colour="#000", words="", share=0.5, marks=[(-1, "")])


@pytest.mark.parametrize("bar", [TOO_LONG, MARKED_OUTSIDE])
def test_a_bar_that_ends_outside_is_refused(bar: Bar) -> None:
    with pytest.raises(ValueError, match="on its bar: give a share from 0 to 1"):
        gains(key="bad", cards=[Gain(title="a", caption="", bars=[bar])])
