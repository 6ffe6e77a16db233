import math

import torch
from torch import nn
from torch.distributions import Bernoulli, Normal

from bnvae.nn.networks.likelihoods import BernoulliLikelihood, GaussianLikelihood, TokenLikelihood, token_logits


def pictures(levels: list[int]) -> torch.Tensor:
    choices = torch.tensor(levels, dtype=torch.uint8)
    return choices[torch.randint(len(levels), (4, 3, 5, 6))]


def test_black_and_white_pixels_have_the_bernoulli_log_probability() -> None:
    logits, examples = 3 * torch.randn(4, 3, 5, 6), pictures([0, 255])
    expected = Bernoulli(logits=logits).log_prob((examples > 0).float()).sum((1, 2, 3))  # type: ignore[no-untyped-call]
    torch.testing.assert_close(BernoulliLikelihood(logits).log_prob(examples), expected, rtol=1e-5, atol=1e-3)


def test_a_grey_pixel_has_the_cross_entropy() -> None:
    grey = torch.full((1, 1, 1, 1), 51, dtype=torch.uint8)  # 51 / 255 = 0.2
    likelihood = BernoulliLikelihood(torch.full((1, 1, 1, 1), math.log(0.7 / 0.3)))
    expected = 0.2 * math.log(0.7) + 0.8 * math.log(0.3)
    torch.testing.assert_close(likelihood.log_prob(grey), torch.tensor([expected]))
    torch.testing.assert_close(likelihood.mean.flatten(), torch.tensor([0.7]))


def test_sure_and_wrong_pixels_cost_their_logit_and_stay_finite() -> None:
    likelihood = BernoulliLikelihood(torch.full((1, 1, 1, 1), 1000.0))
    assert likelihood.log_prob(torch.zeros(1, 1, 1, 1, dtype=torch.uint8)).item() == -1000


def test_colour_pixels_have_the_normal_log_density() -> None:
    mean, log_scale, examples = torch.rand(4, 3, 5, 6), torch.tensor(-1.3), pictures(list(range(256)))
    expected = Normal(mean, log_scale.exp()).log_prob(examples / 255).sum((1, 2, 3))  # type: ignore[no-untyped-call]
    torch.testing.assert_close(GaussianLikelihood(mean, log_scale).log_prob(examples), expected, rtol=1e-5, atol=1e-3)


def test_the_mean_of_colour_pixels_can_be_shown() -> None:
    mean = GaussianLikelihood(torch.tensor([-0.5, 0.25, 1.5]).view(1, 3, 1, 1), torch.tensor(0.0)).mean
    assert mean.flatten().tolist() == [0, 0.25, 1]


def test_sums_over_pixels_are_float32_for_bf16_logits() -> None:
    logits = torch.zeros(1, 1, 64, 64, dtype=torch.bfloat16)
    found = BernoulliLikelihood(logits).log_prob(torch.zeros(1, 1, 64, 64, dtype=torch.uint8))
    torch.testing.assert_close(found, torch.tensor([-4096 * math.log(2)]))


def test_a_sentence_costs_its_tokens_and_its_end_and_no_padding() -> None:
    output = nn.Linear(2, 3)  # END, UNKNOWN and one word
    with torch.no_grad():
        output.weight.zero_()
        output.bias.copy_(torch.tensor([0.5, 0.2, 0.3]).log())
    likelihood = TokenLikelihood(torch.randn(2, 3, 2), output)
    sentences = torch.tensor([[1, 4, 4, 2], [1, 2, 0, 0]], dtype=torch.int32)
    tokens = torch.tensor([[0.3, 0.3, 0.5], [0.5, 1, 1]]).log()
    torch.testing.assert_close(likelihood.log_prob_per_token(sentences), tokens)
    torch.testing.assert_close(likelihood.log_prob(sentences), torch.tensor([0.3 * 0.3 * 0.5, 0.5]).log())


def test_padding_and_the_start_are_never_predicted() -> None:
    probabilities = token_logits(torch.randn(7, 2), nn.Linear(2, 3)).softmax(1)
    assert probabilities.shape == (7, 5)
    assert not probabilities[:, :2].any()
