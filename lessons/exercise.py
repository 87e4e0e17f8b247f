"""An exercise: the way back with a mistake in it, and the check of gradients that finds it.

    python -m lessons.exercise

docs/depth.md sets the exercise and has the solution.
"""

from collections.abc import Callable, Sequence

import numpy as np

from lessons.by_hand import LR, NETWORK, X, Y
from lessons.needed_loops import Network
from lessons.propagation import (
    Cache,
    Floats,
    Parameters,
    binary_cross_entropy,
    descend,
    network_backward,
    network_forward,
)
from shallowdeep.training.propagation import linear_backward

Backward = Callable[[Floats, Sequence[Cache]], list[Parameters]]

NUDGE = 1e-5


def backward_with_a_mistake(Y: Floats, caches: Sequence[Cache]) -> list[Parameters]:
    """Gradients of the mean loss, as `network_backward`; but one character is wrong."""
    dZ, gradients = caches[-1].A - Y, []
    for layer in reversed(range(len(caches))):
        A_prev, W, _ = caches[layer]
        dA_prev, dW, db = linear_backward(dZ, A_prev, W)
        gradients.append((dW, db))
        dZ = dA_prev * (A_prev >= 0)
    return gradients[::-1]


def check_gradients(
    backward: Backward, network: Network = NETWORK, X: Floats = X, Y: Floats = Y
) -> list[tuple[float, float]]:
    """Compare gradients with differences of the loss, weight by weight.

    Returns:
        For each layer how far dW and db are off: 0 right to rounding, 1 all wrong.
    """
    _, caches = network_forward(X, network)
    return [
        (
            _apart(dW, _differences(network, layer, 0, X, Y)),
            _apart(db, _differences(network, layer, 1, X, Y)),
        )
        for layer, (dW, db) in enumerate(backward(Y, caches))
    ]


def _differences(network: Network, layer: int, which: int, X: Floats, Y: Floats) -> Floats:
    """(loss with a weight a little larger - loss with it a little smaller) / twice as little."""
    slopes = np.zeros_like(network[layer][which])
    for index in np.ndindex(slopes.shape):
        losses = []
        for nudge in (NUDGE, -NUDGE):
            moved = [[W.copy(), b.copy()] for W, b in network]
            moved[layer][which][index] += nudge
            A, _ = network_forward(X, [(W, b) for W, b in moved])
            losses.append(binary_cross_entropy(A, Y))
        slopes[index] = (losses[0] - losses[1]) / (2 * NUDGE)
    return slopes


def _apart(gradient: Floats, slopes: Floats) -> float:
    lengths = np.linalg.norm(gradient) + np.linalg.norm(slopes)
    return float(np.linalg.norm(gradient - slopes) / lengths)


def losses_by_step(backward: Backward, steps: int = 10) -> list[float]:
    """Losses of the network of docs/by-hand.md before and after each step of training."""
    network: Network = NETWORK
    losses = []
    for _ in range(steps + 1):
        A, caches = network_forward(X, network)
        losses.append(binary_cross_entropy(A, Y))
        network = descend(network, backward(Y, caches), lr=LR)
    return losses


def main() -> None:
    """Check the way back with the mistake, then the right one."""
    for backward in (backward_with_a_mistake, network_backward):
        print(f"{backward.__name__}: loss by step", *(f"{x:.3f}" for x in losses_by_step(backward)))
        for layer, (dW, db) in enumerate(check_gradients(backward), 1):
            print(f"  layer {layer}: dW{layer} off by {dW:.1g}, db{layer} by {db:.1g}")


if __name__ == "__main__":
    main()
