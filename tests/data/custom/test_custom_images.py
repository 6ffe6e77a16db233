import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bnvae.config.schema import DataConfig
from bnvae.data import ImageShape, load_dataset
from tests.data.web import Web


def _png(colour: tuple[int, int, int], size: tuple[int, int] = (12, 9)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def _fill(folder: Path, *, colour: bool = True) -> Path:
    """Ten cats and ten dogs; the red of each is ten times its number."""
    for number in range(20):
        place = folder / ("cats" if number < 10 else "dogs") / f"{number:02}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        red = number * 10
        place.write_bytes(_png((red, 5, 200) if colour else (red, red, red)))
    return folder


def test_sub_folders_are_the_labels(tmp_path: Path) -> None:
    dataset = load_dataset(DataConfig(name="images", path=str(_fill(tmp_path)), image_size=8))
    assert dataset.label_names == ("cats", "dogs")
    for part in (dataset.training, dataset.test):
        assert torch.equal(part.labels, (part.examples[:, 0, 0, 0] >= 100).long())


def test_no_picture_is_lost_or_in_two_splits(tmp_path: Path) -> None:
    dataset = load_dataset(DataConfig(name="images", path=str(_fill(tmp_path)), image_size=8, test_share=0.25))
    reds = [split.examples[:, 0, 0, 0].tolist() for split in dataset.splits.values()]
    assert [len(some) for some in reds] == [5, 2, 13]  # test, validation, training
    assert sorted(red for some in reds for red in some) == [10 * number for number in range(20)]


def test_the_size_is_64_unless_chosen(tmp_path: Path) -> None:
    dataset = load_dataset(DataConfig(name="images", path=str(_fill(tmp_path))))
    assert dataset.shape == ImageShape(channels=3, height=64, width=64)


def test_pictures_that_are_all_grey_have_one_channel(tmp_path: Path) -> None:
    dataset = load_dataset(DataConfig(name="images", path=str(_fill(tmp_path, colour=False)), image_size=8))
    assert dataset.shape == ImageShape(channels=1, height=8, width=8)


def test_one_coloured_picture_makes_all_coloured(tmp_path: Path) -> None:
    _fill(tmp_path, colour=False)
    (tmp_path / "cats" / "red.png").write_bytes(_png((255, 0, 0)))
    dataset = load_dataset(DataConfig(name="images", path=str(tmp_path), image_size=8))
    assert dataset.shape == ImageShape(channels=3, height=8, width=8)


def test_pictures_in_one_folder_have_no_label(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.png").write_bytes(_png((number, 0, 0)))
    dataset = load_dataset(DataConfig(name="images", path=str(tmp_path), image_size=8))
    assert dataset.label_names == ()
    assert set(dataset.training.labels.tolist()) == {-1}


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    _fill(tmp_path)
    for name in ("readme.txt", ".hidden.png", "cats/Thumbs.db"):
        (tmp_path / name).write_bytes(b"no picture")
    dataset = load_dataset(DataConfig(name="images", path=str(tmp_path), image_size=8))
    assert sum(map(len, dataset.splits.values())) == 20


def test_another_seed_is_another_split(tmp_path: Path) -> None:
    _fill(tmp_path)
    first, again, other = (
        load_dataset(DataConfig(name="images", path=str(tmp_path), image_size=8, seed=seed)) for seed in (0, 0, 1)
    )
    assert first.digest == again.digest != other.digest


def test_only_the_wanted_training_pictures_are_read(tmp_path: Path) -> None:
    config = DataConfig(name="images", path=str(_fill(tmp_path)), image_size=8, training_examples=5)
    told: list[float] = []
    dataset = load_dataset(config, progress=lambda what, share: told.append(share))
    assert len(dataset.training) == 5
    assert len(told) == 5 + 2 + 2 + 1


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.png").write_bytes(_png((number, 0, 0)))
    with pytest.raises(ValueError, match=r"it holds 9 pictures .* at least 10"):
        load_dataset(DataConfig(name="images", path=str(tmp_path)))


def test_a_text_with_a_pictures_name_is_named(tmp_path: Path) -> None:
    _fill(tmp_path)
    (tmp_path / "cats" / "note.jpg").write_text("milk, bread")
    with pytest.raises(ValueError, match=r"'cats/note\.jpg' is not a picture"):
        load_dataset(DataConfig(name="images", path=str(tmp_path), image_size=8))


@pytest.mark.parametrize("path", ["nowhere.zip", "\0.zip", "x" * 10_000 + ".zip", "/etc/passwd", "~nobody-here/a.zip"])
def test_a_path_that_is_no_collection_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path is"):
        load_dataset(DataConfig(name="images", path=path))


def test_a_zip_at_an_address_is_downloaded_once(web: Web, cache: Path, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(_fill(tmp_path / "pets").rglob("*.png")):
            archive.write(file, file.relative_to(tmp_path))
    web.files["pets.zip"] = packed.getvalue()
    config = DataConfig(name="images", path=web.address("pets.zip"), image_size=8)
    first, second = load_dataset(config), load_dataset(config)
    assert first.digest == second.digest
    assert first.label_names == ("cats", "dogs")
    assert len(web.requests) == 1
    assert len(list((cache / "own").iterdir())) == 1


def test_a_folder_and_its_zip_are_the_same_data(tmp_path: Path) -> None:
    folder = _fill(tmp_path / "pets")
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    digests = {
        load_dataset(DataConfig(name="images", path=path, image_size=8)).digest for path in (str(folder), packed)
    }
    assert len(digests) == 1


def test_pixels_are_the_pictures(tmp_path: Path) -> None:
    for number in range(10):
        noise = np.random.Generator(np.random.PCG64(number)).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{number}.png")
    dataset = load_dataset(DataConfig(name="images", path=str(tmp_path), image_size=8))
    expected = {np.asarray(Image.open(file)).transpose(2, 0, 1).tobytes() for file in tmp_path.iterdir()}
    assert {example.numpy().tobytes() for split in dataset.splits.values() for example in split.examples} == expected
