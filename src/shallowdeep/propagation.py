"""Forward and backward propagation by hand, in the source article's terms; columns are samples."""

from typing import Any, TypeVar

Array = TypeVar("Array", bound=Any)


def linear_forward(A_prev: Array, W: Array, b: Array) -> Array:
    """Z = W A_prev + b."""
    return W @ A_prev + b


def linear_backward(dZ: Array, A_prev: Array, W: Array) -> tuple[Array, Array, Array]:
    """dA_prev = W^T dZ, dW = dZ A_prev^T / m, db = sum of dZ / m."""
    m = dZ.shape[-1]
    return W.mT @ dZ, dZ @ A_prev.mT / m, dZ.sum(-1, keepdims=True) / m


def relu(Z: Array) -> Array:
    """max(0, Z)."""
    return Z.clip(0)


def relu_backward(dA: Array, A: Array) -> Array:
    """dZ = dA where A > 0, else 0."""
    return dA * (A > 0)
