"""Adam and SGD by torch's own functions, without `torch.optim.Optimizer` around them.

The class imports `torch._dynamo` when the first one is made, over a second of a worker's start, and takes 0.3 ms of
Python a step, 3 % of a small network's (both measured).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Final, final

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

BETA_MEAN: Final = 0.9
BETA_SQUARE: Final = 0.999
EPS: Final = 1e-8
"""Adam's constants, as in Kingma & Ba 2015, arXiv:1412.6980"""


class Optimiser(ABC):
    """Steps down the gradients of its parameters; those that have none stay as they are.

    No weight decay: it would shrink what a head divides by, until its floor is breached.
    """

    def __init__(self, parameters: Iterable[Tensor], learning_rate: float, *, fused: bool) -> None:
        """`fused`: one kernel for all parameters instead of a dozen each, where the device has one."""
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.fused = fused
        self.state: dict[int, dict[str, Tensor]] = {}
        """what is remembered of each parameter that has moved, by its place and a name"""

    @torch.no_grad()
    def step(self, divisor: Tensor | None = None) -> None:
        """One step along the gradients divided by `divisor`; it may divide them in place."""
        moving = [index for index, parameter in enumerate(self.parameters) if parameter.grad is not None]
        if not moving:
            return
        parameters = [self.parameters[index] for index in moving]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if divisor is not None and not self.fused:
            torch._foreach_div_(gradients, divisor)
            divisor = None
        # The kernel divides on its way, as for `torch.amp.GradScaler`, and saves one pass over memory.
        self._update(moving, parameters, gradients, divisor)

    @abstractmethod
    def _update(
        self, moving: list[int], parameters: list[Tensor], gradients: list[Tensor], divisor: Tensor | None
    ) -> None: ...

    def load(self, state: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Go on from what another one remembered.

        Raises:
            ValueError: a parameter or a name is not one of this optimiser's, or a shape does not fit.
        """
        places = [index for index in state if 0 <= index < len(self.parameters)]
        fresh = {index: self._begin(self.parameters[index]) for index in places}
        for index, values in state.items():
            known = fresh.get(index, {})
            for name, value in values.items():
                if name not in known or known[name].shape != value.shape:
                    wanted = tuple(known[name].shape) if name in known else "no such value"
                    found = f"parameter {index} has shape {tuple(value.shape)}"
                    raise ValueError(f"the optimiser's {name!r} of {found}: expected {wanted}.")
                known[name].copy_(value)
        self.state = fresh

    @abstractmethod
    def _begin(self, parameter: Tensor) -> dict[str, Tensor]:
        """What is remembered of a parameter before its first step."""


@final
class Adam(Optimiser):
    """Kingma & Ba 2015, arXiv:1412.6980."""

    def _begin(self, parameter: Tensor) -> dict[str, Tensor]:
        return {
            "step": torch.zeros((), device=parameter.device if self.fused else "cpu"),
            "exp_avg": torch.zeros_like(parameter, requires_grad=False),
            "exp_avg_sq": torch.zeros_like(parameter, requires_grad=False),
        }

    def _update(
        self, moving: list[int], parameters: list[Tensor], gradients: list[Tensor], divisor: Tensor | None
    ) -> None:
        for index, parameter in zip(moving, parameters, strict=True):
            if index not in self.state:
                self.state[index] = self._begin(parameter)
        states = [self.state[index] for index in moving]
        adam(
            parameters,
            gradients,
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            foreach=False,
            fused=self.fused,
            grad_scale=divisor,
            amsgrad=False,
            beta1=BETA_MEAN,
            beta2=BETA_SQUARE,
            lr=self.learning_rate,
            weight_decay=0.0,
            eps=EPS,
            maximize=False,
        )


@final
class Sgd(Optimiser):
    """Plain stochastic gradient descent: no momentum, so that nothing is remembered."""

    def _begin(self, parameter: Tensor) -> dict[str, Tensor]:
        return {}

    def _update(
        self, moving: list[int], parameters: list[Tensor], gradients: list[Tensor], divisor: Tensor | None
    ) -> None:
        sgd(
            parameters,
            gradients,
            [None] * len(parameters),
            foreach=False,
            fused=self.fused,
            grad_scale=divisor,
            weight_decay=0.0,
            momentum=0.0,
            lr=self.learning_rate,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )
