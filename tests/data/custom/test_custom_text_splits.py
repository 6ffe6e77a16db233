"""Sentences of one's own in files of their splits."""

import zipfile
from pathlib import Path

import pytest

from bnvae.config.schema import DataConfig
from bnvae.data import Dataset, decode, load_dataset
from bnvae.data.custom import text_files
from bnvae.data.custom.first_look import first_look
from tests.data.web import Web

TRAIN = [f"trained solve {number:05b}" for number in range(20)]
VALID = [f"valid {number:05b}" for number in range(4)]
TEST = [f"test {number:05b}" for number in range(3)]
PARTS = {"train": TRAIN, "valid": VALID, "test": TEST}


def load(path: Path | str, **options: object) -> Dataset:
    options = {"tokenizer": "characters", **options}
    return load_dataset(DataConfig(name="text", path=str(path), **options))  # type: ignore[arg-type]


def sentences(dataset: Dataset) -> dict[str, list[str]]:
    assert dataset.tokenizer is not None
    return {name: decode(dataset.tokenizer, split.examples) for name, split in dataset.splits.items()}


def fill(folder: Path, parts: dict[str, list[str]], suffix: str = ".txt", names: dict[str, str] | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    for name, lines in parts.items():
        (folder / f"{(names or {}).get(name, name)}{suffix}").write_text("\n".join(lines))
    return folder


@pytest.mark.parametrize("valid", ["valid", "val", "dev", "Valid", "dev.en"])
@pytest.mark.parametrize("packed", [False, True])
def test_files_of_a_folder_or_a_zip_are_its_splits(tmp_path: Path, valid: str, packed: bool) -> None:
    path = fill(tmp_path / "corpus", PARTS, names={"valid": valid})
    (path / "README.md").write_text("no sentences")
    if packed:
        with zipfile.ZipFile(tmp_path / "corpus.zip", "w") as archive:
            for file in path.iterdir():
                archive.write(file, f"corpus/{file.name}")
        path = tmp_path / "corpus.zip"
    found = sentences(load(path))
    assert found["validation"] == VALID
    assert found["test"] == TEST
    assert sorted(found["training"]) == TRAIN
    assert first_look(DataConfig(name="text", path=str(path))) == (
        "Its first sentence: trained solve 00000. There are files for validation and test."
    )


def test_each_file_may_have_an_option_of_its_own(tmp_path: Path) -> None:
    folder = fill(tmp_path / "a", PARTS)
    found = sentences(
        load(folder / "train.txt", validation_path=str(folder / "valid.txt"), test_path=str(folder / "test.txt"))
    )
    assert (found["validation"], found["test"], sorted(found["training"])) == (VALID, TEST, TRAIN)


def test_what_has_no_file_is_a_share_of_the_training_file(tmp_path: Path) -> None:
    folder = fill(tmp_path / "a", {"train": TRAIN, "test": TEST})
    found = sentences(load(folder, validation_share=0.2))
    assert found["test"] == TEST
    assert len(found["validation"]) == 4
    assert sorted(found["validation"] + found["training"]) == TRAIN
    without = load(folder, validation_share=0.0)
    assert not without.has_validation
    assert without.validation is without.test


def test_the_only_file_of_a_folder_is_the_data(tmp_path: Path) -> None:
    folder = fill(tmp_path / "a", {"reviews": TRAIN})
    assert {name: len(lines) for name, lines in sentences(load(folder)).items()} == {
        "test": 2,
        "validation": 2,
        "training": 16,
    }


def test_files_at_addresses_are_splits_too(web: Web, cache: Path) -> None:
    del cache
    web.files |= {f"{name}.txt": "\n".join(lines).encode() for name, lines in PARTS.items()}
    found = sentences(load(web.address("train.txt"), test_path=web.address("test.txt")))
    assert found["test"] == TEST


def test_only_training_files_decide_the_vocabulary(tmp_path: Path) -> None:
    dataset = load(fill(tmp_path / "a", PARTS), tokenizer="words")
    assert dataset.tokenizer is not None
    assert dataset.tokenizer.get_vocab_size() == 4 + 2 + len(TRAIN)
    assert {line.split()[0] for line in sentences(dataset)["test"]} == {"□"}


LABELLED = {
    "train": [f'{n % 2}\ttold that and so "{n:05b}' for n in range(20)],
    "test": ['1\t"told that 0', "0\tand that so 1"],
}


def test_a_tsv_without_a_header_is_label_and_sentence(tmp_path: Path) -> None:
    dataset = load(fill(tmp_path / "a", LABELLED, ".tsv"))
    found = sentences(dataset)
    assert found["test"] == ['"told that 0', "and that so 1"]  # quotes are letters
    assert dataset.test.labels.tolist() == [1, 0]
    assert sorted(found["training"] + found["validation"])[3] == 'told that and so "00011'


def test_a_tsv_without_a_header_may_be_sentence_and_label(tmp_path: Path) -> None:
    turned = {name: ["\t".join(line.split("\t")[::-1]) for line in lines] for name, lines in LABELLED.items()}
    dataset = load(fill(tmp_path / "a", turned, ".tsv"))
    assert sentences(dataset)["test"] == ['"told that 0', "and that so 1"]
    assert dataset.label_names == ("0", "1")


def test_columns_of_a_table_without_a_header_have_numbers(tmp_path: Path) -> None:
    lines = [f"{number},{'ab'[number % 2]},told {number:05b}" for number in range(20)]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    dataset = load(tmp_path / "a.csv", column="3", label_column="2")
    assert dataset.label_names == ("a", "b")
    assert sorted(line for lines in sentences(dataset).values() for line in lines) == [
        f"told {number:05b}" for number in range(20)
    ]
    with pytest.raises(ValueError, match=r"column is '4': the first row has 3 cells; give a number from 1"):
        load(tmp_path / "a.csv", column="4")
    with pytest.raises(ValueError, match=r"label_column is 'kind': the file has the columns '0', 'a', 'told 00000'"):
        load(tmp_path / "a.csv", column="3", label_column="kind")


def test_a_header_with_other_names_is_not_taken_for_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("sentence\tlabel\n" + "\n".join(f"told {n:05b}\t{n % 2}" for n in range(20)))
    with pytest.raises(ValueError, match=r"column is 'text': .* 'sentence', 'label'\. Name one .* or give its number"):
        load(tmp_path / "a.tsv")
    assert load(tmp_path / "a.tsv", column="sentence", label_column="label").label_names == ("0", "1")


def test_a_few_sentences_of_two_files_are_dropped_from_the_one_for_training(tmp_path: Path) -> None:
    held = [f"test {number:05b}" for number in range(20)]
    folder = fill(
        tmp_path / "a", {"train": [*TRAIN, held[0], held[1], held[1]], "dev": [*VALID, held[2]], "test": held}
    )
    dataset = load(folder)
    found = sentences(dataset)
    assert found["test"] == held
    assert found["validation"] == VALID
    assert sorted(found["training"]) == TRAIN
    assert dataset.note == (
        "1 sentences for validation are left out, as they stand among those held back too. "
        "3 sentences for training are left out, as they stand among those held back too."
    )


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"train": [*TRAIN, *TEST], "test": TEST},
            r"3 of the 3 different sentences for test stand among those for training too, as 'test 00000'; give files",
        ),
        ({"train": TRAIN, "dev": TEST, "test": TEST}, r"3 of the 3 .* for test stand among those for validation too"),
        ({"test": TEST}, r"it holds files for test and none named train"),
        ({"dev": VALID, "test": TEST}, r"it holds files for test and validation and none named train"),
        ({"train": TRAIN, "dev": VALID, "val": VALID}, r"'dev\.txt' and 'val\.txt' are both for validation; take one"),
        ({"train": TRAIN, "test": ["", " "]}, r"path is '.*test\.txt': it holds no line with text; fill the file, or"),
        ({"train": TRAIN[:9], "test": TEST}, r"it holds 9 lines with text; at least 10"),
        ({"a": TRAIN, "b": TEST}, r"it holds 'a\.txt', 'b\.txt' and none named train; name one of them as the path"),
        ({}, r"it holds no file that ends in one of \.txt, \.csv"),
    ],
)
def test_splits_that_cannot_be_trained_on_are_refused(
    tmp_path: Path, parts: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        load(fill(tmp_path / "a", parts))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"train": ["id,text", *(f"{n},{line}" for n, line in enumerate(TRAIN))], "test": ["text", *TEST]},
            r"test\.csv'.* has the columns 'text', .*train\.csv' has 'id', 'text'; give all files of",
        ),
        (
            {"train": ["text,kind", *(f"{line},a" for line in TRAIN)], "test": ["text,kind", "new,b", "other,c"]},
            r"label 'b' and 1 more for test is not among the labels for training \('a'\); give splits",
        ),
    ],
)
def test_tables_of_other_columns_or_labels_are_refused(
    tmp_path: Path, parts: dict[str, list[str]], message: str
) -> None:
    folder = fill(tmp_path / "a", parts, ".csv")
    with pytest.raises(ValueError, match=message):
        load(folder, label_column="kind" if "kind" in parts["train"][0] else "")


