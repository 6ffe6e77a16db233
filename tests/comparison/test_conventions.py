"""The same loss in other projects' words: factors by hand, and the balance that each of them really has."""

import math

import pytest

from bnvae.comparison.conventions import CONVENTIONS, CONVENTIONS_BY_NAME, Sizes, equivalent_beta, ledger

MNIST = Sizes(values=784, dimensions=16, batch_size=64, beta=0.5, modality="image")


def values(name: str, sizes: Sizes = MNIST) -> dict[str, float]:
    return {line.figure: line.value for line in ledger(CONVENTIONS_BY_NAME[name], 78.4, 16.0, sizes)}


def test_our_own_loss_is_a_sum_with_beta() -> None:
    assert values("bnvae: nats, summed") == {"distortion": 78.4, "rate": 16.0, "loss": 86.4, "ELBO": -94.4}


def test_means_over_pixels_divide_the_distortion_alone() -> None:
    found = values("mean over pixels, KL weight 0.00025")
    assert found["distortion"] == pytest.approx(0.1)
    assert found["rate"] == 16.0
    assert found["loss"] == pytest.approx(0.1 + 0.00025 * 16)
    assert found["ELBO"] == pytest.approx(-94.4 / 784)


def test_bits_are_nats_by_ln_two() -> None:
    found = values("bits")
    assert found["ELBO"] == pytest.approx(-94.4 / math.log(2))
    assert found["loss"] == pytest.approx(86.4 / math.log(2))


@pytest.mark.parametrize(
    ("name", "beta"),
    [
        ("bnvae: nats, summed", 0.5),
        ("mean over pixels, KL weight β / pixels", 0.5),
        ("mean over pixels, KL weight 1", 784),
        ("mean over pixels, KL weight 0.00025", 0.196),
        ("KL as a mean over dimensions", 1 / 16),
        ("sum over the batch", 0.5),
        ("bits", 0.5),
    ],
)
def test_the_balance_is_the_beta_of_sums(name: str, beta: float) -> None:
    assert equivalent_beta(CONVENTIONS_BY_NAME[name], MNIST) == pytest.approx(beta)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda convention: convention.name)
def test_a_loss_is_its_distortion_plus_the_weighted_rate(convention: object) -> None:
    found = {line.figure: line for line in ledger(convention, 78.4, 16.0, MNIST)}  # type: ignore[arg-type]
    weight = float(found["rate"].weight)
    assert found["loss"].value == pytest.approx(found["distortion"].value + weight * found["rate"].value, rel=1e-4)
    # What is minimised is ours at the equivalent beta, but for a factor.
    beta = equivalent_beta(convention, MNIST)  # type: ignore[arg-type]
    assert found["loss"].value / found["distortion"].value == pytest.approx((78.4 + beta * 16) / 78.4, rel=1e-4)
