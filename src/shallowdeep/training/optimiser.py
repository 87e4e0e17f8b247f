"""Stochastic gradient descent with momentum and weight decay, as `torch.optim.SGD` has them."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Array = Any  # numpy.ndarray or torch.Tensor, changed in place


@dataclass(eq=False)
class Optimiser:
    """Settings of SGD; the defaults are plain gradient descent.

    With gradient g, parameter w and velocity v (Sutskever et al. 2013, as PyTorch has it):

        g <- g + weight_decay w        v <- momentum v + g
        w <- w - lr v                  or, with Nesterov's momentum, w - lr (g + momentum v)
    """

    lr: float | tuple[float, ...]  # learning rate, or one for each run
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    _rates: dict[tuple[int, type], Array] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """True without momentum and weight decay: velocities are not used."""
        return not (self.momentum or self.weight_decay)

    def rate(self, like: Array, m: int = 1) -> Any:
        """Return lr / m: a number, or one a run as an array [R, 1, 1] of the kind of `like`.

        It is divided before it is rounded to the kind's precision, as a plain number is: a run has
        the same bits beside runs of other learning rates.
        """
        if not isinstance(self.lr, tuple):
            return self.lr / m
        kind = (m, type(like))
        if kind not in self._rates:
            rates = torch.tensor([lr / m for lr in self.lr], dtype=torch.float64)[:, None, None]
            is_tensor = isinstance(like, Tensor)
            self._rates[kind] = rates.to(like) if is_tensor else rates.numpy().astype(like.dtype)
        return self._rates[kind]

    def descend(self, parameter: Array, gradient: Array, velocity: Array) -> None:
        """Take one step in place; `gradient` is of the shape of `parameter` and is not kept."""
        if self.is_plain:
            parameter -= self.rate(gradient) * gradient
            return
        gradient = gradient + self.weight_decay * parameter
        velocity *= self.momentum
        velocity += gradient
        if self.nesterov:
            parameter -= self.rate(gradient) * (gradient + self.momentum * velocity)
        else:
            parameter -= self.rate(gradient) * velocity
