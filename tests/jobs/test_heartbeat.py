"""Signs of life of a worker."""

import time
from pathlib import Path

import pytest

from bnvae.jobs import heartbeat
from bnvae.jobs.heartbeat import BEAT, BEAT_BYTES, Beat, beating, read_beat
from bnvae.runs.storage.retry import insist


def test_a_beat_is_written_in_place_and_is_gone_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.01)
    with beating([tmp_path]) as (heart,):
        file = (tmp_path / BEAT).stat()
        heart.note = "the disk is full" * 1_000
        first = read_beat(tmp_path)
        assert first is not None
        end = time.monotonic() + 20
        while (now := read_beat(tmp_path)) is None or now.count < first.count + 3:
            assert time.monotonic() < end
        assert now.note.startswith("the disk is full")
        assert ((tmp_path / BEAT).stat().st_ino, (tmp_path / BEAT).stat().st_size) == (file.st_ino, BEAT_BYTES)
    assert read_beat(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_is_still_says_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "STILL_SECONDS", 0.0)
    found: list[Beat | None] = []

    def look() -> None:
        heart.beat()
        found.append(read_beat(tmp_path))

    with beating([tmp_path]) as (heart,):
        insist(look, tmp_path)  # a training that is in a line of the package, and gives no sign
        heart.sign()
    assert found[0] is not None
    assert "bnvae/jobs/heartbeat.py" in found[0].where
    assert found[0].still_seconds >= 0


def test_a_folder_that_cannot_be_written_is_no_reason_to_end(tmp_path: Path) -> None:
    with beating([tmp_path / "gone"]) as (heart,):
        heart.beat()
    assert read_beat(tmp_path / "gone") is None
