"""The Explore page without a browser: every tab with runs of both kinds, odd addresses, odd inputs, broken runs."""

import base64
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bnvae.runs import RunStore
from pages.components.drawing_pad import PAD_SIDE, ink_of
from pages.components.traversal_grid import Traversal, TraversedRow
from pages.shared.explore import cache as explore_cache
from pages.shared.explore.start import DRAWING
from pages.shared.explore.traverse import _said
from tests.pages.reading import checked, drawn, runs_choice, words

Visit = Callable[..., AppTest]
TABS = ("Traverse", "Interpolate", "Your own", "Factors")
HOSTILE = '<img src=x onerror="alert(1)"> **bold** [a](http://a)'


def a_stroke() -> str:
    ink = np.zeros((PAD_SIDE, PAD_SIDE), dtype=np.uint8)
    ink[20:120, 60:75] = 255
    return base64.b64encode(ink.tobytes()).decode()


def with_a_drawing(page: AppTest) -> AppTest:
    """The page as it is once something was drawn: AppTest has no pad to draw on."""
    page.session_state[DRAWING] = a_stroke()
    page.session_state["tab"] = "Your own"
    return checked(page.run())


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("count", [1, 2, 4])
def test_every_tab_shows_one_to_four_runs_of_mixed_kinds(tab: str, count: int, runs: RunStore, visit: Visit) -> None:
    ids = ["digits-plain", "story-bn", "digits-scaler", "story-plain"][:count]
    page = visit("explore", *ids, tab=tab)
    name = {
        "Traverse": "traversal_grid",
        "Interpolate": "latent_path",
        "Your own": "exhibits",
        "Factors": "factor_matrix",
    }
    assert [shown["title"] for shown in drawn(page, name[tab])] == ids
    assert not page.error


def test_rows_are_all_dimensions_sorted_by_kl(runs: RunStore, visit: Visit) -> None:
    (grid,) = drawn(visit("explore", "digits-scaler"), "traversal_grid")
    kl = [row["kl"] for row in grid["rows"]]
    assert kl == sorted(kl, reverse=True)
    assert sorted(row["dimension"] for row in grid["rows"]) == list(range(6))
    posterior, _ = runs.get("digits-scaler").encodings()
    means = posterior.kl_per_dimension().mean(0)
    assert kl == pytest.approx([float(means[row["dimension"]]) for row in grid["rows"]], rel=1e-4)
    assert grid["values"] == [-3, -2, -1, 0, 1, 2, 3]
    assert grid["unit"] == "grey levels of 255"


def test_a_row_of_sentences_groups_equal_neighbours_and_marks_what_differs(runs: RunStore, visit: Visit) -> None:
    (grid,) = drawn(visit("explore", "story-bn", example="2", reach="5"), "traversal_grid")
    decoded = grid["starts"][-1][1]
    for groups in grid["sentences"]:
        assert groups[0][0] == 0
        assert groups[-1][1] == 4
        for first, last, parts, differs in groups:
            assert first <= last
            sentence = "".join(text for text, _ in parts)
            assert (sentence != decoded) == differs


def test_sentences_have_fewer_steps_and_fold_what_carries_least(runs: RunStore, visit: Visit) -> None:
    story, digits = drawn(visit("explore", "story-bn", "digits-plain"), "traversal_grid")
    assert (len(story["values"]), len(digits["values"])) == (5, 7)
    assert len(story["rows"]) == 5
    assert story["open"] < digits["open"]


def test_the_ends_in_an_address_become_the_fields_and_the_tab(runs: RunStore, visit: Visit) -> None:
    page = visit("explore", "digits-plain", ends="12,57")
    assert [page.number_input(key=key).value for key in ("from", "to")] == [12, 57]
    assert [page.query_params[key] for key in ("from", "to", "tab")] == ["12", "57", "Interpolate"]
    assert "ends" not in page.query_params
    (way,) = drawn(page, "latent_path")
    assert "test example 12 " in way["caption"]
    assert "test example 57 " in way["caption"]
    assert len(way["distances"]) == 11
    assert (way["distances"][0], way["distances"][-1]) == (0, 0)
    assert max(way["distances"]) > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("ends", "12"), ("ends", "a,b"), ("ends", "1,2,3"), ("ends", "-1,5"), ("ends", "9" * 30 + ",1"), ("ends", "１,２"),
     ("ends", HOSTILE), ("example", "-1"), ("example", "x"), ("reach", "inf"), ("tab", "x"), ("example", "9" * 40),
     ("example", "9" * 300)],
)  # fmt: skip
def test_what_an_address_has_wrong_is_ignored(name: str, value: str, runs: RunStore, visit: Visit) -> None:
    page = visit("explore", "digits-plain", **{name: value})
    assert drawn(page, "traversal_grid")
    assert not page.error


