"""Information of a dimension about a factor: known cases, an integral, and its bound."""

import math

import pytest
import torch
from scipy.integrate import quad
from sklearn.metrics import mutual_info_score

from bnvae.metrics.factors.factor_information import factor_information
from bnvae.nn.posterior import Posterior

COUNT = 4000


def two_classes(distance: float, std: float) -> tuple[Posterior, torch.Tensor]:
    """Posterior means at -distance and +distance, half of the examples each."""
    classes = torch.arange(COUNT) % 2
    mean = (distance * (2.0 * classes - 1))[:, None]
    return Posterior(mean, torch.full_like(mean, std)), classes


def test_a_dimension_that_names_the_class_carries_its_entropy() -> None:
    posterior, classes = two_classes(1.0, 0.01)
    found = factor_information(posterior, {"class": classes})
    assert found.entropy.tolist() == pytest.approx([math.log(2)])
    # The chance of 4,000 examples, (2 - 1)(2 - 1) / 2N, is subtracted.
    assert found.information.item() == pytest.approx(math.log(2), abs=1e-3)


@pytest.mark.parametrize(("distance", "std"), [(0.7, 0.7), (0.5, 0.9), (0.2, 1.0)])
def test_noise_takes_away_what_an_integral_says(distance: float, std: float) -> None:
    def normal(z: float, mean: float) -> float:
        return math.exp(-0.5 * ((z - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))

    def term(z: float) -> float:
        near, mixed = normal(z, distance), 0.5 * (normal(z, distance) + normal(z, -distance))
        return near * math.log(near / mixed)

    expected = quad(term, distance - 8 * std, distance + 8 * std)[0]
    posterior, classes = two_classes(distance, std)
    # 32 intervals blur the line a little: less than 2 % of the information.
    assert factor_information(posterior, {"class": classes}).information.item() == pytest.approx(expected, rel=0.02)


def test_without_noise_it_is_scikit_learns_score_of_the_intervals() -> None:
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(COUNT, 1, generator=generator)
    factor = ((mean[:, 0] + torch.randn(COUNT, generator=generator)) > 0).long()
    found = factor_information(Posterior(mean, torch.full_like(mean, 1e-6)), {"factor": factor})
    intervals = (torch.special.ndtr(mean[:, 0].double()) * 32).long()
    expected = mutual_info_score(intervals.numpy(), factor.numpy())
    assert (found.information + found.chance).item() == pytest.approx(expected, abs=1e-6)


def test_a_dead_dimension_tells_nothing_though_its_means_would_give_the_class_away() -> None:
    posterior, classes = two_classes(0.001, 1.0)
    assert factor_information(posterior, {"class": classes}).information.item() < 1e-5


def test_a_factor_that_is_independent_of_the_code_is_at_chance() -> None:
    generator = torch.Generator().manual_seed(1)
    mean = torch.randn(COUNT, 3, generator=generator)
    posterior = Posterior(mean, torch.full_like(mean, 0.001))
    many = torch.randint(0, 57, (COUNT,), generator=generator)
    found = factor_information(posterior, {"many": many})
    assert float(found.chance.min()) > 0.15  # about (32 - 1)(57 - 1) / 2N = 0.22
    assert float(found.information.max()) < 0.03


def test_no_factor_tells_more_than_the_dimensions_kl() -> None:
    generator = torch.Generator().manual_seed(2)
    mean = torch.linspace(0, 1.5, 8) * torch.randn(COUNT, 8, generator=generator)
    posterior = Posterior(mean, torch.full_like(mean, 0.7))
    kl = posterior.kl_per_dimension().double().mean(0)
    found = factor_information(posterior, {f"z{d}": mean[:, d] for d in range(8)})
    assert bool((found.information <= kl[:, None]).all())
    assert found.information.argmax(0)[1:].tolist() == list(range(1, 8))  # dimension 0 does not move


def test_numbers_are_cut_into_ten_equal_parts() -> None:
    mean = torch.zeros(COUNT, 1)
    found = factor_information(Posterior(mean, torch.ones_like(mean)), {"x": torch.rand(COUNT) ** 3})
    assert found.entropy.item() == pytest.approx(math.log(10), abs=1e-4)


def test_odd_inputs_have_an_answer() -> None:
    mean = torch.randn(20, 2)
    mean[3, 1] = math.nan
    posterior = Posterior(mean, torch.ones_like(mean))
    found = factor_information(posterior, {"constant": torch.zeros(20), "one": torch.full((20,), 7)})
    assert found.examples == 19
    assert found.information.abs().max() < 1e-12
    assert found.entropy.tolist() == [0, 0]
    none = factor_information(Posterior(mean[:0], mean[:0]), {"one": torch.zeros(0)})
    assert none.information.tolist() == [[0], [0]]
    with pytest.raises(ValueError, match="'few' has 3 values for 20"):
        factor_information(posterior, {"few": torch.zeros(3)})
