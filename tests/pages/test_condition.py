"""What a page says of a run that is in trouble, and offers to do about it."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from bnvae.runs import Run, RunStore
from bnvae.runs.progress.control import Control
from tests.pages.reading import checked, drawn, words

Visit = Callable[..., AppTest]
RUN = "digits-scaler"


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs for which a worker would have been started."""
    runs: list[Run] = []
    for module in ("remedies", "transport"):
        monkeypatch.setattr(f"pages.shared.train.{module}.submit", lambda *started, threads: runs.extend(started))
    return runs


def press(page: AppTest, label: str) -> AppTest:
    return checked(next(button for button in page.button if button.label == label).click().run())


def test_the_last_words_of_a_worker_that_died_are_shown(runs: RunStore, visit: Visit) -> None:
    run = runs.get(RUN)
    run.write_status(run.status.replace(state="training", step=3))
    (run.folder / "worker.log").write_text("a line before\n**Killed** <b>by</b> signal 9\n")
    page = visit("train", RUN)
    assert "Interrupted at step 3" in words(page)
    (said,) = [each for each in page.expander if each.label == "The worker's last words"]
    assert [text.value for text in said.text] == ["a line before\n**Killed** <b>by</b> signal 9"]


def test_a_worker_that_hangs_can_be_ended(runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    run, ended = runs.get(RUN), []
    run.write_status(run.status.replace(state="training", step=3))
    monkeypatch.setattr(Run, "is_held", property(lambda self: True))
    monkeypatch.setattr("pages.shared.train.condition.is_silent", lambda run: True)
    monkeypatch.setattr("pages.shared.train.condition.end", lambda run: ended.append(run.id))
    page = visit("train", RUN)
    assert "Stop" not in {button.label for button in page.button}
    press(page, "End its worker")
    assert ended == [RUN]


def test_an_overflow_offers_a_branch_with_a_smaller_learning_rate(
    runs: RunStore, visit: Visit, submitted: list[Run]
) -> None:
    run = runs.get(RUN)
    status = run.status
    run.write_status(status.replace(state="failed", not_finite=True, message="the loss at step 9 is nan"))
    config = (run.folder / "config.json").read_text()
    epochs = run.config.training.epochs
    # The checkpoint is one of the last step; so that a branch has steps to take, there are more now.
    (run.folder / "config.json").write_text(config.replace(f'"epochs": {epochs}', f'"epochs": {epochs + 1}'))
    rate = run.config.training.learning_rate
    page = press(visit("train", RUN), f"Learning rate {0.1 * rate:g}")
    (made,) = submitted
    assert made.config.training.learning_rate == pytest.approx(0.1 * rate)
    assert page.query_params["runs"][:2] == [RUN, made.id]
    assert run.config.training.learning_rate == rate


def test_an_overflow_before_the_first_checkpoint_offers_to_begin_anew(
    runs: RunStore, visit: Visit, submitted: list[Run]
) -> None:
    old = runs.get(RUN)
    run = runs.create("exploded", old.config)
    run.write_status(run.status.replace(state="failed", not_finite=True, device="cpu, bfloat16"))
    page = visit("train", "exploded")
    press(page, "Gradients limited to 1")
    press(page, "Full precision")
    assert [made.config.training.gradient_clip for made in submitted] == [1.0, old.config.training.gradient_clip]
    assert [made.config.training.precision for made in submitted] == [old.config.training.precision, "fp32"]


def test_a_finished_run_is_branched_off_with_more_epochs(runs: RunStore, visit: Visit, submitted: list[Run]) -> None:
    page = visit("train", RUN)
    page.selectbox(key="fork-what").select("tau").run()
    page.number_input(key="fork-tau").set_value(0.8)
    page.number_input(key="fork-True").set_value(2)
    press(page, "Branch off")
    (branch,) = submitted
    assert branch.config.model.tau == 0.8
    assert branch.config.training.epochs == runs.get(RUN).config.training.epochs + 2


def fork_button(page: AppTest) -> Button:
    return page.button(key="fork-go")


def test_a_branch_begins_with_another_value_and_a_copy_is_refused(
    runs: RunStore, visit: Visit, submitted: list[Run]
) -> None:
    run = runs.get(RUN)
    run.write_status(run.status.replace(state="stopped", step=3))
    page = visit("train", RUN)
    page.selectbox(key="fork-what").select("tau").run()
    assert page.number_input(key="fork-tau").value != run.config.model.tau
    assert not fork_button(page).disabled
    page.number_input(key="fork-tau").set_value(run.config.model.tau)
    checked(page.run())
    assert "a branch would repeat the same run" in words(page)
    assert fork_button(page).disabled
    page.number_input(key="fork-False").set_value(1)
    assert not fork_button(checked(page.run())).disabled  # a longer training is another one


@pytest.mark.parametrize("name", ["beta", "learning_rate", "free_bits_per_dimension", "free_bits_total", "tau"])
def test_the_value_a_branch_begins_with_is_accepted(
    name: str, runs: RunStore, visit: Visit, submitted: list[Run]
) -> None:
    page = visit("train", RUN)
    page.selectbox(key="fork-what").select(name).run()
    press(page, "Branch off")
    (branch,) = submitted
    assert branch.config != runs.get(RUN).config


def test_a_branch_of_a_paused_run_waits_where_that_one_waits(
    runs: RunStore, visit: Visit, submitted: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.get(RUN)
    run.write_status(run.status.replace(state="paused", step=17))
    run.desk.command(Control(pause_at=0, steps_per_second=1.0))
    monkeypatch.setattr(Run, "is_held", property(lambda self: self.id == RUN))
    page = visit("train", RUN)
    page.number_input(key="fork-False").set_value(2)
    press(page, "Branch off")
    (branch,) = submitted
    assert branch.desk.control() == Control(pause_at=17, steps_per_second=1.0)


def test_a_branch_marks_on_its_curve_where_it_left_its_origin(runs: RunStore, visit: Visit) -> None:
    branch = runs.get(RUN)
    (branch.folder / "origin.json").write_text('{"run": "a-name-of-more-than-24-letters", "step": 5, "changed": {}}')
    curves = [chart for chart in drawn(visit("train", RUN), "curves") if "ELBO" in chart["title"]]
    assert [chart["marks"] for chart in curves] == [[[5.0, "branched off a-name-of-more-than-24-…"]]]


def test_a_branch_of_a_run_with_a_long_name_is_still_called_a_branch(
    runs: RunStore, visit: Visit, submitted: list[Run]
) -> None:
    name = "x" * 64
    (runs.root / RUN).rename(runs.root / name)
    press(visit("train", name), "Branch off")
    assert submitted[0].id == "x" * 48 + "-branch"
