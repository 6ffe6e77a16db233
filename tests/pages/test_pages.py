"""Each page alone and through app.py: without runs, with missing ones, with one to four, before the first weights."""

import shutil
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bnvae.runs import RunStore, Status
from bnvae.runs.run import Run
from tests.pages.reading import PAGES, checked, drawn, runs_choice, sections, small, words

Visit = Callable[..., AppTest]


@pytest.mark.parametrize("name", ["app", *PAGES])
def test_without_runs_a_page_says_how_to_get_one(name: str, empty: RunStore, visit: Visit) -> None:
    page = visit(name)
    assert "There are no runs yet" in words(page)


@pytest.mark.parametrize("name", ["app", *PAGES])
def test_a_page_shows_what_the_address_names(name: str, runs: RunStore, visit: Visit) -> None:
    page = visit(name, "story-bn", "digits-plain")
    assert page.query_params["runs"] == ["story-bn", "digits-plain"]
    if name != "runs":
        assert runs_choice(page).value == ["story-bn", "digits-plain"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_reached_from_the_app(name: str, runs: RunStore, visit: Visit) -> None:
    page = visit("app", "digits-plain")
    checked(page.switch_page(f"pages/{name}.py").run())
    assert page.title


def test_the_links_of_the_first_page_keep_the_selected_runs(runs: RunStore, visit: Visit) -> None:
    page = visit("app", "story-bn", "digits-plain")
    links = [element.proto for element in page.get("page_link")]
    assert {link.page for link in links} >= {"train", "samples", "runs"}
    for link in links:
        assert link.query_string == "runs=story-bn&runs=digits-plain"


@pytest.mark.parametrize("name", ["overview", "train", "samples"])
def test_a_run_that_is_not_there_is_named_as_it_stands_in_the_address(name: str, runs: RunStore, visit: Visit) -> None:
    page = visit(name, "gone-**bold**<b>", "digits-plain")
    assert "may have been deleted or renamed" in page.warning[0].value
    assert "gone-**bold**<b>" in [text.value for text in page.text]
    assert runs_choice(page).value == ["digits-plain"]


@pytest.mark.parametrize("name", ["overview", "train", "samples"])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_one_to_four_runs_of_mixed_kinds_stand_side_by_side(
    name: str, count: int, runs: RunStore, visit: Visit
) -> None:
    ids = ["digits-plain", "story-bn", "digits-scaler", "story-plain"][:count]
    page = visit(name, *ids)
    assert runs_choice(page).value == ids
    if name != "samples":
        assert [bars["title"] for bars in drawn(page, "kl_bars")] == ids


@pytest.mark.parametrize("joined", [False, True])
def test_a_fifth_run_in_the_address_is_left_out_and_named_until_the_choice_changes(
    joined: bool, runs: RunStore, visit: Visit
) -> None:
    ids = ["digits-plain", "story-bn", "digits-scaler", "story-plain"]
    shutil.copytree(runs.root / "story-bn", runs.root / "story-fifth")
    asked = [",".join([*ids, "story-fifth"])] if joined else [*ids, "story-fifth"]
    page = visit("overview", *asked)
    said = "This page shows at most four runs. Compare takes up to twelve. Not shown, of those in its address:"
    for again in (page, checked(page.run())):
        assert runs_choice(again).value == ids
        assert said in words(again)
        assert "story-fifth" in [text.value for text in again.text]
    checked(runs_choice(page).set_value(ids[:2]).run())
    assert said not in words(page)
    assert list(page.query_params["runs"]) == ids[:2]


def test_four_runs_in_the_address_are_all_there_is(runs: RunStore, visit: Visit) -> None:
    assert "Not shown" not in words(visit("overview", "digits-plain", "story-bn", "digits-scaler", "story-plain"))


def test_removing_every_run_leaves_none(runs: RunStore, visit: Visit) -> None:
    page = visit("overview", "digits-plain")
    checked(runs_choice(page).set_value([]).run())
    assert runs_choice(page).value == []
    assert "Choose up to four runs above" in words(page)


def test_the_overview_says_of_each_run_whether_it_collapsed(runs: RunStore, visit: Visit) -> None:
    page = visit("overview", "digits-plain", "digits-scaler")
    assert [metric.label for metric in page.metric] == 2 * ["active units", "validation ELBO, nats"]
    verdicts = [element.value.partition(".**")[0] for element in page.markdown if element.value.startswith("**")]
    assert verdicts == ["**Collapsed", "**Code not used"]
    assert drawn(page, "kl_bars")[1]["fixed"] == pytest.approx([0.346574] * 6)


def test_equal_test_examples_are_shown_once(runs: RunStore, visit: Visit) -> None:
    page = visit("samples", "story-plain", "story-bn")
    prior, rebuilt = (section["table"] for section in sections(page))
    assert [column["title"] for column in prior["columns"]] == [
        "story-plain · plain VAE",
        "story-bn · BatchNorm on the mean, γ = 0.5",
    ]
    assert [column["title"] for column in rebuilt["columns"]][:2] == ["test example", "story-plain · plain VAE"]
    assert len(rebuilt["columns"]) == 3


def test_a_smaller_code_is_the_beginning_of_a_larger_one(runs: RunStore, visit: Visit) -> None:
    from bnvae.metrics.generation import shared_codes

    few, many = (runs.get(run_id).load_model() for run_id in ("story-plain", "story-bn"))
    codes = shared_codes(many, 7, seed=3)
    assert codes.shape == (7, 5)
    assert (shared_codes(few, 7, seed=3) == codes[:, :3]).all()
    assert (shared_codes(many, 7, seed=4) != codes).all()


def test_sample_settings_come_from_the_address(runs: RunStore, visit: Visit) -> None:
    options = {"count": "4", "spread": "0.5", "words": "drawn at random", "temperature": "0.7", "seed": "9"}
    page = visit("samples", "story-bn", **options)
    assert page.select_slider(key="count").value == 4
    assert page.slider(key="spread").value == 0.5
    assert page.slider(key="temperature").value == 0.7
    assert page.number_input(key="seed").value == 9
    assert len(sections(page)[0]["table"]["columns"][0]["sentences"]) == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [("count", "999"), ("count", "x"), ("spread", "inf"), ("seed", "-1"), ("seed", "9" * 40), ("words", "<b>"),
     ("temperature", "0"), ("show", "nothing")],
)  # fmt: skip
def test_a_setting_that_the_address_has_wrong_is_ignored(name: str, value: str, runs: RunStore, visit: Visit) -> None:
    page = visit("samples", "story-bn", **{"words": "drawn at random", name: value})
    assert sections(page)[0]["table"]


