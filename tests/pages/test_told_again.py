"""Sentences beside their reconstructions: what is marked, whose share stands under a run, and where the page has it."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from bnvae.config.schema import DataConfig
from bnvae.metrics.downstream.factors_kept import kept_spans
from bnvae.runs import RunStore
from bnvae.runs.storage.atomic_files import write_json
from pages.shared.told_again import marks_of
from tests.pages.reading import checked, drawn, sections

Visit = Callable[..., AppTest]
PAIR = ("story-plain", "story-bn")


def told(page: AppTest) -> dict[str, Any]:
    (table,) = (each["table"] for each in sections(page) if "kinds" in (each["table"] or {}))
    return dict(table)


def evaluated(runs: RunStore, name: str, buys: object) -> None:
    file = runs.root / name / "evaluation.json"
    write_json(file, json.loads(file.read_text()) | {"buys": buys})


@pytest.mark.parametrize("name", ["overview", "train", "samples"])
def test_what_a_run_keeps_is_marked_in_the_original_and_in_the_reconstruction(
    name: str, runs: RunStore, visit: Visit
) -> None:
    table = told(visit(name, "story-bn"))
    kinds = [kind["name"] for kind in table["kinds"]]
    original, again = table["columns"]
    assert len(again["sentences"]) >= 8
    for place, pair in enumerate(zip(original["sentences"], again["sentences"], strict=True)):
        for column, sentence, spans in zip((original, again), pair, kept_spans(*pair), strict=True):
            parts = column["parts"][place]
            assert "".join(text for text, _ in parts) == sentence
            marked = {(text, kinds[each]) for text, places in parts for each in places}
            assert marked == {(sentence[span.start : span.end], span.cause) for span in spans}


def test_the_share_is_that_of_the_sentences_shown_while_nothing_else_is_known(runs: RunStore, visit: Visit) -> None:
    original, *columns = told(visit("overview", *PAIR))["columns"]
    assert original["note"] == ""
    for column in columns:
        kept = sum(len(places) for parts in column["parts"] for _, places in parts)
        assert column["note"].startswith("keeps ")
        assert f": {kept} of " in column["note"]
        assert column["note"].endswith("in the 8 sentences shown")


def test_the_share_of_the_evaluation_is_shown_where_there_is_one(runs: RunStore, visit: Visit) -> None:
    evaluated(runs, "story-bn", {"causes": {"mean": 0.789, "mean_permuted_chance": 0.142, "sentences": 1600}})
    page = visit("overview", *PAIR)
    _, plain, normalised = told(page)["columns"]
    assert normalised["note"] == "keeps 79 % of the causes (chance 14 %), mean of 1,600 test sentences"
    assert plain["note"].endswith("in the 8 sentences shown")
    assert told(visit("samples", "story-bn"))["columns"][1]["note"] == normalised["note"]


@pytest.mark.parametrize(
    "buys", [None, [], "x", {}, {"causes": 3}, {"causes": {"mean": "x", "mean_permuted_chance": 0, "sentences": 9}},
             {"causes": {"mean": 0.5}}],
)  # fmt: skip
def test_an_evaluation_without_such_figures_is_passed_over(buys: object, runs: RunStore, visit: Visit) -> None:
    evaluated(runs, "story-bn", buys)
    assert told(visit("overview", "story-bn"))["columns"][1]["note"].endswith("in the 8 sentences shown")


def test_other_decoding_is_named_and_has_the_share_of_its_own_sentences(runs: RunStore, visit: Visit) -> None:
    evaluated(runs, "story-bn", {"causes": {"mean": 0.789, "mean_permuted_chance": 0.142, "sentences": 600}})
    greedy, beam = told(visit("samples", "story-bn")), told(visit("samples", "story-bn", words="beam search"))
    assert "greedily" in greedy["says"]
    assert "by beam search" in beam["says"]
    assert "greedily" not in beam["says"]
    assert beam["columns"][1]["note"].endswith("in the 16 sentences shown")


def test_sentences_come_first_on_the_overview_and_pictures_stay_below_the_bars(runs: RunStore, visit: Visit) -> None:
    def order(page: AppTest) -> list[str]:
        return [element.proto.component_name.removeprefix("bnvae_") for element in page.get("bidi_component")]

    assert order(visit("overview", *PAIR)) == ["preview_sections", "kl_bars", "kl_bars", "preview_sections"]
    assert order(visit("overview", "digits-plain", "digits-scaler")) == ["kl_bars", "kl_bars", "preview_sections"]
    assert [len(shown["sections"]) for shown in drawn(visit("overview", *PAIR), "preview_sections")] == [1, 1]


def test_words_are_compared_where_causes_are_not_known(runs: RunStore) -> None:
    run = runs.get("story-bn")
    config = dataclasses.replace(run.config, data=DataConfig(name="text", path="my.txt"))
    marks = marks_of(("test example", ["a man sits."]), {"it": (run, config, ["a man stands."])})
    assert [kind.name for kind in marks.kinds] == ["word"]
    assert marks.parts["it"] == [[("a man", ("word",)), (" stands.", ())]]
    assert marks.notes["it"] == "keeps 67 % of the words: 2 of 3 in the sentence shown"
    assert "words that are the same" in marks.says


def test_explore_marks_an_example_and_what_is_decoded_from_its_code(runs: RunStore, visit: Visit) -> None:
    (grid,) = drawn(visit("explore", "story-bn", tab="Traverse", example="3"), "traversal_grid")
    example, decoded = (sentence for _, sentence in grid["starts"])
    kinds = [kind["name"] for kind in grid["kept"]["kinds"]]
    for parts, sentence, spans in zip(
        grid["kept"]["pair"], (example, decoded), kept_spans(example, decoded), strict=True
    ):
        assert "".join(text for text, _ in parts) == sentence
        assert {kinds[each] for _, places in parts for each in places} == {span.cause for span in spans}


def test_explore_marks_a_typed_sentence_and_what_is_decoded_from_it(runs: RunStore, visit: Visit) -> None:
    page = visit("explore", "story-bn", tab="Your own")
    checked(page.text_input(key="own_text").set_value("the happy fox was baking a cake .").run())
    (shown,) = drawn(page, "exhibits")
    read, decoded = ("".join(text for text, _ in parts) for parts in shown["sentences"][:2])
    pair = ["".join(text for text, _ in parts) for parts in shown["kept"]["pair"]]
    assert pair == [read, decoded]


def test_of_two_data_sets_no_words_are_compared(runs: RunStore, visit: Visit) -> None:
    (runs.root / "story-plain" / "preview.npz").unlink()
    other = runs.get("story-bn")
    preview = other.preview()
    assert preview is not None
    runs.get("story-plain").write_preview(dataclasses.replace(preview, originals=preview.originals.flip(0)))
    tables = [each["table"] for each in sections(visit("overview", *PAIR))]
    assert len(tables) == 2
    assert not any("kinds" in table for table in tables)
