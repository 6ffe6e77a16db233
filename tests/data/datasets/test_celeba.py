import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from bnvae.config.schema import DataConfig
from bnvae.data import DownloadError, load_dataset
from bnvae.data.datasets.celeba import ATTRIBUTES, PARTITION, PICTURES, read_attributes, read_partition


@pytest.fixture
def folder(cache: Path) -> Path:
    """Twelve faces in the published form: 7 training, 2 validation, 3 test; every other one smiles and is red."""
    folder = cache / "celeba"
    folder.mkdir(parents=True)
    names = [f"{number:06}.jpg" for number in range(1, 13)]
    parts = [0] * 7 + [1] * 2 + [2] * 3
    signs = [" 1" if number % 2 else "-1" for number in range(12)]
    (folder / PARTITION).write_text("".join(f"{name} {part}\n" for name, part in zip(names, parts, strict=True)))
    rows = "".join(f"{name} {sign} -1\n" for name, sign in zip(names, signs, strict=True))
    (folder / ATTRIBUTES).write_text(f"12\nSmiling Male \n{rows}")
    with zipfile.ZipFile(folder / PICTURES, "w") as archive:
        for number, name in enumerate(names):
            file = io.BytesIO()
            Image.new("RGB", (178, 218), (255 * (number % 2), 0, 0)).save(file, "JPEG")
            archive.writestr(f"img_align_celeba/{name}", file.getvalue())
    return folder


def test_faces_keep_their_split_and_attributes(folder: Path) -> None:
    del folder
    dataset = load_dataset(DataConfig(name="celeba"))
    assert dataset.training.examples.shape == (7, 3, 64, 64)
    assert dataset.validation.examples.shape == (2, 3, 64, 64)
    assert dataset.test.examples.shape == (3, 3, 64, 64)
    for part in (dataset.training, dataset.validation, dataset.test):
        assert ((part.examples[:, 0, 32, 32] > 128) == part.labels.bool()).all()
        assert (part.factors["Male"] == 0).all()
    assert dataset.factor_names == {"Smiling": ("no", "yes"), "Male": ("no", "yes")}


def test_decoded_faces_are_kept_for_the_next_time(folder: Path) -> None:
    first = load_dataset(DataConfig(name="celeba"))
    (folder / PICTURES).write_bytes(b"gone")
    assert load_dataset(DataConfig(name="celeba")).digest == first.digest


def test_another_size_is_decoded_anew(folder: Path) -> None:
    del folder
    load_dataset(DataConfig(name="celeba"))
    assert load_dataset(DataConfig(name="celeba", image_size=16)).test.examples.shape == (3, 3, 16, 16)


def test_a_face_without_a_picture_is_named(folder: Path) -> None:
    with zipfile.ZipFile(folder / PICTURES, "w"):
        pass
    with pytest.raises(ValueError, match=r"no entry 'img_align_celeba/000001\.jpg'"):
        load_dataset(DataConfig(name="celeba"))


@pytest.mark.parametrize("content", ["000001.jpg", "000001.jpg 7", "a b c"])
def test_a_spoilt_partition_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / PARTITION).write_text(content)
    with pytest.raises(ValueError, match="not a picture and its split"):
        read_partition(tmp_path / PARTITION)


@pytest.mark.parametrize("content", ["", "1", "1\nMale\na.jpg 1", "1\nSmiling\na.jpg", "1\nSmiling\na.jpg 2"])
def test_spoilt_attributes_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / ATTRIBUTES).write_text(content)
    with pytest.raises(ValueError, match="is not usable"):
        read_attributes(tmp_path / ATTRIBUTES)


def test_a_missing_file_is_downloaded_or_its_place_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / PARTITION).unlink()
    monkeypatch.setattr("socket.getaddrinfo", _unknown_host)
    with pytest.raises(DownloadError, match=r"drive\.usercontent\.google\.com") as raised:
        load_dataset(DataConfig(name="celeba"))
    assert str(folder / PARTITION) in str(raised.value)


def _unknown_host(*_: object, **__: object) -> None:
    raise OSError("Name or service not known")
