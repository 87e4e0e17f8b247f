"""One layer with its loops written out, each of which can be vectorised by itself.

The article's layer has three loops that vectorisation removes: over samples, neurons and features.
All eight combinations are here; `make vectorization` measures them. The three
loops around a layer, over epochs, batches and layers, are in `needed_loops`.
"""

import itertools
import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from lessons.propagation import Floats
from shallowdeep.training.propagation import relu, relu_backward


class Loops(NamedTuple):
    """The loops that are written out; the others are vectorised."""

    samples: bool
    neurons: bool
    features: bool

    def __str__(self) -> str:
        """Their names."""
        written = [name for name, out in zip(self._fields, self, strict=True) if out]
        return ", ".join(written) or "none"


NONE = Loops(samples=False, neurons=False, features=False)
VARIANTS = [Loops(*out) for out in itertools.product((False, True), repeat=3)]


def forward(A_prev: Floats, W: Floats, b: Floats, *, loops: Loops) -> Floats:
    """A = relu(W A_prev + b).

    A loop that is written out takes its indices one by one, a vectorised one all at once.

    Args:
        A_prev: the layer's inputs [n_prev, m].
        W: weights [n, n_prev].
        b: biases [n, 1].
        loops: which loops to write out.

    Returns:
        [n, m].
    """
    (n, n_prev), m = W.shape, A_prev.shape[1]
    times = _product(summed=loops.features, others=(loops.neurons, loops.samples))
    Z, A = np.repeat(b, m, axis=1), np.empty((n, m))
    for j in _indices(m, loops.samples):
        for i in _indices(n, loops.neurons):
            for k in _indices(n_prev, loops.features):
                Z[i, j] += times(W[i, k], A_prev[k, j])
            A[i, j] = relu(Z[i, j])
    return A


def backward(
    dA: Floats, A_prev: Floats, W: Floats, A: Floats, *, loops: Loops
) -> tuple[Floats, Floats, Floats]:
    """The layer's gradients: dA_prev = W^T dZ, dW = dZ A_prev^T / m, db = (sum over dZ) / m.

    Args:
        dA: gradient of each sample's loss with respect to A [n, m].
        A_prev: the layer's inputs [n_prev, m].
        W: weights [n, n_prev].
        A: the layer's outputs [n, m].
        loops: which loops to write out.

    Returns:
        dA_prev [n_prev, m], dW [n, n_prev], db [n, 1].
    """
    (n, n_prev), m = W.shape, A_prev.shape[1]
    times_W = _product(summed=loops.neurons, others=(loops.features, loops.samples))
    times_A_prev = _product(summed=loops.samples, others=(loops.neurons, loops.features))
    dA_prev, dW, db = np.zeros_like(A_prev), np.zeros_like(W), np.zeros((n, 1))
    W_T, A_prev_T = W.T, A_prev.T
    for j in _indices(m, loops.samples):
        for i in _indices(n, loops.neurons):
            dZ = relu_backward(dA[i, j], A[i, j])
            for k in _indices(n_prev, loops.features):
                dA_prev[k, j] += times_W(W_T[k, i], dZ)
                dW[i, k] += times_A_prev(dZ, A_prev_T[j, k])
            db[i, 0] += dZ if loops.samples else dZ.sum(-1)
    return dA_prev, dW / m, db / m


def _indices(count: int, written_out: bool) -> Iterable[Any]:
    """All indices one by one, or all at once."""
    return range(count) if written_out else [slice(None)]


def _product(*, summed: bool, others: tuple[bool, bool]) -> Callable[[Any, Any], Any]:
    """The product at the heart of the loops.

    Args:
        summed: is the loop written out over whose index products are added up?
        others: are the loops over the other two indices?

    Returns:
        A dot product that adds up by itself; else plain times, or each with each of two vectors.
    """
    if not summed:
        return np.dot
    return operator.mul if any(others) else np.multiply.outer
