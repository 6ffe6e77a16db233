"""The form of the Train page: refused values, what is created, and what a failed start says."""

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from bnvae.config.scheduled_changes import Change
from bnvae.config.schema import ModelConfig, RunConfig
from bnvae.jobs.train_runs import train_run
from bnvae.runs import Run, RunStore
from bnvae.runs.progress.control import Control
from tests.pages.reading import checked, drawn, runs_choice, words

Visit = Callable[..., AppTest]


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs for which a worker would have been started."""
    runs: list[Run] = []
    monkeypatch.setattr("pages.shared.start.submit", lambda run, threads: runs.append(run))
    return runs


def train_button(page: AppTest) -> Button:
    return next(button for button in page.button if button.label == "Train")


def press_train(page: AppTest) -> AppTest:
    return checked(train_button(page).click().run())


def test_training_starts_the_run_and_its_plain_twin(empty: RunStore, visit: Visit, submitted: list[Run]) -> None:
    page = press_train(visit("train"))
    assert [run.id for run in submitted] == ["storybook-gaussian", "storybook-rms-scaler"]
    plain, scaled = (run.config for run in submitted)
    assert plain.model.head == "gaussian"
    assert scaled == RunConfig.from_json(plain.to_json().replace('"gaussian"', '"rms-scaler"'))
    assert page.query_params["runs"] == ["storybook-gaussian", "storybook-rms-scaler"]
    assert runs_choice(page).value == ["storybook-gaussian", "storybook-rms-scaler"]


def test_without_the_twin_one_run_starts(empty: RunStore, visit: Visit, submitted: list[Run]) -> None:
    page = visit("train")
    page.toggle(key="set-twin").set_value(False).run()
    page.selectbox(key="set-data").set_value("digits").run()
    press_train(page)
    assert [run.id for run in submitted] == ["digits-rms-scaler"]
    assert submitted[0].config.network == "conv"


def test_one_model_for_every_tau_starts_beside_a_plain_twin_that_has_none(
    empty: RunStore, visit: Visit, submitted: list[Run]
) -> None:
    page = visit("train")
    page.toggle(key="set-amortised").set_value(True).run()
    press_train(page)
    assert [run.config.model.amortised_to for run in submitted] == [None, 0.95]
    assert [run.config.model.head for run in submitted] == ["gaussian", "rms-scaler"]


@pytest.mark.parametrize("data", ["storybook", "digits", "celeba"])
@pytest.mark.parametrize("head", ["rms-scaler", "bn-scaler", "bn-mean", "ln-mean", "gaussian"])
def test_every_data_set_and_head_can_be_trained_as_the_form_stands(
    data: str, head: str, empty: RunStore, visit: Visit, submitted: list[Run]
) -> None:
    page = visit("train")
    page.selectbox(key="set-data").set_value(data)
    page.selectbox(key="set-head").set_value(head).run()
    press_train(page)
    assert len(submitted) == (1 if head == "gaussian" else 2)
    assert submitted[-1].config.model.head == head


def test_a_batch_too_small_to_normalise_over_is_refused(empty: RunStore, visit: Visit) -> None:
    page = visit("train")
    checked(page.number_input(key="set-batch").set_value(4).run())
    assert "batch_size is 4: head 'rms-scaler'" in words(page)
    assert next(button for button in page.button if button.label == "Train").disabled
    checked(page.selectbox(key="set-head").set_value("gaussian").run())
    assert "head 'rms-scaler'" not in words(page)  # of all methods the first that normalises is another one
    assert not next(button for button in page.button if button.label == "Train").disabled


@pytest.mark.parametrize("data", ["images", "text"])
def test_own_data_needs_a_path(data: str, empty: RunStore, visit: Visit) -> None:
    page = visit("train")
    checked(page.selectbox(key="set-data").set_value(data).run())
    assert "Where is it?" in words(page)
    assert train_button(page).disabled


@pytest.mark.parametrize("data", ["images", "text"])
def test_a_path_that_leads_nowhere_is_said_as_soon_as_it_is_entered(data: str, empty: RunStore, visit: Visit) -> None:
    page = visit("train")
    page.selectbox(key="set-data").set_value(data).run()
    checked(page.text_input(key="set-path").set_value("/no/**such**/<b>place.txt").run())
    assert "path is '/no/**such**/<b>place.txt': there is no" in "\n".join(each.value for each in page.text)
    assert train_button(page).disabled


def test_what_is_found_at_a_path_is_said_and_can_be_trained_on(
    empty: RunStore, visit: Visit, submitted: list[Run], tmp_path: Path
) -> None:
    table = tmp_path / "reviews.csv"
    table.write_text("review\n" + "\n".join(f"<b>{number}</b> stars" for number in range(20)))
    page = visit("train")
    page.selectbox(key="set-data").set_value("text").run()
    checked(page.text_input(key="set-path").set_value(str(table)).run())
    assert "column is 'text': the file has the columns 'review'" in words(page)
    checked(page.text_input(key="set-column").set_value("review").run())
    assert "Its first sentence: <b>0</b> stars" in [each.value for each in page.text]
    press_train(page)
    assert [run.config.data.column for run in submitted] == ["review", "review"]


def test_own_validation_and_test_examples_are_named_beside_the_others(
    empty: RunStore, visit: Visit, submitted: list[Run], tmp_path: Path
) -> None:
    for name, count in (("train", 20), ("test", 5)):
        (tmp_path / f"{name}.txt").write_text("\n".join(f"{name} {number}" for number in range(count)))
    page = visit("train")
    page.selectbox(key="set-data").set_value("text").run()
    page.text_input(key="set-path").set_value(str(tmp_path / "train.txt")).run()
    checked(page.text_input(key="set-test-path").set_value(str(tmp_path / "gone.txt")).run())
    assert "test_path: path is" in "\n".join(each.value for each in page.text)
    checked(page.text_input(key="set-test-path").set_value(str(tmp_path / "test.txt")).run())
    assert "Its first sentence: train 0. There is a file for test." in [each.value for each in page.text]
    assert "set-test-share" not in {field.key for field in page.number_input}
    checked(page.number_input(key="set-validation-share").set_value(0.2).run())
    press_train(page)
    data = submitted[-1].config.data
    assert (data.test_path, data.validation_path, data.validation_share) == (str(tmp_path / "test.txt"), "", 0.2)


def test_attention_heads_must_divide_the_width(empty: RunStore, visit: Visit) -> None:
    page = visit("train")
    page.selectbox(key="set-text-network").set_value("transformer").run()
    checked(page.number_input(key="set-hidden").set_value(30).run())
    assert "attention_heads is 4: it must divide hidden_units, 30" in words(page)


def test_how_the_encoder_of_sentences_reads_is_trained_as_chosen(
    empty: RunStore, visit: Visit, submitted: list[Run]
) -> None:
    page = visit("train")
    page.toggle(key="set-bidirectional").set_value(False).run()
    checked(page.selectbox(key="set-pooling").set_value("attention").run())
    press_train(page)
    assert {(run.config.model.bidirectional, run.config.model.pooling) for run in submitted} == {(False, "attention")}


def test_how_sentences_are_read_is_asked_of_no_other_data_and_hinders_none(
    empty: RunStore, visit: Visit, submitted: list[Run]
) -> None:
    page = visit("train")
    page.toggle(key="set-bidirectional").set_value(False).run()
    page.selectbox(key="set-pooling").set_value("last").run()
    checked(page.selectbox(key="set-data").set_value("digits").run())
    assert not {"set-bidirectional", "set-pooling"} & {field.key for field in (*page.toggle, *page.selectbox)}
    press_train(page)
    default = ModelConfig()
    assert submitted
    for run in submitted:
        assert run.config.model == dataclasses.replace(default, network="conv", head=run.config.model.head)


def test_a_start_that_fails_says_why(empty: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(run: Run, threads: int) -> None:
        raise OSError(28, "No space <b>left</b>")

    monkeypatch.setattr("pages.shared.start.submit", refuse)
    page = press_train(visit("train"))
    assert "Training could not be started" in page.error[0].value
    assert "No space <b>left</b>" in page.text[0].value


def test_splits_that_overlap_leave_no_run_and_are_said_once_where_training_was_begun(
    empty: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = "\n".join(f"sentence {number}" for number in range(100))
    (tmp_path / "train.txt").write_text(lines)
    (tmp_path / "test.txt").write_text(lines)

    def work(run: Run, threads: int) -> None:
        with suppress(ValueError):  # as a process of its own does, which the page does not wait for
            train_run(run)

    monkeypatch.setattr("pages.shared.start.submit", work)
    page = visit("train")
    page.selectbox(key="set-data").set_value("text").run()
    page.text_input(key="set-path").set_value(str(tmp_path)).run()
    assert "There is a file for test" in words(page)
    press_train(page)
    assert empty.runs() == []
    assert words(page).count("100 of the 100 different sentences for test stand among those for training") == 1
    assert "is not here" not in words(page)
    checked(page.run())
    assert "100 of the 100" in words(page)  # until another training is begun


def test_stop_and_go_on_reach_the_worker(runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.get("digits-scaler")
    run.write_status(run.status.replace(state="training", step=3))
    monkeypatch.setattr(Run, "is_held", property(lambda self: True))
    page = visit("train", "digits-scaler")
    checked(page.button(key="stop-digits-scaler").click().run())
    assert run.take_stop_request()

    monkeypatch.setattr(Run, "is_held", property(lambda self: False))
    resumed: list[Run] = []
    monkeypatch.setattr("pages.shared.train.condition.submit", lambda run, threads: resumed.append(run))
    page = visit("train", "digits-scaler")
    assert "Interrupted at step 3" in words(page)
    checked(page.button(key="resume-digits-scaler").click().run())
    assert [run.id for run in resumed] == ["digits-scaler"]


def test_a_new_pace_takes_back_no_stop(runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.get("digits-scaler")
    run.write_status(run.status.replace(state="training", step=3))
    monkeypatch.setattr(Run, "is_held", property(lambda self: True))
    page = visit("train", "digits-scaler")
    checked(page.button(key="slow").click().run())
    run.request_stop()
    checked(page.button(key="pause").click().run())
    assert run.desk.control() == Control(pause_at=0, steps_per_second=1.0, stop=True)


def test_of_two_presses_on_one_step_before_the_worker_took_the_first_each_is_a_step(
    runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.get("digits-scaler")
    run.write_status(run.status.replace(state="paused", step=3))
    monkeypatch.setattr(Run, "is_held", property(lambda self: True))
    page = visit("train", "digits-scaler")
    checked(page.button(key="step").click().run())
    assert run.desk.control().pause_at == 4
    checked(page.button(key="step").click().run())
    assert run.desk.control().pause_at == 5


def test_one_step_of_a_run_that_does_not_wait_has_it_wait(
    runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.get("digits-scaler")
    run.write_status(run.status.replace(state="training", step=3))
    monkeypatch.setattr(Run, "is_held", property(lambda self: True))
    checked(visit("train", "digits-scaler").button(key="step").click().run())
    assert run.desk.control().pause_at == 0


def test_stop_all_stops_the_others_where_one_cannot_be_asked(
    runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = [runs.get(name) for name in ("digits-plain", "digits-scaler")]
    for run in pair:
        run.write_status(run.status.replace(state="training", step=3))
    monkeypatch.setattr(Run, "is_held", property(lambda self: True))

    def stop(run: Run) -> None:
        if run.id == "digits-plain":
            raise PermissionError(f"{run.id}: its <b>folder</b> is read-only")
        run.request_stop()

    monkeypatch.setattr("pages.shared.train.transport.stop", stop)
    page = checked(visit("train", *(run.id for run in pair)).button(key="stop-all").click().run())
    assert "digits-plain: its <b>folder</b> is read-only" in [text.value for text in page.text]
    assert [run.desk.control().stop for run in pair] == [False, True]


def test_a_change_that_one_of_two_runs_refuses_stays_open_and_says_why(
    runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = [runs.get(name) for name in ("digits-plain", "digits-scaler")]
    for run in pair:
        run.write_status(run.status.replace(state="paused", step=3))
    monkeypatch.setattr(Run, "is_held", property(lambda self: True))

    def steered(config: RunConfig, changes: Sequence[Change]) -> None:
        if config.model.head == "gaussian":
            raise ValueError("beta is 1: <b>give less</b>.")

    monkeypatch.setattr("pages.shared.train.transport.steered", steered)
    page = checked(visit("train", *(run.id for run in pair)).button(key="change-go").click().run())
    assert "digits-plain: beta is 1: <b>give less</b>." in [text.value for text in page.text]
    assert [len(run.desk.requested()) for run in pair] == [0, 1]


def test_a_run_stopped_while_paused_goes_on(runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs.get("digits-scaler")
    run.write_status(run.status.replace(state="stopped", step=3))
    run.desk.command(Control(pause_at=0))
    monkeypatch.setattr("pages.shared.train.condition.submit", lambda run, threads: None)
    checked(visit("train", "digits-scaler").button(key="resume-digits-scaler").click().run())
    assert run.desk.control() == Control()


def test_a_damaged_history_of_a_living_run_does_not_reload_the_page_for_ever(
    runs: RunStore, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.get("digits-scaler")
    run.write_status(run.status.replace(state="training"))
    (run.folder / "history.jsonl").write_text("not a record\n")
    monkeypatch.setattr(Run, "is_held", property(lambda self: True))
    page = visit("train", "digits-scaler")
    assert "history.jsonl" in words(page)


def test_what_ended_twins_alike_is_told_once(runs: RunStore, visit: Visit) -> None:
    for name, message in (("digits-plain", "No <b>network</b>."), ("digits-scaler", "No <b>network</b>.")):
        run = runs.get(name)
        run.write_status(run.status.replace(state="failed", message=message))
    page = visit("train", "digits-plain", "digits-scaler")
    told = [state["message"] for state in drawn(page, "run_state")]
    assert told == ["No <b>network</b>.", "For the same reason as digits-plain."]


def test_the_address_fills_the_form_and_a_wrong_value_in_it_is_ignored(
    empty: RunStore, visit: Visit, submitted: list[Run]
) -> None:
    address = {"set-epochs": "7", "set-tau": "0.7", "set-batch": "-1", "set-head": "BatchNorm + Scaler"}
    press_train(visit("train", **address))
    config = submitted[-1].config
    assert (config.training.epochs, config.model.tau, config.model.head) == (7, 0.7, "bn-scaler")
    assert config.training.batch_size == 64


def test_words_that_were_typed_are_kept_out_of_the_address(empty: RunStore, visit: Visit) -> None:
    page = visit("train")
    checked(page.selectbox(key="set-data").set_value("text").run())
    for key in ("set-path", "set-column", "set-labels", "set-validation-path", "set-test-path"):
        assert not page.text_input(key=key).proto.query_param_key
    assert page.selectbox(key="set-data").proto.query_param_key == "set-data"
