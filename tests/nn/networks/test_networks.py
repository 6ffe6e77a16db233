import pytest

from bnvae.config.schema import NETWORKS_OF, ModelConfig
from bnvae.data.dataset import ImageShape, TextShape
from bnvae.nn.networks import NETWORKS, build_decoder, build_encoder

PICTURES, SENTENCES = ImageShape(channels=1, height=8, width=8), TextShape(vocabulary_size=9, max_tokens=6)


def test_every_network_of_the_configuration_is_built() -> None:
    assert set(NETWORKS) == {name for names in NETWORKS_OF.values() for name in names}
    for modality, shape in (("image", PICTURES), ("text", SENTENCES)):
        for name in NETWORKS_OF[modality]:
            directions = 2 if name == "lstm" else 1
            assert build_encoder(name, ModelConfig(), shape).features == directions * ModelConfig().hidden_units
            build_decoder(name, ModelConfig(), shape)


@pytest.mark.parametrize("build", [build_encoder, build_decoder])
@pytest.mark.parametrize(("name", "shape"), [("conv", SENTENCES), ("lstm", PICTURES), ("auto", PICTURES)])
def test_a_network_for_other_examples_is_refused(build: object, name: str, shape: ImageShape | TextShape) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match=f"network is '{name}': for .* choose one of"):
        build(name, ModelConfig(), shape)
