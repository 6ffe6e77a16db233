import math

import pytest
import torch
from torch import nn

from bnvae.nn.networks import Dropout, use_generator


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("numbers", [1, 4, 7, 1000])
def test_the_mask_is_a_function_of_the_generator_alone(numbers: int) -> None:
    dropout, values = Dropout(0.5), torch.randn(numbers)
    use_generator(dropout, seeded(1))
    first = dropout(values)
    torch.manual_seed(99)
    use_generator(dropout, seeded(1))
    assert torch.equal(dropout(values), first)


def test_another_seed_gives_another_mask() -> None:
    dropout, values = Dropout(0.5), torch.ones(1000)
    use_generator(dropout, seeded(1))
    first = dropout(values)
    use_generator(dropout, seeded(2))
    assert not torch.equal(dropout(values), first)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_the_share_is_dropped_and_the_mean_is_kept(share: float) -> None:
    dropout, count = Dropout(share), 2**18
    use_generator(dropout, seeded(3))
    kept = dropout(torch.ones(count))
    # Five standard errors of a mean of independent draws; 1e-4 for the share's rounding to 1/65536.
    assert (kept == 0).float().mean() == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / count) + 1e-4)
    assert kept.mean() == pytest.approx(1, abs=5 * math.sqrt(share / (1 - share) / count) + 1e-6)


def test_neighbouring_masks_are_independent() -> None:
    dropout = Dropout(0.5)
    use_generator(dropout, seeded(4))
    kept = (dropout(torch.ones(2**16)) > 0).float() - 0.5
    for distance in range(1, 9):
        # The correlation of independent draws has the standard error 1 / sqrt(count).
        assert abs(float((kept[distance:] * kept[:-distance]).mean() * 4)) < 5 / 2**8


def test_gradients_pass_exactly_where_values_do() -> None:
    dropout, values = Dropout(0.3), torch.ones(3, 5, 7, requires_grad=True)
    use_generator(dropout, seeded(5))
    kept = dropout(values)
    kept.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, kept.detach())


def test_nothing_is_dropped_in_eval_mode() -> None:
    values = torch.randn(10)
    assert torch.equal(Dropout(0.9).eval()(values), values)


def test_the_type_of_the_values_is_kept() -> None:
    assert Dropout(0.5)(torch.ones(8, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_use_generator_reaches_nested_modules_and_none_gives_torchs_default() -> None:
    inner = Dropout(0.5)
    network = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), inner))
    generator = seeded(6)
    use_generator(network, generator)
    assert inner.generator is generator
    use_generator(network, None)
    torch.manual_seed(7)
    first = inner(torch.ones(100))
    torch.manual_seed(7)
    assert torch.equal(inner(torch.ones(100)), first)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"dropout is .*give a share"):
        Dropout(share)