@pytest.mark.parametrize("way", ["straight line", "along the sphere"])
@pytest.mark.parametrize("steps", [8, 16])
def test_a_way_has_as_many_steps_as_asked_for(way: str, steps: int, runs: RunStore, visit: Visit) -> None:
    page = visit("explore", "story-bn", "digits-plain", ends="3,8", steps=str(steps), way=way)
    assert [len(shown["distances"]) for shown in drawn(page, "latent_path")] == [steps, steps]


def test_an_example_that_a_run_has_not_is_said(runs: RunStore, visit: Visit) -> None:
    page = visit("explore", "digits-plain", example="5000")
    assert "they are 0 to 296. Example 0 is shown" in words(page)
    assert not page.error
    assert drawn(page, "traversal_grid")


def test_a_run_with_fewer_examples_than_another_is_well(runs: RunStore, visit: Visit) -> None:
    kept = len(runs.get("digits-plain").encodings()[0].mean)
    longer = len(runs.get("story-bn").encodings()[0].mean)
    few, many = ("digits-plain", "story-bn") if kept < longer else ("story-bn", "digits-plain")
    page = visit("explore", few, many, example=str(min(kept, longer)))
    assert not page.error
    assert f"{few}: example {min(kept, longer)} is not there" in "".join(shown.value for shown in page.text)
    assert [grid["title"] for grid in drawn(page, "traversal_grid")] == [many]


def test_an_example_stays_within_a_shorter_run_that_is_chosen_later(runs: RunStore, visit: Visit) -> None:
    kept = {name: len(runs.get(name).encodings()[0].mean) for name in ("digits-plain", "story-bn")}
    few, many = sorted(kept, key=kept.__getitem__)
    page = visit("explore", many, example=str(kept[few]))
    assert page.number_input(key="example").value == kept[few]
    checked(runs_choice(page).set_value([few]).run())
    assert page.number_input(key="example").value == 0
    assert "Example 0 is shown" in words(page)


@pytest.mark.parametrize(
    ("seen", "kl", "said"),
    [
        ([False, False], [0.4, 0.5], "no dimension changes anything that could be seen: 0.6 to 0.9"),
        ([False, False], [0.4, 0.5], "2 of 2 have a KL all the same"),
        ([False, False], [0.0, 0.0], "The code is ignored."),
        ([True, True], [0.4, 0.5], "every dimension changes something"),
        ([True, False], [0.4, 0.0], "1 of 2 dimensions change what is decoded: 0.6 grey levels of 255 on average."),
        ([True, False], [0.4, 0.0], "The other 1 leave it as it is: they are dead."),
        ([False, True], [0.4, 0.5], "change what is decoded: 0.9 grey"),  # a KL, and rows that are all the same
        ([False, True], [0.4, 0.5], "The other 1 leave it as it is: 1 of them have a KL all the same."),
    ],
)
def test_a_change_that_nobody_sees_is_not_praised(seen: list[bool], kl: list[float], said: str) -> None:
    rows = [
        TraversedRow(dimension=index, kl=kl[index], change=(0.6, 0.9)[index], at=0.0, dead=kl[index] < 0.01, seen=eye)
        for index, eye in enumerate(seen)
    ]
    picture = np.zeros((1, 2, 2), np.uint8)
    grid = Traversal(values=[-3, 3], rows=rows, decoded=np.stack([picture] * 4), start=picture, original=None)
    assert said in _said(grid, 3.0, "image")


def test_a_typed_sentence_is_read_with_unknown_words_marked(runs: RunStore, visit: Visit) -> None:
    page = visit("explore", "story-bn", tab="Your own")
    assert "empty: type some words" in drawn(page, "exhibits")[0]["words"]
    checked(page.text_input(key="own_text").set_value(f"The fox hacked {HOSTILE}").run())
    (shown,) = drawn(page, "exhibits")
    assert shown["unknown"] == 0
    read = shown["sentences"][0]
    assert ["hacked", True] in read
    assert ["fox", False] in read
    assert "are unknown" in shown["words"]
    assert "onerror" not in "".join(str(element.value) for element in (*page.markdown, *page.caption, *page.info))


