"""Descriptions of models: what is read, and what is refused with which reason."""

import json
from typing import Any

import pytest

from bnvae.data.dataset import ImageShape
from bnvae.nn.foreign.description import Description, listed


def test_a_description_is_read_as_it_is_written(mlp: dict[str, Any]) -> None:
    found = Description.from_json(json.dumps(mlp))

    assert found.image == ImageShape(channels=1, height=8, width=8)
    assert found.data.name == "digits"
    assert found.encoder == ("flatten", {"linear": "fc1"}, "relu")
    assert (found.spread_is, found.spread) == ("log_variance", ({"linear": "fc22"},))
    assert (found.likelihood, found.parameter, found.pixels) == ("bernoulli", "logits", (0.0, 1.0))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": "other"}, "format is 'other': this version reads 'bnvae-vae-1'"),
        ({"encoder_layers": []}, "unknown field 'encoder_layers': known are format, data"),
        ({"encoder": None}, "encoder is None: give a list of 1 to 64 layers"),
        ({"encoder": []}, "encoder is []"),
        ({"encoder": ["relu"] * 65}, "give a list of 1 to 64 layers"),
        ({"std": [{"linear": "fc22"}]}, "the posterior is described by mean, log_variance, std: give"),
        ({"mean_and_std": ["relu"], "log_variance": ...}, "described by mean, mean_and_std"),
        ({"log_variance": ...}, "the posterior is described by mean: give"),
        ({"mean": ...}, "the posterior is described by log_variance: give"),
        ({"decoder": ...}, "the description has no 'decoder'"),
        ({"latent_dimensions": 0}, "latent_dimensions is 0: give a whole number from 1 to 512"),
        ({"latent_dimensions": True}, "latent_dimensions is True"),
        ({"image": [8, 8]}, "image is [8, 8]: give [channels, height, width]"),
        ({"image": [2, 8, 8]}, "image has 2 channels: give 1 for grey or 3 for colour"),
        ({"pixels": [0, 255]}, "pixels is [0, 255]: give [0, 1] or [-1, 1]"),
        ({"likelihood": "bernoulli"}, 'likelihood is \'bernoulli\': give {"bernoulli": "logits"}'),
        ({"likelihood": {"gaussian": 0}}, "likelihood is {'gaussian': 0}"),
        ({"likelihood": {"poisson": "rate"}}, "likelihood is {'poisson': 'rate'}"),
        ({"data": "digits"}, "data is 'digits': give {\"name\": ...}"),
        ({"data": {"name": "nobody"}}, "data of the description: name is 'nobody'"),
        ({"data": {"name": "storybook"}}, "data is 'storybook': only models of pictures can be described"),
        ({"unused": "discriminator"}, "unused is 'discriminator': give a list"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_description_is_refused_with_field_value_and_remedy(
    mlp: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    changed = {name: value for name, value in (mlp | changes).items() if value is not ...}

    with pytest.raises(ValueError) as refusal:  # the whole reason is looked at below
        Description.from_json(json.dumps(changed))

    assert reason in str(refusal.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", '"x"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the description is not"):
        Description.from_json(text)


def test_of_many_names_a_few_are_told() -> None:
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed(["a", "b", "c", "d", "e", "f"]) == "'a', 'b', 'c', 'd' and 2 more"
