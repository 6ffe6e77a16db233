"""Runs handed on as .zip files, and what strangers may send instead."""

import io
import json
import os
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from bnvae.config.scheduled_changes import Change
from bnvae.runs import Run, RunStore, Status
from bnvae.runs.export import archive
from bnvae.runs.export.archive import EXPORTED, export_run, import_run
from bnvae.runs.storage.atomic_files import write_arrays

Entries = dict[str, bytes]


def entries_of(run: Run) -> Entries:
    return {f"{run.id}/{name}": (run.folder / name).read_bytes() for name in EXPORTED if (run.folder / name).exists()}


def zipped(entries: Entries) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in entries.items():
            target.writestr(name, content)
    return buffer.getvalue()


def assert_refused(store: RunStore, content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        import_run(store, content)
    assert not store.root.exists() or list(store.root.iterdir()) == []


def test_an_exported_run_comes_back_equal(run: Run, elsewhere: RunStore) -> None:
    taken = import_run(elsewhere, export_run(run))
    assert taken.id == run.id
    assert {name.split("/")[1]: content for name, content in entries_of(taken).items()} == {
        name.split("/")[1]: content for name, content in entries_of(run).items()
    }
    assert not list(taken.folder.glob("trainer-*"))


def test_what_was_changed_while_a_run_trained_goes_with_it(image_run: Run, elsewhere: RunStore) -> None:
    image_run.desk.keep_changes([Change(step=1, field="tau", value=0.25)])
    assert import_run(elsewhere, export_run(image_run)).steered_config.model.tau == 0.25


def test_changes_that_are_refused_are_refused_at_the_door(image_run: Run, elsewhere: RunStore) -> None:
    image_run.desk.keep_changes([Change(step=1, field="tau", value=2.0)])
    assert_refused(elsewhere, export_run(image_run), "steering.json: tau is 2.0")


def test_the_album_goes_with_the_run(image_run: Run, elsewhere: RunStore) -> None:
    taken = import_run(elsewhere, export_run(image_run))
    assert [moment.step for moment in taken.snapshots()] == [moment.step for moment in image_run.snapshots()] != []


@pytest.mark.parametrize("name", ["snapshots/../config.json", "snapshots/1.npz", "snapshots/sub/000000001.npz"])
def test_only_snapshots_are_taken_into_the_album(name: str, run: Run, elsewhere: RunStore) -> None:
    assert_refused(elsewhere, zipped(entries_of(run) | {f"{run.id}/{name}": b"x"}), "expected one folder")


def test_a_damaged_snapshot_is_refused_at_the_door(image_run: Run, elsewhere: RunStore) -> None:
    damaged = entries_of(image_run) | {f"{image_run.id}/snapshots/000000001.npz": b"x"}
    assert_refused(elsewhere, zipped(damaged), "000000001.npz")


def test_a_taken_name_is_varied(run: Run, elsewhere: RunStore) -> None:
    content = export_run(run)
    assert [import_run(elsewhere, content).id for _ in range(2)] == [run.id, f"{run.id}-2"]
    assert import_run(elsewhere, content, "mine").id == "mine"


def test_a_run_without_weights_is_not_exported(store: RunStore, image_run: Run) -> None:
    with pytest.raises(ValueError, match="'new' has no weights yet"):
        export_run(store.create("new", image_run.config))


def test_a_file_older_than_zip_is_exported(image_run: Run) -> None:
    os.utime(image_run.folder / "config.json", (0, 0))
    assert zipfile.ZipFile(io.BytesIO(export_run(image_run))).testzip() is None


@pytest.mark.parametrize("state", ["training", "starting"])
def test_a_run_exported_while_it_was_trained_is_stopped_elsewhere(
    state: str, image_run: Run, elsewhere: RunStore
) -> None:
    image_run.write_status(Status(state=state))  # type: ignore[arg-type]
    assert import_run(elsewhere, export_run(image_run)).status.state == "stopped"


def test_files_that_are_not_a_runs_are_left_out(image_run: Run, elsewhere: RunStore) -> None:
    taken = import_run(elsewhere, zipped({**entries_of(image_run), "image/evil.py": b"x", "image/lease.lock": b""}))
    assert not (taken.folder / "evil.py").exists()
    assert not (taken.folder / "lease.lock").exists()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(10)])
def test_what_is_no_zip_is_refused(content: bytes, elsewhere: RunStore) -> None:
    assert_refused(elsewhere, content, "not a .zip archive")