def test_another_seed_draws_other_codes_and_the_old_ones_come_back(runs: RunStore, visit: Visit) -> None:
    page = visit("samples", "digits-plain")
    first = sections(page)[0]["grids"][0]["png"]
    checked(page.number_input(key="seed").set_value(1).run())
    assert sections(page)[0]["grids"][0]["png"] != first
    checked(page.number_input(key="seed").set_value(0).run())
    assert sections(page)[0]["grids"][0]["png"] == first


@pytest.mark.parametrize("state", ["starting", "training", "stopped", "failed", "interrupted"])
@pytest.mark.parametrize("name", PAGES)
def test_a_run_without_weights_says_why(
    name: str, state: str, empty: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = empty.create("fresh", small("digits", "rms-scaler", 4))
    run.write_status(Status(state=state, message="The **download** failed: <b>no route</b>."))  # type: ignore[arg-type]
    held = state in ("starting", "training")
    monkeypatch.setattr(Run, "is_held", property(lambda self: held))
    page = visit(name, "fresh")
    if name == "samples":
        assert ("at its first evaluation" if held else "ended before its first evaluation") in words(page)
    elif name == "train":
        assert state in words(page)
        assert [button.label for button in page.button if button.label in ("Stop", "Go on")] == [
            "Stop" if held else "Go on"
        ]
    if name == "train" and state == "failed":
        assert "The **download** failed: <b>no route</b>." in [said["message"] for said in drawn(page, "run_state")]
    if name == "overview":
        assert drawn(page, "kl_bars")[0]["headline"] == "no values yet"