def test_a_sentence_of_10000_words_is_cut_and_the_page_says_so(runs: RunStore, visit: Visit) -> None:
    page = visit("explore", "story-bn", tab="Your own")
    checked(page.text_input(key="own_text").set_value("fox " * 10_000).run())
    assert "Only the beginning was read" in drawn(page, "exhibits")[0]["words"]


def test_another_script_is_unknown_altogether(runs: RunStore, visit: Visit) -> None:
    page = visit("explore", "story-bn", tab="Your own")
    checked(page.text_input(key="own_text").set_value("今天 天气").run())
    assert "Not one of these words is in the vocabulary" in drawn(page, "exhibits")[0]["words"]


def test_an_own_sentence_begins_a_way_and_stays_out_of_the_caches(
    runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit("explore", "story-bn", tab="Your own")
    checked(page.text_input(key="own_text").set_value("the fox ate some beans").run())
    monkeypatch.setattr(explore_cache, "_decoded", None)  # whatever is decoded through the shared cache now fails
    checked(page.button(key="go-own_from").click().run())
    (way,) = drawn(page, "latent_path")
    assert "your sentence to test example 1" in way["caption"]


def test_an_own_drawing_is_read_encoded_and_placed(runs: RunStore, visit: Visit) -> None:
    page = visit("explore", "digits-plain", "digits-scaler", tab="Your own")
    assert [shown["names"] for shown in drawn(page, "exhibits")] == [[], []]
    page = with_a_drawing(visit("explore", "digits-plain", "digits-scaler"))
    for shown in drawn(page, "exhibits"):
        assert len(shown["names"]) == 3
        assert (shown["width"], shown["height"]) == (8, 8)
        assert "prior std from test example" in shown["words"]
    assert [len(bars["kl"]) for bars in drawn(page, "kl_bars")] == [4, 6]


def test_a_drawing_for_one_kind_of_run_says_what_the_other_kind_needs(runs: RunStore, visit: Visit) -> None:
    page = with_a_drawing(visit("explore", "digits-plain", "story-bn"))
    picture, sentence = drawn(page, "exhibits")
    assert len(picture["names"]) == 3
    assert "type some words" in sentence["words"]


@pytest.mark.parametrize("sent", ["", "x", "A" * 10**6, a_stroke()[:-4], a_stroke()[:-1] + "é", "=" * len(a_stroke())])
def test_what_is_not_a_drawing_is_none(sent: str) -> None:
    assert ink_of(sent) is None


def test_a_demonstration_takes_no_uploads(runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    assert visit("explore", "digits-plain", tab="Your own").get("button_group")
    monkeypatch.setenv("BNVAE_MODE", "demo")
    page = visit("explore", "digits-plain", tab="Your own")
    assert not page.get("button_group")
    assert drawn(page, "drawing_pad")


def test_factors_are_the_known_causes_or_the_label(runs: RunStore, visit: Visit) -> None:
    story, digits = drawn(visit("explore", "story-bn", "digits-plain", tab="Factors"), "factor_matrix")
    assert story["factors"] == ["mood", "who", "action", "object", "place", "time", "tense", "aspect", "form"]
    assert digits["factors"] == ["label"]
    for shown in (story, digits):
        assert len(shown["rows"]) == len(shown["dimensions"]) == len(shown["kl"])
        for row, kl in zip(shown["rows"], shown["kl"], strict=True):
            assert all(0 <= value <= kl + 0.05 for value in row)  # 0.05: the estimate's error from 297 examples


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    "file", ["encodings.npz", "weights.safetensors", "examples.npz", "tokenizer.json", "data.json"]
)
def test_a_broken_run_is_named_and_the_other_is_shown(tab: str, file: str, runs: RunStore, visit: Visit) -> None:
    (runs.root / "story-bn" / file).write_bytes(HOSTILE.encode())
    page = visit("explore", "story-bn", "digits-plain", tab=tab)
    assert "digits-plain" in runs_choice(page).value
    assert "onerror" not in "".join(str(element.value) for element in (*page.markdown, *page.caption, *page.error))
    needed = {
        "Traverse": True,
        "Interpolate": True,
        "Your own": True,
        "Factors": file in ("encodings.npz", "data.json"),
    }
    said = [text for text in page.text if file in text.value]
    shown = [title for kind in ("exhibits",) for title in drawn(page, kind) if file in title["words"]]
    assert bool(said or shown) == needed[tab]
