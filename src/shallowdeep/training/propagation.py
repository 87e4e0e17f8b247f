"""Forward and backward propagation of the source article, for any stack of networks.

These functions take NumPy arrays and torch tensors with any axes in front; columns are samples.
They do not change their arguments. `lessons/propagation.py` builds whole networks from them.
"""

from typing import Any

Array = Any  # numpy.ndarray or torch.Tensor: whatever has @, +, *, >, .mT, .sum and .clip


def linear_forward(A_prev: Array, W: Array, b: Array) -> Array:
    """Z = W A_prev + b.

    Args:
        A_prev: the layer's inputs [..., n_prev, m], a column a sample.
        W: weights [..., n, n_prev].
        b: biases [..., n, 1].

    Returns:
        [..., n, m].
    """
    return W @ A_prev + b


def linear_backward(dZ: Array, A_prev: Array, W: Array) -> tuple[Array, Array, Array]:
    """Gradients of a linear layer, dW and db averaged over the samples.

    dA_prev = W^T dZ, dW = dZ A_prev^T / m, db = (sum of dZ's columns) / m.

    Args:
        dZ: gradient of each sample's loss with respect to Z [..., n, m].
        A_prev: what the layer was given [..., n_prev, m].
        W: its weights [..., n, n_prev].

    Returns:
        dA_prev [..., n_prev, m], dW [..., n, n_prev], db [..., n, 1].
    """
    m = dZ.shape[-1]
    return W.mT @ dZ, dZ @ A_prev.mT / m, dZ.sum(-1, keepdims=True) / m


def relu(Z: Array) -> Array:
    """max(0, Z), element by element."""
    return Z.clip(0)


def relu_backward(dA: Array, A: Array) -> Array:
    """Gradient before a ReLU: dA where its output A is above 0, else 0, also at 0."""
    return dA * (A > 0)
