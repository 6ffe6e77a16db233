"""What a page says of a run that is in trouble, and offers to do about it."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bnvae.runs import Run, RunStore
from tests.pages.reading import checked, words

Visit = Callable[..., AppTest]
RUN = "digits-scaler"


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs for which a worker would have been started."""
    runs: list[Run] = []
    for module in ("remedies", "transport"):
        monkeypatch.setattr(f"pages.shared.{module}.submit", lambda *started, threads: runs.extend(started))
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
    monkeypatch.setattr("pages.shared.condition.is_silent", lambda run: True)
    monkeypatch.setattr("pages.shared.condition.end", lambda run: ended.append(run.id))
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
