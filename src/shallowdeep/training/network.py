"""Networks as stacks: the same layers of many independent runs side by side.

A network is its list of hidden widths, ReLU after each, and one output whose sigmoid is the
probability of the second class. No hidden layer makes it logistic regression. As in the article,
columns are samples.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from shallowdeep.training.propagation import linear_forward, relu

VECTOR = 64  # numbers; a multiple of every vector length of torch


Init = Literal["torch", "he"]  # as torch.nn.Linear, or for ReLU layers


class Layer(NamedTuple):
    """One fully connected layer of R runs."""

    weight: Tensor  # floating point [R, n, n_prev]
    bias: Tensor  # floating point [R, n, 1]


def draw(
    inputs: int,
    hidden: Sequence[int],
    generators: Sequence[torch.Generator],
    init: Init = "torch",
) -> list[Layer]:
    """Draw initial weights layer by layer, by torch's own functions.

    `torch` draws what `torch.nn.Linear` draws: weights and biases uniform in plus or minus
    1 / sqrt(n_prev), so of variance 1 / (3 n_prev). `he` (He et al. 2015, equation 10) draws
    weights of variance 2 / n_prev, uniform in plus or minus sqrt(6 / n_prev), which keeps the power
    of the signal through ReLU layers; biases are 0. Both consume the same random numbers: He's
    weights are sqrt(6) times torch's, and the batch orders that follow are the same.

    Args:
        inputs: numbers per sample.
        hidden: widths of the hidden layers.
        generators: one per run; with `torch`, a generator seeded with s gives the weights of
            ``torch.manual_seed(s); nn.Sequential(nn.Linear(...), ...)``.
        init: distribution of the weights.
    """
    networks = [_draw_run([inputs, *hidden, 1], generator, init) for generator in generators]
    return [
        Layer(*(torch.cat(tensors) for tensors in zip(*layers, strict=True)))
        for layers in zip(*networks, strict=True)
    ]


def _draw_run(widths: Sequence[int], generator: torch.Generator, init: Init) -> list[Layer]:
    layers = []
    for n_prev, n in itertools.pairwise(widths):
        weight, bias = torch.empty(1, n, n_prev), torch.empty(1, n, 1)
        slope = 0.0 if init == "he" else math.sqrt(5)
        torch.nn.init.kaiming_uniform_(weight[0], a=slope, generator=generator)
        bound = 1 / math.sqrt(n_prev)
        torch.nn.init.uniform_(bias, -bound, bound, generator=generator)
        layers.append(Layer(weight, bias.zero_() if init == "he" else bias))
    return layers


def product(a: Tensor, b: Tensor) -> Tensor:
    """Multiply two matrices; on a CPU in NumPy's BLAS.

    Pinned to instructions that every processor gives the same bits with (docker/run), it is three
    times as fast as torch's: 3.5 against 12 ms for [50, 49152] @ [49152, 32].
    """
    return torch.from_numpy(a.numpy() @ b.numpy()) if a.device.type == "cpu" else a @ b


def probability(logit: Tensor) -> Tensor:
    """1 / (1 + e^-logit), with the same bits for a value at any place in the tensor.

    On a CPU torch computes whole vectors, and a remainder by other code; padding leaves none.
    """
    count = logit.numel()
    if logit.device.type != "cpu" or count % VECTOR == 0:
        return logit.contiguous().sigmoid()
    padded = torch.zeros(-(-count // VECTOR) * VECTOR, dtype=logit.dtype)
    padded[:count] = logit.reshape(-1)
    return padded.sigmoid_()[:count].view(logit.shape)


def logits_above(Z: Tensor, layers: Sequence[Layer]) -> Tensor:
    """Outputs before the sigmoid, from the first layer's outputs `Z` [R, n, m]; returns [R, m]."""
    for layer in layers:
        Z = linear_forward(relu(Z), *layer)
    return Z[:, 0]
