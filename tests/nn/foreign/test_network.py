"""Models built from descriptions: equal to torch's own, and refused where weights and layers do not fit."""

import json
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bnvae.nn.foreign.description import Description
from bnvae.nn.foreign.network import foreign_model
from bnvae.nn.networks.image import ImageDecoder
from bnvae.nn.vae import VAE
from bnvae.training.evaluation import encode

PICTURES = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def built(description: dict[str, Any], tensors: dict[str, Tensor]) -> VAE:
    return foreign_model(Description.from_json(json.dumps(description)), tensors)


def test_encoder_and_decoder_compute_what_the_layers_say(mlp: dict[str, Any], weights: dict[str, Tensor]) -> None:
    model = built(mlp, weights)

    hidden = functional.linear(PICTURES.flatten(1) / 255, weights["fc1.weight"], weights["fc1.bias"]).relu()
    mean = functional.linear(hidden, weights["fc21.weight"], weights["fc21.bias"])
    log_variance = functional.linear(hidden, weights["fc22.weight"], weights["fc22.bias"])
    found = encode(model, PICTURES)
    torch.testing.assert_close(found.mean, mean)
    torch.testing.assert_close(found.std, log_variance.exp().sqrt())
    made = functional.linear(mean, weights["fc3.weight"], weights["fc3.bias"]).relu()
    logits = functional.linear(made, weights["fc4.weight"], weights["fc4.bias"]).view(-1, 1, 8, 8)
    target = PICTURES / 255
    cost = functional.binary_cross_entropy_with_logits(logits, target, reduction="none").flatten(1).sum(1)
    torch.testing.assert_close(-model.likelihood(mean, PICTURES).log_prob(PICTURES), cost)
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert not model.training


def test_what_torch_draws_elsewhere_does_not_change(mlp: dict[str, Any], weights: dict[str, Tensor]) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    built(mlp, weights)
    assert torch.equal(torch.rand(1), expected)


def test_probabilities_are_as_good_as_logits(mlp: dict[str, Any], weights: dict[str, Tensor]) -> None:
    z = torch.randn(5, 3, generator=torch.Generator().manual_seed(2))
    logits = built(mlp, weights).likelihood(z, PICTURES).log_prob(PICTURES)
    mlp["decoder"].append("sigmoid")
    mlp["likelihood"] = {"bernoulli": "probabilities"}

    # fp32 knows a probability near one half to 6e-8, its logit to 2e-7; 64 of them are added up.
    torch.testing.assert_close(built(mlp, weights).likelihood(z, PICTURES).log_prob(PICTURES), logits)


def test_mean_and_spread_may_be_halves_of_one_layer(mlp: dict[str, Any], weights: dict[str, Tensor]) -> None:
    apart = encode(built(mlp, weights), PICTURES)
    both = {f"both.{part}": torch.cat([weights.pop(f"fc{n}.{part}") for n in (21, 22)]) for part in ("weight", "bias")}
    del mlp["mean"], mlp["log_variance"]
    mlp["mean_and_log_variance"] = [{"linear": "both"}]

    together = encode(built(mlp, weights | both), PICTURES)

    torch.testing.assert_close(together.mean, apart.mean)
    torch.testing.assert_close(together.std, apart.std)


def test_a_std_is_taken_as_it_is(mlp: dict[str, Any], weights: dict[str, Tensor]) -> None:
    log_variance = 2 * encode(built(mlp, weights), PICTURES).std.log()
    del mlp["log_variance"]
    mlp["std"] = [{"linear": "fc22"}, "softplus"]

    torch.testing.assert_close(encode(built(mlp, weights), PICTURES).std, functional.softplus(log_variance))


