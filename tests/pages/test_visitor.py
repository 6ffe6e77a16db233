"""Whose runs a visitor may change: all on one's own machine, one's own on a server with an owner."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bnvae.runs import Run, RunStore
from bnvae.runs.export.archive import export_run
from bnvae.runs.owner import VISITOR, give_to, visitor_of
from pages.shared import visitor
from tests.pages.reading import checked, words

Visit = Callable[..., AppTest]
ANNA, BEN = "a" * 32, "b" * 32


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A server with an owner; whoever is named looks."""
    monkeypatch.setenv("BNVAE_OWNER", "the word")

    def look_as(who: str) -> None:
        monkeypatch.setattr(visitor, "visitor", lambda: who)

    look_as(ANNA)
    return look_as


@pytest.fixture
def training(runs: RunStore, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run of Anna's that is under way."""
    run = runs.get("digits-scaler")
    run.write_status(run.status.replace(state="training", step=3))
    give_to(run, ANNA)
    monkeypatch.setattr(Run, "is_held", property(lambda self: self.id == "digits-scaler"))
    return run


def labels(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


def test_on_ones_own_machine_every_run_may_be_changed(runs: RunStore, training: Run, visit: Visit) -> None:
    give_to(training, BEN)
    assert {"Stop", "Pause"} <= labels(visit("train", "digits-scaler"))


def test_only_who_started_a_run_may_stop_steer_or_delete_it(
    served: Callable[[str], None], training: Run, visit: Visit
) -> None:
    assert {"Stop", "Pause"} <= labels(visit("train", "digits-scaler"))
    served(BEN)
    page = visit("train", "digits-scaler")
    assert not labels(page) & {"Stop", "Pause", "One step", "Slow motion", "Change it"}
    assert visitor.may_steer(training) is False
    assert visitor_of(training) == ANNA


def test_the_owner_gives_the_word_and_may_do_all(served: Callable[[str], None], training: Run, visit: Visit) -> None:
    served(BEN)
    page = visit("train", "digits-scaler")
    page.text_input(key="owner-word").input("another word")
    checked(page.button(key="FormSubmitter:owner-Come in").click().run())
    assert "That is not the word." in words(page)
    page.text_input(key="owner-word").input("the word")
    checked(page.button(key="FormSubmitter:owner-Come in").click().run())
    assert {"Stop", "Pause"} <= labels(page)
    assert {"Stop", "Pause"} <= labels(visit("train", "digits-scaler"))  # a reload


def test_a_visitor_has_so_many_trainings_at_once_and_no_more(
    served: Callable[[str], None], training: Run, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNVAE_TRAININGS_EACH", "2")
    started: list[Run] = []
    monkeypatch.setattr("pages.shared.start.submit", lambda run, threads: started.append(run))
    page = visit("train")
    checked(next(button for button in page.button if button.label == "Train").click().run())
    assert "this server lets a visitor have 2 at once" in words(page)
    assert started == []
    served(BEN)
    page = visit("train")
    checked(next(button for button in page.button if button.label == "Train").click().run())
    assert [visitor_of(run) for run in started] == [BEN, BEN]


@pytest.mark.parametrize("setting", ["0", "many", "-1"])
def test_a_limit_that_is_no_number_is_refused(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNVAE_TRAININGS_EACH", setting)
    with pytest.raises(ValueError, match="BNVAE_TRAININGS_EACH is"):
        visitor.most_living()


def test_who_started_a_run_is_not_exported_with_it(runs: RunStore) -> None:
    run = runs.get("digits-scaler")
    give_to(run, ANNA)
    assert VISITOR.encode() not in export_run(run)
    (run.folder / VISITOR).write_text("{")
    assert visitor_of(run) == ""


def test_a_browser_is_known_again_whichever_mask_its_cookie_has() -> None:
    from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string as masked

    known = {visitor._secret(masked(b"sixteen bytes of", time)) for time in (1, 2, 3)}
    assert known == {b"sixteen bytes of"}
    assert visitor._secret(masked(b"another sixteen.", 1)) == b"another sixteen."


@pytest.mark.parametrize("cookie", ["", "2|", "x|y|z|1", "2||aabb|1", "1|00|aa|1", "2|0|a|1"])
def test_a_cookie_that_is_none_names_nobody(cookie: str) -> None:
    assert visitor._secret(cookie) == b""
