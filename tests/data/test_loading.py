import subprocess
import sys
from typing import get_args

import pytest
import torch

from bnvae.config.schema import DataConfig, DataName
from bnvae.data import DATASETS, ImageShape, TextShape, load_dataset, loading


def test_every_name_has_a_loader() -> None:
    assert set(DATASETS) == set(get_args(DataName))


@pytest.mark.parametrize("name", ["storybook", "digits", "shapes"])
def test_equal_configurations_are_equal_data(name: DataName) -> None:
    config = DataConfig(name=name, training_examples=50, image_size=16)
    first, second = load_dataset(config), load_dataset(config)
    assert first.digest == second.digest
    assert len(first.digest) == 64


@pytest.mark.parametrize("change", [{"seed": 1}, {"training_examples": 49}, {"max_tokens": 8}, {"tokenizer": "bpe"}])
def test_other_data_has_another_digest(change: dict[str, object]) -> None:
    config = {"training_examples": 50, **change}
    assert load_dataset(DataConfig(**config)).digest != load_dataset(DataConfig(training_examples=50)).digest  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["storybook", "digits", "shapes"])
def test_fewer_training_examples_are_the_first_of_all(name: DataName) -> None:
    few, more = (
        load_dataset(DataConfig(name=name, training_examples=count, image_size=8, tokenizer="characters"))
        for count in (20, 100)
    )
    assert torch.equal(few.training.labels, more.training.labels[:20])
    assert len(few.training.examples) == 20
    assert len(few.test) == len(more.test)


def test_more_training_examples_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="training_examples is 1301: data 'digits' has 1300"):
        load_dataset(DataConfig(name="digits", training_examples=1_301))


def test_pictures_are_scaled_to_the_wanted_size() -> None:
    dataset = load_dataset(DataConfig(name="digits", image_size=16, training_examples=10))
    own = load_dataset(DataConfig(name="digits", training_examples=10))
    assert dataset.shape == ImageShape(channels=1, height=16, width=16)
    means = [data.training.examples.float().mean(dim=(1, 2, 3)) for data in (dataset, own)]
    assert torch.allclose(means[0], means[1], atol=12)  # interpolation weighs the edges a little more


def test_binarised_pictures_are_black_and_white_with_the_greys_mean() -> None:
    grey = load_dataset(DataConfig(name="digits"))
    binary = load_dataset(DataConfig(name="digits", binarise=True))
    assert set(binary.training.examples.flatten().tolist()) == {0, 255}
    difference = binary.training.examples.float() - grey.training.examples.float()
    assert abs(difference.mean()) < 1.7  # five standard errors: 255 * 0.5 / sqrt(1,500 * 64), times 5, rounded down


def test_black_stays_black_and_white_stays_white() -> None:
    grey = load_dataset(DataConfig(name="digits")).training.examples
    binary = load_dataset(DataConfig(name="digits", binarise=True)).training.examples
    for value in (0, 255):
        assert (binary[grey == value] == value).all()


def test_the_draw_does_not_depend_on_how_many_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    config = DataConfig(name="digits", binarise=True)
    at_once = load_dataset(config).digest
    monkeypatch.setattr(loading, "_EXAMPLES_AT_ONCE", 7)
    assert load_dataset(config).digest == at_once


@pytest.mark.parametrize("name", ["shapes", "storybook"])
def test_only_grey_pictures_can_be_binarised(name: DataName) -> None:
    with pytest.raises(ValueError, match=f"binarise is True: data '{name}'"):
        load_dataset(DataConfig(name=name, binarise=True, training_examples=10, image_size=8))


def test_the_shape_of_text_is_what_its_rows_need() -> None:
    dataset = load_dataset(DataConfig(training_examples=500))
    assert isinstance(dataset.shape, TextShape)
    assert dataset.shape.max_tokens == dataset.training.examples.shape[1] == dataset.test.examples.shape[1]
    assert dataset.training.examples.max() < dataset.shape.vocabulary_size
    assert dataset.training.examples.dtype == torch.int32


def test_progress_ends_at_one() -> None:
    told: list[float] = []
    load_dataset(
        DataConfig(name="shapes", training_examples=200, image_size=8), progress=lambda _, share: told.append(share)
    )
    assert told[-1] == 1
    assert all(0 <= share <= 1 for share in told)


def test_importing_the_package_imports_nothing_slow() -> None:
    program = (
        "import sys, bnvae.data;"
        "slow = {'sklearn', 'torchvision', 'pooch', 'requests', 'streamlit', 'umap', 'plotly'};"
        "sys.exit(','.join(slow & set(sys.modules)) or 0)"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert finished.stderr.strip() == ""
    assert finished.returncode == 0
