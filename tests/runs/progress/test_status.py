"""What a status file may say."""

import pytest

from bnvae.runs.progress.status import Status


def test_a_status_comes_back() -> None:
    status = Status(state="training", step=5, epoch=0.5, seconds_left=None, message="Training.", device="cpu, float32")
    assert Status.from_dict(status.to_dict()) == status


def test_unknown_fields_are_ignored() -> None:
    assert Status.from_dict({"state": "finished", "mood": "good"}) == Status(state="finished")


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"state": "dancing"},
        {"state": ["training"]},
        {"state": "training", "step": "5"},
        {"state": "training", "step": None},
        {"state": "training", "epoch": "0"},
        {"state": "training", "message": {}},
        {"state": "training", "seconds_left": "soon"},
    ],
    ids=str,
)
def test_another_state_or_type_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=" is "):
        Status.from_dict(stored)


def test_a_run_is_alive_or_resumable_or_neither() -> None:
    assert [Status(state=state).alive for state in ("starting", "training", "finished")] == [True, True, False]
    assert [Status(state=state).resumable for state in ("stopped", "interrupted", "broken")] == [True, True, False]