@pytest.mark.parametrize("scale", [0.2, "ln_scale"])
def test_a_gaussian_over_pixels_from_minus_one_is_a_density_over_pixels_from_zero(
    mlp: dict[str, Any], weights: dict[str, Tensor], scale: float | str
) -> None:
    mlp |= {"likelihood": {"gaussian": scale}, "pixels": [-1, 1]}
    if scale == "ln_scale":
        weights["ln_scale"] = torch.tensor([math.log(0.2)])
    z = torch.randn(5, 3, generator=torch.Generator().manual_seed(2))

    model = built(mlp, weights)

    hidden = functional.linear(z, weights["fc3.weight"], weights["fc3.bias"]).relu()
    mean = functional.linear(hidden, weights["fc4.weight"], weights["fc4.bias"])
    normal: Any = torch.distributions.Normal(mean, 0.2)
    own = normal.log_prob(PICTURES.flatten(1) / 127.5 - 1).sum(1)
    # Each of 64 pixels is half as wide: its density is twice as high.
    torch.testing.assert_close(model.likelihood(z, PICTURES).log_prob(PICTURES), own + 64 * math.log(2))
    assert isinstance(model.decoder, ImageDecoder)
    assert model.decoder.is_density
    features = functional.linear(PICTURES.flatten(1) / 127.5 - 1, weights["fc1.weight"], weights["fc1.bias"]).relu()
    expected = functional.linear(features, weights["fc21.weight"], weights["fc21.bias"])
    torch.testing.assert_close(encode(model, PICTURES).mean, expected)


