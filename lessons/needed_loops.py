"""The loops that vectorisation cannot remove: over epochs, batches and layers.

Each turn of these needs what the turn before has left. Done all at once they still give numbers,
and wrong ones; here those are held against the right ones.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from lessons.propagation import (
    Floats,
    Parameters,
    descend,
    forward,
    network_backward,
    network_forward,
)

Network = Sequence[Parameters]
WIDTHS = (12, 5, 5, 3, 1)  # the article's deep network, on pictures of 2 x 2 pixels
LR, EPOCHS, BATCHES = 0.1, 10, 10


class Batch(NamedTuple):
    """Some samples and their right answers."""

    X: Floats  # [n_0, m]
    Y: Floats  # [1, m]


def wrong_by() -> dict[str, float]:
    """Without each loop, how far probabilities come out wrong: the largest difference of any."""
    rng = np.random.default_rng(0)
    network = [_draw_layer(rng, *widths) for widths in itertools.pairwise(WIDTHS)]
    batches = [_draw_batch(rng) for _ in range(BATCHES)]
    everything = np.concatenate([batch.X for batch in batches], axis=1)
    epoch = train_by_hand(network, batches)
    epochs = train_by_hand(network, batches * EPOCHS)
    ahead = {
        "epochs": (epochs, moved(network, [epoch] * EPOCHS)),
        "batches": (epoch, moved(network, [train_by_hand(network, [batch]) for batch in batches])),
    }
    wrong = {
        loop: _apart(network_forward(everything, right)[0], network_forward(everything, other)[0])
        for loop, (right, other) in ahead.items()
    }
    before, now = batches[-2].X, batches[-1].X
    wrong["layers"] = _apart(network_forward(now, epochs)[0], layers_at_once(epochs, before))
    return wrong


def train_by_hand(network: Network, batches: Iterable[Batch]) -> Network:
    """One step for each batch, each from the weights that the step before has left."""
    for X, Y in batches:
        _, caches = network_forward(X, network)
        network = descend(network, network_backward(Y, caches), lr=LR)
    return network


def moved(network: Network, ends: Sequence[Network]) -> Network:
    """All ways from `network` to `ends`, gone at once: their changes are added up."""
    return [
        (
            W + sum(end[layer][0] - W for end in ends),
            b + sum(end[layer][1] - b for end in ends),
        )
        for layer, (W, b) in enumerate(network)
    ]


def layers_at_once(network: Network, before: Floats) -> Floats:
    """Probabilities where no layer waits for the one below.

    The new batch is given to all layers at the same moment. Only the first can use it: layer l has
    what layer l - 1 made of the batch before.

    Args:
        network: each layer's W and b, two layers or more.
        before: the batch before [n_0, m].

    Returns:
        [1, m].
    """
    _, caches = network_forward(before, network)
    return forward(caches[-1].A_prev, *network[-1], "sigmoid")[0]


def all_layers(X: Floats, network: Network) -> Floats:
    """A forward pass through ReLU layers; the one loop that is left is over layers."""
    for W, b in network:
        X, _ = forward(X, W, b, "relu")
    return X


def draw_deep(layers: int, width: int, samples: int) -> tuple[Floats, Network]:
    """A batch and a network of equally wide layers."""
    rng = np.random.default_rng(0)
    network = [_draw_layer(rng, width, width) for _ in range(layers)]
    return rng.uniform(-1, 1, (width, samples)), network


def _draw_layer(rng: np.random.Generator, n_prev: int, n: int) -> Parameters:
    bound = np.sqrt(6 / n_prev)
    return rng.uniform(-bound, bound, (n, n_prev)), np.zeros((n, 1))


def _draw_batch(rng: np.random.Generator) -> Batch:
    """Pictures of noise that are of class 1 where they are brighter than grey."""
    X = rng.uniform(-1, 1, (WIDTHS[0], 32))
    return Batch(X, (X.sum(0, keepdims=True) > 0).astype(float))


def _apart(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).max())
