import json
from pathlib import Path

import pytest
import torch

from bnvae.config.schema import DataConfig
from bnvae.data import Dataset, decode, load_dataset, train_tokenizer
from bnvae.data.custom import custom_text, text_files
from tests.data.web import Web

LINES = [f"line {number:05b}" for number in range(20)]


def _load(tmp_path: Path, content: str | bytes, suffix: str = ".txt", **options: object) -> Dataset:
    file = tmp_path / f"data{suffix}"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_dataset(DataConfig(name="text", path=str(file), **options))  # type: ignore[arg-type]


def _sentences(dataset: Dataset) -> list[str]:
    assert dataset.tokenizer is not None
    return [line for part in dataset.splits.values() for line in decode(dataset.tokenizer, part.examples)]


def _table(separator: str) -> str:
    rows = [["id", "text", "kind"], *([str(n), line, "xy"[n % 2]] for n, line in enumerate(LINES))]
    return "\n".join(separator.join(row) for row in rows)


def _json_lines() -> str:
    return "\n".join(json.dumps({"id": n, "text": line, "kind": "xy"[n % 2]}) for n, line in enumerate(LINES))


def test_each_line_of_a_text_is_an_example(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "\n".join(LINES), tokenizer="characters", test_share=0.2)
    assert [len(split) for split in dataset.splits.values()] == [4, 2, 14]  # test, validation, training
    assert sorted(_sentences(dataset)) == LINES


def test_empty_lines_and_windows_endings_are_no_examples(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "\ufeff" + "\r\n\r\n  \t\r\n".join(LINES), tokenizer="characters")
    assert sorted(_sentences(dataset)) == LINES


def test_unusual_line_separators_do_not_split_a_sentence(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "\n".join(f"{line}\u2028x\x0cy\x85z" for line in LINES), tokenizer="characters")
    assert len(_sentences(dataset)) == 20


@pytest.mark.parametrize(
    ("content", "suffix"), [(_table(","), ".csv"), (_table("\t"), ".tsv"), (_json_lines(), ".jsonl")]
)
def test_columns_hold_sentences_and_labels(tmp_path: Path, content: str, suffix: str) -> None:
    dataset = _load(tmp_path, content, suffix, tokenizer="characters", label_column="kind")
    assert dataset.label_names == ("x", "y")
    labels = [label for split in dataset.splits.values() for label in split.labels.tolist()]
    assert sorted(zip(_sentences(dataset), labels, strict=True)) == [(line, n % 2) for n, line in enumerate(LINES)]


def test_without_a_label_column_nothing_is_labelled(tmp_path: Path) -> None:
    dataset = _load(tmp_path, _table(","), ".csv")
    assert dataset.label_names == ()
    assert set(dataset.training.labels.tolist()) == {-1}


def test_a_missing_label_is_none(tmp_path: Path) -> None:
    dataset = _load(
        tmp_path, "text,kind\n" + "\n".join(f"{line}," for line in LINES) + "\nz,k", ".csv", label_column="kind"
    )
    assert dataset.label_names == ("k",)
    assert sorted(torch.cat([split.labels for split in dataset.splits.values()]).tolist()) == [-1] * 20 + [0]


def test_quoted_cells_may_hold_commas_and_line_ends(tmp_path: Path) -> None:
    content = "text\n" + "\n".join(f'"{line},\nand ""more"""' for line in LINES)
    dataset = _load(tmp_path, content, ".csv", tokenizer="characters")
    assert sorted(_sentences(dataset)) == [f'{line}, and "more"' for line in LINES]


@pytest.mark.parametrize(("content", "suffix"), [(_table(","), ".csv"), (_json_lines(), ".jsonl")])
@pytest.mark.parametrize("field", ["column", "label_column"])
def test_a_missing_column_is_answered_with_those_there_are(
    tmp_path: Path, content: str, suffix: str, field: str
) -> None:
    with pytest.raises(ValueError, match=f"{field} is 'sentence': .* the columns 'id', 'text', 'kind'"):
        _load(tmp_path, content, suffix, **{field: "sentence"})


def test_fewer_than_ten_lines_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it holds 9 lines with text; at least 10"):
        _load(tmp_path, "\n\n".join(LINES[:9]))


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".tsv", ".jsonl"])
def test_an_empty_file_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ValueError, match="is"):
        _load(tmp_path, "", suffix)


