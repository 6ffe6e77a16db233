"""docs/own-checkpoints.md: its example is PyTorch's, and it names every layer there is."""

import re
from pathlib import Path

import torch

from bnvae.nn.foreign.description import OPTIONAL, REQUIRED, Description
from bnvae.nn.foreign.layers import KNOWN, OPTIONS
from bnvae.nn.foreign.network import foreign_model
from tests.importers.foreign_vae import ForeignVAE

DOCUMENT = (Path(__file__).parents[3] / "docs" / "own-checkpoints.md").read_text(encoding="utf-8")


def test_its_example_fits_pytorchs_own_model() -> None:
    (example,) = re.findall(r"^```json\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
    module = ForeignVAE(784, 400, 20)

    model = foreign_model(Description.from_json(example), module.state_dict())

    pictures = torch.randint(0, 256, (3, 1, 28, 28), dtype=torch.uint8)
    torch.testing.assert_close(model.posterior(pictures).mean, module.encode(pictures / 255)[0], rtol=1e-5, atol=1e-6)


def test_it_names_every_field_layer_and_option() -> None:
    named = set(re.findall(r'[`"](\w+)[`"]', DOCUMENT))
    options = {option for of_kind in OPTIONS.values() for option in of_kind}

    assert {*REQUIRED, *OPTIONAL, *KNOWN, *options} - named == set()
