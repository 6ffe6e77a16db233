"""What data sets are called."""

import pytest

from bnvae.config.display_names import data_title, file_title, short_title
from bnvae.config.schema import DataConfig, RunConfig


def own(path: str, name: str = "images") -> DataConfig:
    return DataConfig(name=name, path=path)  # type: ignore[arg-type]


def test_two_own_data_sets_are_told_apart_by_their_files() -> None:
    assert data_title(RunConfig(data=own("/data/secret/birds.zip"))) == "birds.zip (images)"
    assert data_title(RunConfig(data=own("/data/secret/cats/"))) == "cats (images)"
    assert data_title(RunConfig(data=own("poems.txt", "text"))) == "poems.txt (text)"


def test_what_is_no_own_data_is_called_as_ever() -> None:
    assert data_title(RunConfig(data=DataConfig(name="digits"))) == "digits"
    assert data_title(RunConfig(data=own("/a/codes.npz"), source="arrays")) == "codes.npz"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (r"D:\secret\birds.zip", "birds.zip"),
        ("https://me:word@host.example/data/blue%20birds.zip?version=2#there", "blue birds.zip"),
        ("~/birds.zip", "birds.zip"),
        ("a\nb.zip", "a b.zip"),
        ("a\x1b]0;b\x07.zip", "a ]0;b .zip"),
        ("https://host.example/a%1b%5b2Jb.zip", "a [2Jb.zip"),
        ("gpj\u202efdp.zip", "gpj fdp.zip"),
        ("bird\udcffs.zip", "bird s.zip"),
        ("https://[host/birds.zip", "birds.zip"),
        ("https://host.example?birds.zip", ""),
        ("x" * 100 + ".zip", "x" * 24 + "…" + "x" * 11 + ".zip"),
        *((path, "") for path in ("~", "~somebody", "/", ".", "..", "/a/..", "")),
    ],
)
def test_a_title_has_the_file_and_nothing_of_the_machine(path: str, shown: str) -> None:
    assert file_title(path) == shown


def test_a_path_without_a_name_leaves_the_kind_of_data() -> None:
    assert data_title(RunConfig(data=own("."))) == "images"


@pytest.mark.parametrize(
    ("path", "begins"),
    [("/a/Blue birds (2).zip", "Blue-birds-2"), ("鸟.zip", "images"), ("..", "images"), ("y" * 99, "y" * 24)],
)
def test_names_of_runs_begin_with_the_file_in_plain_letters(path: str, begins: str) -> None:
    assert short_title(own(path)) == begins
    assert short_title(DataConfig(name="fashion-mnist")) == "fashion-mnist"
