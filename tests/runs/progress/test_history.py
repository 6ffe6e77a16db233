"""A history that grows, is cut back, replaced, or written by a stranger."""

import dataclasses
import errno
import hashlib
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bnvae.runs.progress.history import ChangedHistoryError, HistoryReader, HistoryWriter, check_history
from bnvae.runs.storage import retry
from bnvae.training.records import EvaluationRecord, StepRecord


def step(number: int, rate: float = 1.0) -> StepRecord:
    return StepRecord(
        step=number,
        epoch=0.0,
        distortion=10.0,
        rate=rate,
        kl_per_dimension=[rate],
        active_units=1,
        mean_second_moment=[0.5],
        std_second_moment=[0.5],
        loss=11.0,
        kl_weight=1.0,
        current_floor=[0.1],
    )


def evaluation(number: int) -> EvaluationRecord:
    shared = {field.name for field in dataclasses.fields(EvaluationRecord)} & vars(step(number)).keys()
    return EvaluationRecord(examples=9, **{name: getattr(step(number), name) for name in shared})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


def written(path: Path, *numbers: int, keep_bytes: int = 0, rate: float = 1.0) -> int:
    writer = HistoryWriter(path, keep_bytes)
    for number in numbers:
        writer.append(step(number, rate))
    writer.close()
    return writer.bytes_written


def read(path: Path) -> HistoryReader:
    reader = HistoryReader(path)
    reader.read()
    return reader


def steps(reader: HistoryReader) -> list[int]:
    reader.read()
    return [record.step for record in reader.steps]


def test_a_history_comes_back(path: Path) -> None:
    writer = HistoryWriter(path)
    for record in (step(1), evaluation(1), step(2)):
        writer.append(record)
    writer.sync()
    writer.close()
    reader = read(path)
    assert (reader.steps, reader.evaluations) == ([step(1), step(2)], [evaluation(1)])
    assert writer.bytes_written == path.stat().st_size


def test_no_file_yet_is_an_empty_history(path: Path) -> None:
    reader = read(path)
    assert reader.steps == []
    written(path, 1)
    assert steps(reader) == [1]


def test_each_read_takes_in_what_came_since(path: Path) -> None:
    end = written(path, 1, 2)
    reader = read(path)
    written(path, 3, keep_bytes=end)
    assert steps(reader) == [1, 2, 3]


def test_a_line_that_is_still_being_written_waits(path: Path) -> None:
    line = step(2).to_json().encode() + b"\n"
    written(path, 1)
    reader = read(path)
    for end in range(1, len(line), 40):
        with path.open("r+b") as file:
            file.seek(0, os.SEEK_END)
            file.truncate(written(path, 1))
            file.seek(0, os.SEEK_END)
            file.write(line[:end])
        assert steps(reader) == [1]
    with path.open("ab") as file:
        file.truncate(written(path, 1))
        file.write(line)
    assert steps(reader) == [1, 2]


def test_a_history_that_is_cut_back_is_read_anew(path: Path) -> None:
    keep = written(path, 1)
    written(path, 1, 2, 3)
    reader = read(path)
    written(path, 2, keep_bytes=keep, rate=7.0)
    assert steps(reader) == [1, 2]
    assert reader.steps[1].rate == 7


def test_a_history_that_was_cut_back_and_grew_past_the_reader_is_read_anew(path: Path) -> None:
    keep = written(path, 1)
    written(path, 1, 2, 3)
    reader = read(path)
    written(path, 2, 3, 4, 5, keep_bytes=keep, rate=1234.5)
    assert steps(reader) == [1, 2, 3, 4, 5]
    assert [record.rate for record in reader.steps] == [1, 1234.5, 1234.5, 1234.5, 1234.5]


def test_a_history_that_was_replaced_is_read_anew(path: Path) -> None:
    written(path, 1, 2)
    reader = read(path)
    path.unlink()
    written(path, 7, 8, 9, rate=2.0)
    assert steps(reader) == [7, 8, 9]


def test_a_history_that_was_deleted_is_empty(path: Path) -> None:
    written(path, 1, 2)
    reader = read(path)
    path.unlink()
    assert steps(reader) == []


def test_a_resumed_training_replaces_the_steps_it_had_lost(path: Path) -> None:
    end = written(path, 1, 2, 3)
    written(path, 2, 3, 4, keep_bytes=end, rate=5.0)
    reader = read(path)
    assert [(record.step, record.rate) for record in reader.steps] == [(1, 1), (2, 5), (3, 5), (4, 5)]


