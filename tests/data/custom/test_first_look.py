import os
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from bnvae.config.schema import DataConfig, DataName
from bnvae.data.custom import first_look as module
from bnvae.data.custom.first_look import GLANCE_BYTES, first_look

LINES = "\n".join(f"line {number}" for number in range(20))


def look(name: DataName, path: Path | str, **options: str) -> str:
    return first_look(DataConfig(name=name, path=str(path), **options))  # type: ignore[arg-type]


def pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        Image.new("L", (8, 8), number).save(folder / f"{number}.png")
    return folder


def written(file: Path, content: str | bytes) -> Path:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pdf", LINES, r"ends in one of \.txt, \.csv"),
        ("a.txt", "one\ntwo", "holds 2 lines with text; at least 10"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0", "is NUL, so it is no text"),
        ("a.txt", LINES.encode("utf-16"), "is NUL"),
        ("a.txt", b"caf\xe9\n" * 20, "is not UTF-8"),
        ("a.csv", "id,review\n1,good\n", "column is 'text': the file has the columns 'id', 'review'"),
        ("a.jsonl", "no json\n" * 20, "line 1 is not JSON"),
    ],
)
def test_sentences_that_cannot_be_trained_on_are_refused_in_the_loaders_words(
    tmp_path: Path, name: str, content: str | bytes, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        look("text", written(tmp_path / name, content))


def test_a_path_where_there_is_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such file"):
        look("text", tmp_path / "gone.txt")
    with pytest.raises(ValueError, match="there is nothing of that name"):
        look("images", tmp_path / "gone")
    with pytest.raises(ValueError, match="begins with https"):
        look("text", "http://example.org/a.txt")


def test_what_is_found_is_said(tmp_path: Path) -> None:
    assert look("text", written(tmp_path / "a.txt", "\ufeff" + LINES)) == "Its first sentence: line 0"
    table = "id,review\n" + "\n".join(f"{number},good {number}" for number in range(20))
    assert look("text", written(tmp_path / "a.csv", table), column="review") == "Its first sentence: good 0"
    assert look("images", pictures(tmp_path / "ten", 10)) == "A folder of 10 pictures."
    with zipfile.ZipFile(tmp_path / "ten.zip", "w") as archive:
        for file in (tmp_path / "ten").iterdir():
            archive.write(file, file.name)
    assert look("images", tmp_path / "ten.zip") == "A .zip of 10 pictures."
    assert "when training starts" in look("text", "https://example.org/a.txt")
    assert first_look(DataConfig(name="digits")) == ""


def test_only_the_beginning_of_a_large_file_is_read(tmp_path: Path) -> None:
    letters = "ä" * 30  # two bytes each: a glance that ends in the middle of one is no fault of the file
    many = written(tmp_path / "many.txt", f"{letters}\n" * (GLANCE_BYTES // 20) + "\0")
    assert look("text", many) == f"Its first sentence: {letters}"
    assert "first line is long" in look("text", written(tmp_path / "long.txt", "x" * 2 * GLANCE_BYTES))


def test_pictures_that_cannot_be_trained_on_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it holds 9 pictures"):
        look("images", pictures(tmp_path / "nine", 9))
    with pytest.raises(ValueError, match=r"it is not a \.zip"):
        look("images", written(tmp_path / "a.zip", LINES))
    with pytest.raises(ValueError, match=r"ends in one of \.zip"):
        look("images", written(tmp_path / "a.txt", LINES))
    folder = tmp_path / "renamed"
    folder.mkdir()
    for number in range(10):
        written(folder / f"{number}.png", LINES)
    with pytest.raises(ValueError, match="is not a picture of the kinds"):
        look("images", folder)


def test_no_more_than_so_many_entries_of_a_folder_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ENTRIES", 12)
    assert look("images", pictures(tmp_path / "many", 30)) == "A folder of 12 pictures and more."
    for number in range(30):
        (tmp_path / "deep" / str(number)).mkdir(parents=True)
    assert "No picture among its first 12 entries" in look("images", tmp_path / "deep")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(ValueError, match="no such file"):
        look("text", tmp_path / "a.txt")
    folder = tmp_path / "pipes"
    folder.mkdir()
    for number in range(10):
        os.mkfifo(folder / f"{number}.png")
    assert look("images", folder) == "A folder of 10 pictures."
