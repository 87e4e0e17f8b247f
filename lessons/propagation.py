"""One network by hand, layer by layer as in the source article; columns are samples.

All arrays are NumPy's, and no function changes its arguments. The linear and ReLU parts are those
of the pipeline's solvers.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shallowdeep.training.propagation import (
    linear_backward,
    linear_forward,
    relu,
    relu_backward,
)

Floats = NDArray[np.floating[Any]]
Activation = Literal["relu", "sigmoid"]
Parameters = tuple[Floats, Floats]  # a layer's W [n, n_prev] and b [n, 1]; or dW and db


class Cache(NamedTuple):
    """Values of a layer's forward pass that its backward pass needs."""

    A_prev: Floats  # [n_prev, m]
    W: Floats  # [n, n_prev]
    A: Floats  # [n, m]


def sigmoid(Z: Floats) -> Floats:
    """1 / (1 + e^-Z), element by element, with no power of e above 1: nothing overflows."""
    e = np.exp(-np.abs(Z))
    A: Floats = np.where(Z >= 0, 1, e) / (1 + e)
    return A


def sigmoid_backward(dA: Floats, A: Floats) -> Floats:
    """Gradient before a sigmoid: dA A (1 - A), with A kept inside 0 and 1 as the loss keeps it."""
    A = _inside(A)
    return dA * A * (1 - A)


def forward(A_prev: Floats, W: Floats, b: Floats, activation: Activation) -> tuple[Floats, Cache]:
    """One layer: A = g(W A_prev + b).

    Args:
        A_prev: the layer's inputs [n_prev, m].
        W: weights [n, n_prev].
        b: biases [n, 1].
        activation: g, `relu` or `sigmoid`.

    Returns:
        A [n, m], and what `backward` needs.

    Raises:
        ValueError: an activation that is neither.
    """
    _check(activation)
    Z = linear_forward(A_prev, W, b)
    A = relu(Z) if activation == "relu" else sigmoid(Z)
    return A, Cache(A_prev, W, A)


def backward(dA: Floats, cache: Cache, activation: Activation) -> tuple[Floats, Floats, Floats]:
    """Gradients of one layer: dZ = dA g'(Z), and from it those of the linear part.

    Args:
        dA: gradient of each sample's loss with respect to A [n, m].
        cache: what `forward` gave.
        activation: the one that `forward` was given.

    Returns:
        dA_prev [n_prev, m] of each sample's loss; dW [n, n_prev] and db [n, 1] of the mean loss.

    Raises:
        ValueError: an activation that is neither `relu` nor `sigmoid`.
    """
    _check(activation)
    before = relu_backward if activation == "relu" else sigmoid_backward
    return linear_backward(before(dA, cache.A), cache.A_prev, cache.W)


def _check(activation: str) -> None:
    if activation not in ("relu", "sigmoid"):
        raise ValueError(f"activation: {activation!r} is neither 'relu' nor 'sigmoid'")


def binary_cross_entropy(A: Floats, Y: Floats) -> float:
    """Mean over the samples of -(Y log A + (1 - Y) log(1 - A)).

    A sigmoid rounds to 1 from Z = 37 on in float64. So that a wrong answer there costs much and not
    infinitely much, a probability of 0 or 1 counts as the nearest number between them: the loss is
    at most 708 for 0 and 37 for 1.

    Args:
        A: probabilities [1, m].
        Y: right answers, 0 or 1 [1, m].
    """
    A = _inside(A)
    return float(-np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A)))


def binary_cross_entropy_backward(A: Floats, Y: Floats) -> Floats:
    """Gradient of each sample's loss with respect to A: (1 - Y) / (1 - A) - Y / A.

    A is kept between 0 and 1 as in the loss. `sigmoid_backward` does the same, so that the two
    together give dZ = A - Y, to rounding, however far the sigmoid is saturated.

    Args:
        A: probabilities [1, m].
        Y: right answers, 0 or 1 [1, m].

    Returns:
        dA [1, m], finite.
    """
    A = _inside(A)
    return (1 - Y) / (1 - A) - Y / A


def _inside(A: Floats) -> Floats:
    """Move 0 and 1 to the nearest numbers between them; of those at 0 the nearest normal one."""
    limits = np.finfo(np.result_type(A, 0.0))
    return np.clip(A, limits.tiny, 1 - limits.epsneg)


def network_forward(X: Floats, network: Sequence[Parameters]) -> tuple[Floats, list[Cache]]:
    """All layers one after the other, ReLU between them and a sigmoid at the end.

    Args:
        X: inputs [n_0, m].
        network: each layer's W [n_l, n_(l-1)] and b [n_l, 1], first layer first; the last n_l is 1.

    Returns:
        Probabilities [1, m], and each layer's cache.
    """
    A, caches = X, []
    for (W, b), activation in zip(network, _activations(len(network)), strict=True):
        A, cache = forward(A, W, b, activation)
        caches.append(cache)
    return A, caches


def network_backward(Y: Floats, caches: Sequence[Cache]) -> list[Parameters]:
    """Gradients of the mean binary cross-entropy, from the last layer to the first.

    Args:
        Y: right answers, 0 or 1 [1, m].
        caches: what `network_forward` gave.

    Returns:
        Each layer's dW and db, in the shapes of W and b, first layer first.
    """
    dA = binary_cross_entropy_backward(caches[-1].A, Y)
    gradients = []
    for cache, activation in zip(
        reversed(caches), reversed(_activations(len(caches))), strict=True
    ):
        dA, dW, db = backward(dA, cache, activation)
        gradients.append((dW, db))
    return gradients[::-1]


def _activations(depth: int) -> list[Activation]:
    hidden: list[Activation] = ["relu"] * (depth - 1)
    return [*hidden, "sigmoid"]


def descend(
    network: Sequence[Parameters], gradients: Sequence[Parameters], *, lr: float
) -> list[Parameters]:
    """One step of gradient descent, W - lr dW and b - lr db; the network given stays as it was."""
    return [(W - lr * dW, b - lr * db) for (W, b), (dW, db) in zip(network, gradients, strict=True)]