def test_a_history_shorter_than_its_checkpoint_says_keeps_its_complete_lines(path: Path) -> None:
    written(path, 1, 2)
    with path.open("ab") as file:
        file.write(b'{"kind":"st')
    end = written(path, 3, keep_bytes=100_000)
    assert b"\0" not in path.read_bytes()
    assert end == path.stat().st_size
    assert steps(read(path)) == [1, 2, 3]


@pytest.mark.parametrize("kept", [0, 1, 2, 3], ids=["anew", "a line and a half", "two lines", "more than there is"])
def test_a_writer_knows_the_hash_of_all_its_file_holds(kept: int, path: Path) -> None:
    end = written(path, 1)
    two = written(path, 1, 2)
    writer = HistoryWriter(path, (0, end + 10, two, 100_000)[kept])
    assert writer.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for number in (3, 4):
        writer.append(step(number))
        assert writer.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    writer.close()


def test_a_line_of_which_half_was_refused_is_in_the_hash_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "WAIT_SECONDS", 0.0)
    writer = HistoryWriter(path)
    file = writer._file

    class Full:
        """Takes half of what it is given, once."""

        def __getattr__(self, name: str) -> Any:
            return getattr(file, name)

        def write(self, content: bytes) -> int:
            writer._file = file
            file.write(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Waiter:
        def refused(self, error: OSError) -> None: ...

        def relieved(self) -> None: ...

    writer._file = Full()  # type: ignore[assignment]
    with retry.patient(Waiter()):
        writer.append(step(1))
    writer.close()
    assert path.read_bytes() == step(1).to_json().encode() + b"\n"
    assert writer.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"abcdefgh", ""),
        (b"abcdefgh, and what came later", ""),
        (b"abcdefg", "1 bytes shorter"),
        (b"abcdefgH", "not what its training wrote"),
        (None, "missing"),
    ],
)
def test_the_beginning_of_a_history_is_compared_with_its_hash(content: bytes | None, message: str, path: Path) -> None:
    if content is not None:
        path.write_bytes(content)
    wanted = hashlib.sha256(b"abcdefgh").hexdigest()
    if not message:
        check_history(path, 8, wanted)
        return
    with pytest.raises(ChangedHistoryError, match=rf"history\.jsonl is.* {message}"):
        check_history(path, 8, wanted)


def leads_elsewhere(path: Path) -> None:
    (path.parent / "elsewhere").write_bytes(b"abcdefgh")
    path.symlink_to(path.parent / "elsewhere")


def a_pipe(path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(path)


@pytest.mark.parametrize("made", [leads_elsewhere, a_pipe, Path.mkdir])
def test_only_a_plain_file_is_read_as_a_history(made: Callable[[Path], None], path: Path) -> None:
    made(path)
    with pytest.raises(ChangedHistoryError, match=r"history\.jsonl is not a plain file"):
        check_history(path, 8, hashlib.sha256(b"abcdefgh").hexdigest())


def test_nothing_is_read_for_a_negative_length(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    class Noting(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            read.append(size or 0)
            return super().read(size) or b""

    path.write_bytes(b"abcdefgh")
    monkeypatch.setattr(Path, "open", lambda self, *arguments: Noting(self))
    with pytest.raises(ChangedHistoryError, match="not what its training wrote"):
        check_history(path, -5, hashlib.sha256(b"abcdefgh").hexdigest())
    assert read == []


def test_what_cannot_be_synced_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    writer = HistoryWriter(path)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=re.escape(str(path))):
        writer.sync()
    writer.close()


def test_a_copy_stays_as_it_is_while_the_reader_goes_on(path: Path) -> None:
    end = written(path, 1)
    reader = read(path)
    copied = reader.copied()
    written(path, 2, keep_bytes=end)
    assert steps(reader) == [1, 2]
    assert [record.step for record in copied.steps] == [1]


@pytest.mark.parametrize("line", [b"", b"\0\0", b"{}", b"\xff", b"nonsense", b'{"kind":"step","step":"<script>"}'])
def test_a_hostile_line_is_refused_each_time_and_nothing_is_counted_twice(line: bytes, path: Path) -> None:
    written(path, 1)
    with path.open("ab") as file:
        file.write(line + b"\n")
    reader = HistoryReader(path)
    for _ in range(2):
        with pytest.raises(ValueError, match="not a training record"):
            reader.read()
    assert [record.step for record in reader.steps] == [1]
