"""Pictures of one's own in folders of their splits."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from bnvae.config.schema import DataConfig
from bnvae.data import Dataset, load_dataset
from bnvae.data.custom.first_look import first_look

COUNTS = {"train": 20, "val": 4, "test": 6}


def load(path: Path | str, **options: object) -> Dataset:
    return load_dataset(DataConfig(name="images", path=str(path), image_size=8, **options))  # type: ignore[arg-type]


def paint(file: Path, grey: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), grey).save(file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """30 pictures, each of a grey of its own; the brighter half of each split are dogs."""
    grey = 0
    for split, count in COUNTS.items():
        for number in range(count):
            kind = "cats" if number < count // 2 else "dogs"
            paint(tmp_path / "pets" / split / kind / f"{number}.png", grey)
            grey += 5
    return tmp_path / "pets"


def greys(dataset: Dataset) -> dict[str, list[int]]:
    return {name: sorted(split.examples[:, 0, 0, 0].tolist()) for name, split in dataset.splits.items()}


EXPECTED = {"training": [*range(0, 100, 5)], "validation": [*range(100, 120, 5)], "test": [*range(120, 150, 5)]}


@pytest.mark.parametrize("packed", [False, True])
def test_sub_folders_of_splits_are_the_splits_and_hold_the_labels(folder: Path, tmp_path: Path, packed: bool) -> None:
    path = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "pets")) if packed else folder
    kind = "A .zip" if packed else "A folder"
    assert first_look(DataConfig(name="images", path=str(path))) == (
        f"{kind} of 30 pictures. There are pictures of their own for validation and test."
    )
    dataset = load(path)
    assert greys(dataset) == EXPECTED
    assert dataset.label_names == ("cats", "dogs")
    assert dataset.test.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.validation.labels[dataset.validation.examples[:, 0, 0, 0] >= 110].tolist() == [1, 1]


def test_each_split_may_have_a_path_of_its_own(folder: Path) -> None:
    dataset = load(folder / "train", validation_path=str(folder / "val"), test_path=str(folder / "test"))
    assert greys(dataset) == EXPECTED
    assert dataset.test.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_test_folder_of_one_class_keeps_its_label(folder: Path) -> None:
    shutil.rmtree(folder / "test" / "cats")
    dataset = load(folder / "train", test_path=str(folder / "test"))
    assert dataset.test.labels.tolist() == [1, 1, 1]


def test_what_has_no_folder_is_a_share_of_the_pictures_for_training(folder: Path) -> None:
    shutil.rmtree(folder / "val")
    dataset = load(folder, validation_share=0.2)
    found = greys(dataset)
    assert found["test"] == EXPECTED["test"]
    assert len(found["validation"]) == 4
    assert sorted(found["training"] + found["validation"]) == EXPECTED["training"]
    assert len(load(folder, training_examples=5).training) == 5


def test_a_picture_in_two_splits_is_dropped_from_the_one_for_training(folder: Path) -> None:
    for number in range(20):
        paint(folder / "test" / "dogs" / f"more-{number}.png", 150 + 5 * number)
    paint(folder / "train" / "dogs" / "again.png", 245)
    dataset = load(folder)
    assert greys(dataset)["training"] == EXPECTED["training"]
    assert dataset.note == "1 pictures for training are left out, as they stand among those held back too."


def test_splits_that_cannot_be_trained_on_are_refused(folder: Path) -> None:
    (folder / "train").rename(folder.parent / "away")
    with pytest.raises(ValueError, match=r"it holds folders for test and validation and none named train"):
        load(folder)
    (folder.parent / "away").rename(folder / "train")
    (folder / "val").rename(folder.parent / "away")
    (folder / "val").mkdir()
    with pytest.raises(ValueError, match=r"folder 'val' holds no pictures; fill it, or take it away"):
        load(folder)
    (folder / "val").rmdir()
    paint(folder / "loose.png", 255)
    with pytest.raises(ValueError, match=r"'loose\.png' is in none of the folders train, valid and test"):
        load(folder)
    (folder / "loose.png").unlink()
    (folder / "test" / "cats").rename(folder / "test" / "birds")
    with pytest.raises(
        ValueError, match=r"label 'birds' for test is not among the labels for training \('cats', 'dogs"
    ):
        load(folder)
    (folder / "test" / "birds").rename(folder / "test" / "cats")
    shutil.copytree(folder / "test" / "cats", folder / "train" / "cats", dirs_exist_ok=True)
    with pytest.raises(ValueError, match=r"3 of the 6 different pictures for test stand among those for training too"):
        load(folder)


def test_folders_beside_others_are_labels_unless_one_is_called_train(tmp_path: Path) -> None:
    for number in range(20):
        paint(tmp_path / ("test" if number < 10 else "cats") / f"{number}.png", number)
    assert load(tmp_path).label_names == ("cats", "test")


def test_the_setting_with_the_wrong_path_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match=r"test_path is '.*none': it holds no pictures"):
        load(folder / "train", test_path=str(tmp_path / "none"))
    with pytest.raises(ValueError, match=r"validation_path: path is '.*gone\.zip': there is no such file"):
        load(folder / "train", validation_path=str(tmp_path / "gone.zip"))
    with pytest.raises(ValueError, match=r"test_path is '.*test': path has the pictures for test too"):
        load(folder, test_path=str(folder / "test"))