def test_other_encodings_are_refused_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="byte 10, on line 2, is not UTF-8"):
        _load(tmp_path, b"line one\nA\xe9\n" + "\n".join(LINES).encode())


@pytest.mark.parametrize("content", ["\n".join(LINES).encode("utf-16"), b"a\0b\n" * 20])
def test_nul_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"(is NUL|not UTF-8)"):
        _load(tmp_path, content)


def test_a_row_with_too_few_cells_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 22 has 1 cells where the header has 3"):
        _load(tmp_path, _table(",") + "\nalone", ".csv")


def test_an_open_quote_does_not_swallow_the_file_in_silence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot be read .* check its quotes"):
        _load(tmp_path, 'text\n"' + "never closed\n" * 50_000, ".csv")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 21 is not JSON"),
        ("[" * 100_000, "line 21 is not JSON"),
        ("9" * 5_000, "line 21 is not JSON"),
        ("[1]", "line 21 is not an object"),
        ('{"text": 3}', "line 21: 'text' is not a text"),
        ('{"text": "\\ud800"}', "line 21: 'text' holds a NUL or half a character"),
        ('{"text": "\\u0000"}', "line 21: 'text' holds a NUL or half a character"),
    ],
)
def test_a_bad_json_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _load(tmp_path, _json_lines() + "\n" + line, ".jsonl")


def test_labels_may_be_numbers_and_truths(tmp_path: Path) -> None:
    values = ["1", "true", "null", '"\\ud800"']
    content = "\n".join(f'{{"text": "{line}", "kind": {values[n % 4]}}}' for n, line in enumerate(LINES))
    assert _load(tmp_path, content, ".jsonl", label_column="kind").label_names == ("1", "?", "True")


def test_a_label_for_every_line_is_no_label(tmp_path: Path) -> None:
    content = "text,id\n" + "\n".join(f"line {number},{number}" for number in range(1_001))
    with pytest.raises(ValueError, match="label_column is 'id': it has 1001 different values"):
        _load(tmp_path, content, ".csv", label_column="id")


def test_a_plain_text_has_no_label_column(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"label_column is 'kind': a \.txt has no columns"):
        _load(tmp_path, "\n".join(LINES), label_column="kind")


def test_lines_of_100_000_characters_are_cut(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "\n".join(["word " * 20_000, "x" * 100_000] * 10))
    assert dataset.training.examples.shape[1] == 64


def test_too_large_a_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    with file.open("wb") as opened:
        opened.truncate(text_files.MOST_BYTES + 1)
    with pytest.raises(ValueError, match="more than the 536870912 allowed"):
        load_dataset(DataConfig(name="text", path=str(file)))


def test_too_many_lines_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_text, "MOST_LINES", 10)
    with pytest.raises(ValueError, match="has 19 lines, more than 10"):
        _load(tmp_path, "\n".join(LINES))


def test_only_the_training_lines_decide_the_vocabulary(tmp_path: Path) -> None:
    dataset = _load(tmp_path, "\n".join(LINES), test_share=0.2)
    assert dataset.tokenizer is not None
    assert dataset.tokenizer.get_vocab_size() == 4 + 1 + 14


def test_a_given_vocabulary_is_used_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("\n".join(LINES))
    tokenizer = train_tokenizer(["line 00000"], "words", 10)
    dataset = load_dataset(DataConfig(name="text", path=str(file)), tokenizer=tokenizer)
    assert dataset.tokenizer is tokenizer
    assert set(_sentences(dataset)) == {"line 00000", "line □"}


@pytest.mark.parametrize("path", ["nowhere.txt", "a.docx", "\0.txt", "."])
def test_a_path_that_is_no_text_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path is"):
        load_dataset(DataConfig(name="text", path=path))


def test_a_file_at_an_address_is_read(web: Web, cache: Path) -> None:
    web.files["a.csv?version=2"] = _table(",").encode()
    dataset = load_dataset(DataConfig(name="text", path=web.address("a.csv?version=2")))
    assert len(dataset.training) == 16
    assert [file.suffix for file in (cache / "own").iterdir()] == [".csv"]


@pytest.mark.parametrize("path", ["http://example.org/a.txt", "file:///etc/a.txt", "ftp://example.org/a.txt"])
def test_only_https_addresses_are_read(path: str) -> None:
    with pytest.raises(ValueError, match="https://"):
        load_dataset(DataConfig(name="text", path=path))
