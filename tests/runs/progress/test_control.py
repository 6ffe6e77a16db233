"""What pages and workers say to each other through a run's folder."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bnvae.config.scheduled_changes import Change
from bnvae.runs import BrokenRunError
from bnvae.runs.progress.control import CHANGES, CONTROL, MOST_CHANGES, PAUSE, PLAY, REQUESTS, Control, Desk


def test_without_a_word_a_training_plays(tmp_path: Path) -> None:
    assert Desk(tmp_path).control() == PLAY


def test_every_one_of_many_quick_commands_is_seen(tmp_path: Path) -> None:
    page, worker = Desk(tmp_path), Desk(tmp_path)
    for step in range(30):
        page.command(Control(pause_at=step))
        page.command(Control(pause_at=step, steps_per_second=1.0))
        assert worker.control() == Control(pause_at=step, steps_per_second=1.0)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"[]",
        b'{"pause_at": -1}',
        b'{"pause_at": true}',
        b'{"steps_per_second": NaN}',
        b"\xff",
    ],
)
def test_a_damaged_command_is_none(damaged: bytes, tmp_path: Path) -> None:
    (tmp_path / CONTROL).write_bytes(damaged)
    assert Desk(tmp_path).control() == PLAY


def test_a_new_pace_of_somebody_who_saw_no_stop_takes_none_back(tmp_path: Path) -> None:
    page, other, worker = Desk(tmp_path), Desk(tmp_path), Desk(tmp_path)
    seen = other.control()
    page.ask_to_stop()
    other.command(dataclasses.replace(seen, pause_at=0))
    assert worker.control() == Control(pause_at=0, stop=True)
    assert [worker.forget_stop(), worker.forget_stop()] == [True, False]
    assert worker.control() == PAUSE


def test_a_command_that_is_taken_away_no_longer_holds(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.command(PAUSE)
    assert desk.control() == PAUSE
    (tmp_path / CONTROL).unlink()
    assert desk.control() == PLAY


def test_requests_of_many_visitors_at_once_are_all_there(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as visitors:
        list(visitors.map(lambda value: Desk(tmp_path).request("beta", value), range(20)))
    worker = Desk(tmp_path)
    assert sorted(worker.take(request, 5).value for request in worker.requested()) == list(range(20))


def test_requests_come_in_the_order_they_were_made(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for value in (3.0, 1.0, 2.0):
        desk.request("beta", value)
    assert [desk.take(request, 5) for request in desk.requested()] == [
        Change(step=5, field="beta", value=value) for value in (3.0, 1.0, 2.0)
    ]


@pytest.mark.parametrize(
    "damaged",
    [
        *(b"", b"{", b"[" * 9_000, b"5", b"null", b"\xff\xfe", b" " * 20_000),
        b'{"field": "beta"}',
        b'{"field": "beta", "value": "x"}',
        b'{"field": "beta", "value": 1, "more": 2}',
        b'{"field": "beta", "value": 1' + b"0" * 400 + b"}",
    ],
)
def test_a_damaged_request_is_refused(damaged: bytes, tmp_path: Path) -> None:
    (tmp_path / REQUESTS).mkdir()
    (tmp_path / REQUESTS / "1.json").write_bytes(damaged)
    desk = Desk(tmp_path)
    (request,) = desk.requested()
    with pytest.raises(ValueError):
        desk.take(request, 0)
    desk.drop(request)
    assert desk.requested() == []


def test_a_folder_among_the_requests_is_none(tmp_path: Path) -> None:
    (tmp_path / REQUESTS / "1.json").mkdir(parents=True)
    assert Desk(tmp_path).requested() == []


def test_the_schedule_is_read_as_it_was_kept(tmp_path: Path) -> None:
    changes = [Change(step=3, field="tau", value=0.1), Change(step=3, field="beta", value=2.0)]
    Desk(tmp_path).keep_changes(changes)
    assert Desk(tmp_path).changes() == changes


@pytest.mark.parametrize("damaged", ["", "{}", '{"changes": 1}', '{"changes": [1]}', '{"changes": [{"step": 1}]}'])
def test_a_damaged_schedule_is_a_broken_run_that_names_it(damaged: str, tmp_path: Path) -> None:
    (tmp_path / CHANGES).write_text(damaged)
    with pytest.raises(BrokenRunError, match=r"steering\.json"):
        Desk(tmp_path).changes()


def test_more_changes_than_can_be_kept_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1000 times"):
        Desk(tmp_path).keep_changes([Change(step=0, field="beta", value=1.0)] * (MOST_CHANGES + 1))
