"""The folder of all runs."""

import shutil
from pathlib import Path

import pytest

from bnvae.config.schema import RunConfig
from bnvae.runs import RunStore
from bnvae.runs.run import LEASE
from bnvae.runs.store import check_id, default_root


def test_a_created_run_is_listed_and_keeps_its_configuration(store: RunStore, tiny: RunConfig) -> None:
    run = store.create("a", tiny)
    assert [found.id for found in store.runs()] == ["a"]
    assert "a" in store
    assert store.get("a").config == tiny
    assert (run.status.state, run.has_weights) == ("stopped", False)


BAD_NAMES = [
    "../x",
    "con",
    "CON.txt",
    "",
    "a" * 65,
    "a/b",
    "a\\b",
    ".hidden",
    "a.",
    "-a",
    "ä",
    "a b",
    "nul",
    "a\n",
    "..",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_are_not_folders_everywhere_are_refused(name: str, store: RunStore, tiny: RunConfig) -> None:
    for refused in (check_id, store.get, store.delete, lambda name: store.create(name, tiny)):
        with pytest.raises(ValueError, match="run is "):
            refused(name)
    assert name not in store


def test_a_taken_name_is_refused(store: RunStore, tiny: RunConfig) -> None:
    store.create("a", tiny)
    with pytest.raises(ValueError, match="'a': that name is taken"):
        store.create("a", tiny)
    store.create("b", tiny)
    with pytest.raises(ValueError, match="'a': that name is taken"):
        store.rename("b", "a")


def test_an_unknown_run_is_refused_with_those_there_are(store: RunStore, tiny: RunConfig) -> None:
    store.create("a", tiny)
    with pytest.raises(ValueError, match=r"run is 'z'.*There are: a\."):
        store.get("z")


def test_a_renamed_run_keeps_its_content(store: RunStore, tiny: RunConfig) -> None:
    store.create("a", tiny)
    assert store.rename("a", "b").config == tiny
    assert [run.id for run in store.runs()] == ["b"]


def test_renaming_and_deleting_are_refused_while_the_run_is_trained(store: RunStore, tiny: RunConfig) -> None:
    with store.create("a", tiny).hold():
        with pytest.raises(ValueError, match="being trained: stop it before renaming"):
            store.rename("a", "b")
        with pytest.raises(ValueError, match="being trained: stop it before deleting"):
            store.delete("a")
    assert store.get("a").config == tiny


def test_a_deleted_run_leaves_nothing(store: RunStore, tiny: RunConfig) -> None:
    store.create("a", tiny)
    store.delete("a")
    assert list(store.root.iterdir()) == []


def test_an_interrupted_deletion_leaves_no_half_run_and_the_next_one_clears_up(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create("a", tiny)
    store.create("b", tiny)

    def killed(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            store.delete("a")
    assert [run.id for run in store.runs()] == ["b"]
    store.delete("b")
    assert list(store.root.iterdir()) == []


def test_a_creation_that_fails_leaves_nothing(
    store: RunStore, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bnvae.runs.store.write_atomic", full)
    with pytest.raises(OSError, match="No space"):
        store.create("a", tiny)
    assert list(store.root.iterdir()) == []


def test_free_names_count_up_and_are_always_accepted(store: RunStore, tiny: RunConfig) -> None:
    assert store.free_id("a") == "a"
    store.create("a", tiny)
    assert store.free_id("a") == "a-2"
    assert store.free_id("  Größe/../x ") == "Gr-e-..-x"
    for wish in ("", "...", "a" * 200, "a" * 55 + "." + "b" * 9):
        assert check_id(store.free_id(wish))


def test_links_and_other_folders_are_not_runs(store: RunStore, tiny: RunConfig, tmp_path: Path) -> None:
    store.create("a", tiny)
    (store.root / "link").symlink_to(store.root / "a")
    (store.root / "empty").mkdir()
    (store.root / "file").touch()
    assert [run.id for run in store.runs()] == ["a"]
    with pytest.raises(ValueError, match="there is none of that name"):
        store.delete("link")


def test_a_store_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert RunStore(tmp_path / "nowhere").runs() == []


def test_the_environment_names_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNVAE_CHECKPOINTS", str(tmp_path))
    assert default_root() == RunStore().root == tmp_path
    monkeypatch.delenv("BNVAE_CHECKPOINTS")
    assert default_root().name == "checkpoints"


def test_what_a_killed_branch_or_deletion_left_is_cleared_away_and_what_is_in_the_making_is_not(
    store: RunStore, tiny: RunConfig
) -> None:
    store.create("a", tiny)
    for left in (".fork-x1", ".import-x2", ".deleted-x3"):
        (store.root / left).mkdir()
        (store.root / left / LEASE).touch()
    for begun in (".fork-x4", ".deleted-x5"):  # a moment old: their makers have not come further yet
        (store.root / begun).mkdir()
    (store.root / ".queue").mkdir()
    with store.aside("fork") as aside:
        store.clear_away()
        assert {path.name for path in store.root.iterdir()} == {"a", aside.name, ".fork-x4", ".deleted-x5", ".queue"}
    assert not aside.exists()