def test_a_truncated_archive_is_refused(image_run: Run, elsewhere: RunStore) -> None:
    content = export_run(image_run)
    for end in (10, len(content) // 2, len(content) - 5):
        assert_refused(elsewhere, content[:end], "not a .zip archive")


def test_a_damaged_archive_is_refused(image_run: Run, elsewhere: RunStore) -> None:
    content = bytearray(export_run(image_run))
    for place in range(60, 400, 20):
        content[place] ^= 0xFF
    assert_refused(elsewhere, bytes(content), "in the archive cannot be read")


OUTSIDE = [
    "../config.json",
    "/etc/config.json",
    "image/../../config.json",
    "image/deep/config.json",
    "config.json",
    "a\\b/c",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_paths_that_leave_the_folder_are_refused(name: str, image_run: Run, elsewhere: RunStore) -> None:
    assert_refused(elsewhere, zipped({**entries_of(image_run), name: b"x"}), "expected one folder")
    assert [path.name for path in elsewhere.root.parent.iterdir() if path.name not in ("runs", "elsewhere")] == []


@pytest.mark.parametrize("name", ["..", "con", ".hidden", "a" * 65])
def test_a_folder_with_a_refused_name_is_refused(name: str, image_run: Run, elsewhere: RunStore) -> None:
    entries = {f"{name}/{path.split('/')[1]}": content for path, content in entries_of(image_run).items()}
    assert_refused(elsewhere, zipped(entries), "run is|expected one folder")


def test_links_are_refused(image_run: Run, elsewhere: RunStore) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        link = zipfile.ZipInfo("image/config.json")
        link.external_attr = 0o120777 << 16
        target.writestr(link, "/etc/passwd")
    assert_refused(elsewhere, buffer.getvalue(), "a link: only plain files")


def test_two_runs_in_one_archive_are_refused(image_run: Run, text_run: Run, elsewhere: RunStore) -> None:
    assert_refused(elsewhere, zipped({**entries_of(image_run), **entries_of(text_run)}), "not one run")


def test_many_entries_are_refused(image_run: Run, elsewhere: RunStore) -> None:
    many = {f"image/{number}": b"" for number in range(70)}
    assert_refused(elsewhere, zipped({**entries_of(image_run), **many}), "at most 64")


def test_an_encrypted_archive_is_refused(image_run: Run, elsewhere: RunStore) -> None:
    content = bytearray(zipped(entries_of(image_run)))
    # Bit 0 of the flags: 6 bytes into each local header, 8 into each central one.
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature)
        while place >= 0:
            content[place + offset] |= 1
            place = content.find(signature, place + 1)
    assert_refused(elsewhere, bytes(content), "cannot be read.*password|encrypted")


def test_an_unusual_compression_is_refused(image_run: Run, elsewhere: RunStore) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as target:
        for name, content in entries_of(image_run).items():
            target.writestr(name, content)
    assert_refused(elsewhere, buffer.getvalue(), "unusual way")


def test_a_bomb_is_refused(image_run: Run, elsewhere: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LARGEST_EXPANDED_BYTES", 2**20)
    bomb = zipped({**entries_of(image_run), "image/history.jsonl": bytes(2**22)})
    assert len(bomb) < 2**17
    assert_refused(elsewhere, bomb, "expands to more than 1048576 bytes")
    monkeypatch.setattr(archive, "LARGEST_ARCHIVE_BYTES", 1000)
    assert_refused(elsewhere, bomb, "at most 1000")


def changed(name: str, change: Callable[[Entries, str], bytes]) -> Callable[[Entries], None]:
    def apply(entries: Entries) -> None:
        entries[f"text/{name}"] = change(entries, f"text/{name}")

    return apply


def with_json(**changes: object) -> Callable[[Entries, str], bytes]:
    return lambda entries, name: json.dumps({**json.loads(entries[name]), **changes}).encode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda entries: entries.pop("text/weights.safetensors"), "weights.safetensors is missing"),
        (lambda entries: entries.pop("text/config.json"), "not one run"),
        (lambda entries: entries.pop("text/data.json"), "data.json is missing"),
        (lambda entries: entries.pop("text/tokenizer.json"), "tokenizer.json is missing"),
        (changed("weights.safetensors", lambda entries, name: entries[name][:-8]), "weights.safetensors is damaged"),
        (changed("config.json", lambda entries, name: b"{"), "config.json"),
        (changed("config.json", with_json(evil=1)), "unknown field 'evil'"),
        (changed("history.jsonl", lambda entries, name: b"[]\n"), "history.jsonl"),
        (changed("evaluation.json", lambda entries, name: b'{"test": 5}'), "evaluation.json"),
        (changed("encodings.npz", lambda entries, name: b"PK"), "encodings.npz"),
        (changed("examples.npz", lambda entries, name: entries["text/encodings.npz"]), "examples.npz"),
        (changed("preview.npz", lambda entries, name: entries["text/encodings.npz"]), "preview.npz"),
        (changed("tokenizer.json", lambda entries, name: b"{}"), "tokenizer.json"),
    ],
)
def test_a_broken_run_is_refused_by_file(
    change: Callable[[Entries], object], reason: str, text_run: Run, elsewhere: RunStore
) -> None:
    entries = entries_of(text_run)
    change(entries)
    assert_refused(elsewhere, zipped(entries), reason)


def test_arrays_of_objects_are_refused(image_run: Run, elsewhere: RunStore) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, step=np.array([None], dtype=object), originals=0, reconstructions=0, samples=0)
    assert_refused(
        elsewhere,
        zipped({**entries_of(image_run), "image/preview.npz": buffer.getvalue()}),
        "preview.npz cannot be read",
    )


def test_a_broken_status_does_not_keep_a_run_out(image_run: Run, elsewhere: RunStore) -> None:
    taken = import_run(elsewhere, zipped({**entries_of(image_run), "image/status.json": b'{"state": []}'}))
    assert taken.status.state == "stopped"


def test_a_vocabulary_of_another_size_is_refused(text_run: Run, elsewhere: RunStore) -> None:
    card = json.loads((text_run.folder / "data.json").read_text())
    assert card["shape"]["vocabulary_size"] == 50
    tokenizer = json.loads((text_run.folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["zzz"] = 50
    entries = {**entries_of(text_run), "text/tokenizer.json": json.dumps(tokenizer).encode()}
    assert_refused(elsewhere, zipped(entries), "tokenizer.json has 51 tokens, data.json 50")


def test_an_array_that_expands_too_far_is_refused(
    image_run: Run, elsewhere: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_arrays(image_run.folder / "preview.npz", {"step": np.zeros(2**20)})
    monkeypatch.setattr("bnvae.runs.storage.atomic_files.LARGEST_ARRAYS_BYTES", 2**20)
    assert_refused(elsewhere, zipped(entries_of(image_run)), "preview.npz expands to")
