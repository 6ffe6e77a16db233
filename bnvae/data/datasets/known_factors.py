"""The known causes of made-up test examples, found again without the examples: each is a function of seed and place."""

import torch
from torch import Tensor

from bnvae.config.schema import DataConfig
from bnvae.data.datasets.shapes import SHAPES, draw_causes
from bnvae.data.random_subset import TEST
from bnvae.data.storybook.corpus import FACTOR_NAMES, sentence

MADE_HERE = ("storybook", "shapes")


def known_factors(config: DataConfig, count: int) -> dict[str, tuple[Tensor, tuple[str, ...]]]:
    """Of the first `count` test examples: by name, the values of each factor and the names of its categories.

    A numeric factor has no names. Empty for data whose causes nobody knows.
    """
    if config.name == "storybook":
        rows = [sentence(config.seed, "test", index)[1] for index in range(count)]
        return {name: (torch.tensor([row[name] for row in rows]), names) for name, names in FACTOR_NAMES.items()}
    if config.name == "shapes":
        causes = vars(draw_causes(config.seed, stream=TEST, count=count))
        return {
            name: (torch.from_numpy(values.copy()), SHAPES if name == "shape" else ())
            for name, values in causes.items()
        }
    return {}