class Conv(nn.Module):
    """A convolutional VAE with every kind of layer that has weights."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(1, 4, 4, 2, 1, bias=False), nn.Conv2d(4, 6, 3, padding=1)])
        self.norm = nn.BatchNorm2d(4)
        self.layer = nn.LayerNorm(24)
        self.head = nn.Linear(24, 6)
        self.up1 = nn.ConvTranspose2d(6, 5, 3, 2, 1, output_padding=1)
        self.up2 = nn.ConvTranspose2d(5, 1, 3, padding=1)
        self.expand = nn.Linear(3, 24)

    def encode(self, x: Tensor) -> Tensor:
        hidden = functional.leaky_relu(self.norm(self.down[0](x)), 0.2)
        return self.head(self.layer(functional.max_pool2d(self.down[1](hidden), 2).flatten(1)))  # type: ignore[no-any-return]

    def decode(self, z: Tensor) -> Tensor:
        hidden = functional.silu(self.expand(z)).view(-1, 6, 2, 2)
        return self.up2(functional.interpolate(self.up1(hidden), scale_factor=2))  # type: ignore[no-any-return]


def test_a_convolutional_model_computes_what_its_module_does(mlp: dict[str, Any]) -> None:
    torch.manual_seed(0)
    module = Conv().eval()
    module.norm.running_mean = torch.randn(4)
    module.norm.running_var = torch.rand(4) + 0.5
    for name in ("mean", "log_variance"):
        del mlp[name]
    mlp |= {
        "encoder": [
            {"conv": "down.0", "stride": 2, "padding": 1},
            {"batch_norm": "norm"},
            {"leaky_relu": 0.2},
            {"conv": "down.1", "padding": 1},
            {"max_pool": 2},
            "flatten",
            {"layer_norm": "layer"},
        ],
        "mean_and_log_variance": [{"linear": "head"}],
        "decoder": [
            {"linear": "expand"},
            "silu",
            {"reshape": [6, 2, 2]},
            {"conv_transpose": "up1", "stride": 2, "padding": 1, "output_padding": 1},
            {"upsample": 2},
            {"conv_transpose": "up2", "padding": 1},
        ],
    }

    model = built(mlp, module.state_dict())

    with torch.no_grad():
        mean, log_variance = module.encode(PICTURES / 255).chunk(2, 1)
        z = torch.randn(5, 3)
        logits = module.decode(z)
    found = encode(model, PICTURES)
    # Sums over at most 54 products in another order.
    torch.testing.assert_close(found.mean, mean, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.std, (0.5 * log_variance).exp(), rtol=1e-5, atol=1e-6)
    assert isinstance(model.decoder, ImageDecoder)
    torch.testing.assert_close(model.decoder.pixels(z, None), logits, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"encoder": ["flatten", {"linear": "fc1"}, "swish"]}, "encoder[2] is 'swish', an unknown layer or activation"),
        ({"encoder": [{"linear": "fc1"}]}, "encoder[0]: a picture (1, 8, 8) reaches linear 'fc1': put \"flatten\""),
        ({"encoder": ["flatten", {"linear": "fc1", "bias": 0}]}, "encoder[1], linear, has an unknown option 'bias'"),
        ({"encoder": ["flatten", "linear"]}, "encoder[1], linear, names no weights"),
        ({"encoder": ["flatten", {"relu": 1}]}, 'encoder[1]: relu takes nothing: write "relu"'),
        ({"encoder": ["flatten", 3]}, "encoder[1] is 3: give a layer as"),
        (
            {"encoder": ["flatten", {"linear": "fc3"}], "unused": ["fc1."]},
            "'fc3.weight' of encoder[1] has shape (10, 3): expected (out, 64)",
        ),
        ({"encoder": ["relu"], "unused": ["fc1."]}, "the encoder ends in a picture (1, 8, 8)"),
        ({"latent_dimensions": 4}, "mean ends in 3 numbers: expected 4"),
        ({"image": [1, 9, 9]}, "'fc1.weight' of encoder[1] has shape (10, 64): expected (out, 81)"),
        ({"decoder": [{"linear": "fc3"}, {"linear": "fc4"}]}, "the decoder ends in (64,), image is (1, 8, 8): end it"),
        ({"decoder": [{"linear": "fc3"}, {"linear": "fc4"}, {"reshape": [1, 7, 8]}]}, "needs 56 numbers, and 64 reach"),
        ({"decoder": [{"linear": "fc3"}, {"linear": "fc4"}, {"upsample": 2}]}, "64 numbers in a row reach upsample"),
        (
            {"encoder": [*[{"upsample": 16}] * 4, "flatten", {"linear": "fc1"}, {"linear": "fc22"}]},
            "at most 1048576 numbers",
        ),
        ({"encoder": [{"max_pool": 16}, "flatten", {"linear": "fc1"}]}, "encoder[0], max_pool, makes (1, 0, 0)"),
        ({"encoder": ["flatten"]}, "the description uses no 'fc1.weight', 'fc1.bias'. Correct the names"),
        ({"encoder": ["flatten", {"linear": "fc1"}, {"linear": "fc9"}]}, "the weights have no 'fc9.weight'"),
        ({"likelihood": {"gaussian": "fc3.bias"}}, "'fc3.bias', the ln of the scale, has shape (10,)"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_layers_that_do_not_fit_are_refused_with_place_and_remedy(
    mlp: dict[str, Any], weights: dict[str, Tensor], changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError) as refusal:  # the whole reason is looked at below
        built(mlp | changes, weights)

    assert reason in str(refusal.value)


def test_missing_and_unknown_weights_are_named_together_and_only_a_few(
    mlp: dict[str, Any], weights: dict[str, Tensor]
) -> None:
    del weights["fc3.weight"], weights["fc4.weight"]
    weights |= {f"discriminator.{index}.weight": torch.ones(1) for index in range(7)}

    with pytest.raises(ValueError) as refusal:
        built(mlp, weights)

    said = str(refusal.value)
    assert said.startswith(
        "the weights have no 'fc3.weight', 'fc4.weight', and the description uses no 'discriminator.0"
    )
    assert "and 3 more" in said


def test_what_is_left_out_on_purpose_is_left_out(mlp: dict[str, Any], weights: dict[str, Tensor]) -> None:
    weights["discriminator.0.weight"] = torch.ones(1, dtype=torch.int64)

    assert built(mlp | {"unused": ["discriminator."]}, weights).latent_dimensions == 3


@pytest.mark.parametrize(
    ("name", "tensor", "reason"),
    [
        ("fc4.bias", torch.full((64,), math.nan), "'fc4.bias' holds numbers that are not finite"),
        ("fc4.bias", torch.zeros(64, dtype=torch.int64), "'fc4.bias' is torch.int64: expected floating-point"),
        ("fc4.bias", torch.zeros(63), "'fc4.bias' of decoder[2] has shape (63,): expected (64,)"),
    ],
)
def test_weights_that_are_no_weights_are_refused(
    mlp: dict[str, Any], weights: dict[str, Tensor], name: str, tensor: Tensor, reason: str
) -> None:
    weights[name] = tensor

    with pytest.raises(ValueError) as refusal:
        built(mlp, weights)

    assert reason in str(refusal.value)


def test_weights_of_another_precision_are_taken(mlp: dict[str, Any], weights: dict[str, Tensor]) -> None:
    expected = encode(built(mlp, weights), PICTURES).mean

    found = encode(built(mlp, {name: tensor.double() for name, tensor in weights.items()}), PICTURES).mean

    torch.testing.assert_close(found, expected)
