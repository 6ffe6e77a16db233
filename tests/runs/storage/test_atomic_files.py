"""Files that are whole or not there."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnvae.runs.storage import retry
from bnvae.runs.storage.atomic_files import (
    BrokenRunError,
    UnreadableRunError,
    overwrite,
    read_arrays,
    read_bytes,
    read_json,
    remove_leftovers,
    sha256,
    write_arrays,
    write_atomic,
    write_json,
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"Größe": [1, None, "é"]})
    assert read_json(tmp_path / "a.json") == {"Größe": [1, None, "é"]}
    arrays = {"x": np.arange(6, dtype=np.int32).reshape(2, 3), "y": np.array(1.5)}
    write_arrays(tmp_path / "a.npz", arrays)
    stored = read_arrays(tmp_path / "a.npz", ("x", "y"))
    assert all(np.array_equal(stored[name], value) for name, value in arrays.items())


@pytest.mark.parametrize("failing", ["replace", "fsync"])
def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_atomic(path, b"old")

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a POSIX idea")
def test_a_full_disk_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_atomic(path, b"old")
    program = """
import resource, signal, sys
from pathlib import Path
from typing import Any
from bnvae.runs.storage.atomic_files import write_atomic
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomic(Path(sys.argv[1]), bytes(5000))
except OSError as error:
    sys.exit(7)
"""
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == 7
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"5", b"[" * 100_000, b"9" * 5000])
def test_json_that_is_not_an_object_is_a_broken_run(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(BrokenRunError, match=f"{tmp_path.name}/a.json"):
        read_json(tmp_path / "a.json")


def test_missing_linked_and_oversized_files_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    (tmp_path / "folder").mkdir()
    for name, reason in (("gone", "missing"), ("link", "missing"), ("folder", "missing"), ("there", "5 bytes")):
        with pytest.raises(BrokenRunError, match=f"/{name} .*{reason}"):
            read_bytes(tmp_path / name, 4)


def test_a_file_that_vanishes_while_it_is_read_is_a_broken_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"1")

    def vanished(self: Path) -> bytes:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "read_bytes", vanished)
    with pytest.raises(BrokenRunError, match="/a is missing"):
        read_bytes(tmp_path / "a", 4)


def test_arrays_of_objects_are_refused_before_they_run_code(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.mkdir, (str(marker),))

    bomb = np.empty(1, dtype=object)
    bomb[0] = Bomb()
    np.savez(tmp_path / "a.npz", x=bomb)
    with pytest.raises(BrokenRunError, match=r"a\.npz cannot be read"):
        read_arrays(tmp_path / "a.npz", ("x",))
    assert not marker.exists()


def test_damaged_and_incomplete_arrays_are_broken_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, {"x": np.arange(1000)})
    content = path.read_bytes()
    for damaged in (b"", b"PK", content[:50], content[:-30], content.replace(b"x.npy", b"y.npy")):
        path.write_bytes(damaged)
        with pytest.raises(BrokenRunError, match=r"a\.npz"):
            read_arrays(path, ("x",))


def test_half_written_files_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    for name in (".trainer-0.safetensors.x1.part", ".control.json.x2.part", "trainer-0.safetensors"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path, ("trainer-*",))
    assert sorted(os.listdir(tmp_path)) == [".control.json.x2.part", "trainer-0.safetensors"]


def test_a_write_whose_half_another_worker_clears_away_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chmod = os.chmod

    def cleared(path: str, mode: int) -> None:
        chmod(path, mode)
        monkeypatch.undo()
        remove_leftovers(tmp_path, ("evaluation",))

    monkeypatch.setattr(os, "chmod", cleared)
    write_atomic(tmp_path / "evaluation.json", b"new")
    assert (tmp_path / "evaluation.json").read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_write_into_a_folder_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"a\.json"):
        write_atomic(tmp_path / "gone" / "a.json", b"new")


@pytest.mark.parametrize("before", [None, b"short", b"longer than what comes"])
def test_overwriting_leaves_the_pieces_and_nothing_else(before: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    if before is not None:
        path.write_bytes(before)
    overwrite(path, [b"one", memoryview(b"two"), b""])
    assert path.read_bytes() == b"onetwo"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_what_is_overwritten_keeps_its_place_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    overwrite(path, [b"old"])
    inode = path.stat().st_ino
    overwrite(path, [b"new"])
    assert path.stat().st_ino == inode


def test_overwriting_a_link_leaves_what_it_leads_to_as_it_is(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious")
    (tmp_path / "a.bin").symlink_to(elsewhere)
    overwrite(tmp_path / "a.bin", [b"new"])
    assert (elsewhere.read_bytes(), (tmp_path / "a.bin").read_bytes()) == (b"precious", b"new")
    assert not (tmp_path / "a.bin").is_symlink()


def test_a_file_that_is_refused_half_way_is_written_whole_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = tmp_path / "a.bin", Path.open
    said: list[object] = []
    path.write_bytes(b"the old content, which is longer")

    class Waiter:
        def refused(self, error: OSError) -> None:
            said.append((error.filename, error.errno, path.read_bytes()))
            monkeypatch.setattr(Path, "open", real)

        def relieved(self) -> None:
            said.append("relieved")

    class Full(io.FileIO):
        """Takes one piece."""

        def write(self, content: Any, /) -> int:
            if self.tell():
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(content)

    monkeypatch.setattr(retry, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(Path, "open", lambda self, mode: Full(self, mode))
    with retry.patient(Waiter()):
        overwrite(path, [b"one", b"two"])
    assert path.read_bytes() == b"onetwo"
    assert said == [(str(path), errno.ENOSPC, b"one old content, which is longer"), "relieved"]


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_a_file_that_cannot_be_read_now_is_not_called_missing(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"1")

    def refused(self: Path) -> bytes:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(UnreadableRunError, match=f"/a cannot be read .{os.strerror(number)}"):
        read_bytes(tmp_path / "a", 10)


def test_sha256_is_the_published_one() -> None:
    assert sha256(b"abc").startswith("ba7816bf8f01cfea")  # FIPS 180-2, appendix B.1