def test_the_setting_with_the_wrong_path_is_named(tmp_path: Path) -> None:
    folder = fill(tmp_path / "a", PARTS)
    with pytest.raises(ValueError, match=r"test_path: path is '/nowhere\.txt': there is no such file"):
        load(folder / "train.txt", test_path="/nowhere.txt")
    with pytest.raises(ValueError, match=r"test_path is '.*test\.txt': '.*test\.txt' is there for test too"):
        load(folder, test_path=str(folder / "test.txt"))
    with pytest.raises(ValueError, match=r"validation_path is .*: that is the path of the training examples"):
        load(folder / "train.txt", validation_path=str(folder / "train.txt"))
    with pytest.raises(ValueError, match=r"test_path is 'a\.txt': only data 'images' and 'text' take it"):
        DataConfig(name="digits", test_path="a.txt")
    (folder / "test.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(ValueError, match=r"path is '.*/test\.txt': byte 3, on line 1, is not UTF-8"):
        load(folder)


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = fill(tmp_path / "a", {"train": TRAIN})
    (tmp_path / "secret.txt").write_text("\n".join(TEST))
    (folder / "test.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(ValueError, match=r"'test\.txt' is a link that leads out of the folder"):
        load(folder)


def test_a_text_in_a_zip_that_unpacks_to_more_than_is_allowed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.txt", "line\n" * 400_000)
    with pytest.raises(
        ValueError, match=r"'train\.txt' unpacks to more than .* Give a folder or a plain \.zip of text"
    ):
        load(tmp_path / "a.zip")
    # A glance reads its beginning only.
    assert first_look(DataConfig(name="text", path=str(tmp_path / "a.zip"))) == "Its first sentence: line"
    monkeypatch.setattr(text_files, "MOST_ENTRIES", 1)
    with pytest.raises(ValueError, match="it has more than 1 entries; name the file in it"):
        load(fill(tmp_path / "many", PARTS))
