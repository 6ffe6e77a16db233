"""What is found again is what the data set was made of."""

import pytest

from bnvae.config.schema import DataConfig, DataName
from bnvae.data import load_dataset
from bnvae.data.datasets.known_factors import known_factors


@pytest.mark.parametrize("name", ["storybook", "shapes"])
def test_the_factors_of_test_examples_are_those_of_the_data_set(name: DataName) -> None:
    config = DataConfig(name=name, training_examples=16, seed=3, image_size=8 if name == "shapes" else 0)
    dataset = load_dataset(config)
    found = known_factors(config, 50)
    assert list(found) == list(dataset.factor_names)
    for factor, (values, names) in found.items():
        assert values.tolist() == dataset.test.factors[factor][:50].tolist()
        assert names == dataset.factor_names[factor]


def test_other_data_have_no_known_factors() -> None:
    assert known_factors(DataConfig(name="digits"), 10) == {}
