"""Stochastic gradient descent with momentum and weight decay, as `torch.optim.SGD` has them."""

from typing import Any, NamedTuple

Array = Any  # numpy.ndarray or torch.Tensor, changed in place


class Optimiser(NamedTuple):
    """Settings of SGD; the defaults are plain gradient descent.

    With gradient g, parameter w and velocity v (Sutskever et al. 2013, as PyTorch has it):

        g <- g + weight_decay w        v <- momentum v + g
        w <- w - lr v                  or, with Nesterov's momentum, w - lr (g + momentum v)
    """

    lr: float  # learning rate
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    @property
    def is_plain(self) -> bool:
        """True without momentum and weight decay: velocities are not used."""
        return not (self.momentum or self.weight_decay)

    def descend(self, parameter: Array, gradient: Array, velocity: Array) -> None:
        """Take one step in place; `gradient` is of the shape of `parameter` and is not kept."""
        if self.is_plain:
            parameter -= self.lr * gradient
            return
        gradient = gradient + self.weight_decay * parameter
        velocity *= self.momentum
        velocity += gradient
        if self.nesterov:
            parameter -= self.lr * (gradient + self.momentum * velocity)
        else:
            parameter -= self.lr * velocity
