"""The optimisers do what torch's classes of the same name do, without importing a compiler."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from bnvae.training.optimizer import Adam, Optimiser, Sgd

Pair = tuple[type[Optimiser], type[torch.optim.Optimizer]]


def parameters_of_a_network() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(5, 3), (5,), (2, 5), (2,)]
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("pair", [(Adam, torch.optim.Adam), (Sgd, torch.optim.SGD)])
def test_every_step_is_that_of_torch(pair: Pair, fused: bool) -> None:
    ours, theirs = parameters_of_a_network(), parameters_of_a_network()
    optimiser = pair[0](ours, 0.1, fused=fused)
    reference = pair[1](theirs, lr=0.1, fused=fused, foreach=False)  # type: ignore[call-arg]
    generator = torch.Generator().manual_seed(1)
    for step in range(6):
        if step == 3:
            optimiser.learning_rate = reference.param_groups[0]["lr"] = 0.01
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            # The second has no gradient at first, the last never.
            has_gradient = index != 3 and not (index == 1 and step < 2)
            gradient = torch.randn(one.shape, generator=generator)
            one.grad, other.grad = (gradient.clone(), gradient / 4) if has_gradient else (None, None)
        optimiser.step(torch.tensor(4.0))
        reference.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)
    assert not torch.equal(ours[0], parameters_of_a_network()[0])
    assert torch.equal(ours[3], parameters_of_a_network()[3])


def test_what_does_not_belong_to_the_model_is_refused_and_changes_nothing() -> None:
    optimiser = Adam(parameters_of_a_network(), 0.1, fused=True)
    for wrong in (
        {0: {"exp_avg": torch.zeros(3, 5)}},
        {0: {"momentum": torch.zeros(5, 3)}},
        {9: {"step": torch.zeros(())}},
    ):
        with pytest.raises(ValueError, match=r"optimiser's '\w+' of parameter \d has shape"):
            optimiser.load(wrong)
    assert optimiser.state == {}


def test_a_step_imports_no_compiler() -> None:
    program = """
import sys, torch
from torch import nn
from bnvae.training.optimizer import Adam, Sgd
for kind in (Adam, Sgd):
    parameter = nn.Parameter(torch.ones(3))
    parameter.grad = torch.ones(3)
    kind([parameter], 0.1, fused=True).step(torch.tensor(2.0))
    assert parameter[0] < 1
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=120).returncode == 0
