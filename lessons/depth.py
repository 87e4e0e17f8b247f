"""Measure how signal and gradient pass through the layers, as torch and as He et al. draw weights.

data/prepared -> benchmarks/depth.csv, docs/depth.md, docs/depth.svg
"""

import argparse
import csv
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from lessons.needed_loops import Network
from lessons.propagation import (
    Floats,
    binary_cross_entropy,
    binary_cross_entropy_backward,
    descend,
    network_backward,
    network_forward,
    sigmoid_backward,
)
from shallowdeep.files.cores import available_cores
from shallowdeep.files.errors import InputError, one_line_errors
from shallowdeep.training.propagation import linear_forward, relu_backward

HIDDEN = {"shallow": (4,), "deep": (5, 5, 3)}
RUNS, EPOCHS, BATCH, LR = 30, 10, 32, 0.01
SHOWN = (0, 1, 3, 10)  # epochs after which the layers are measured


class Init(NamedTuple):
    """A way of drawing weights, and one of drawing biases."""

    weights: Literal["torch", "he"]
    biases: Literal["torch", "0"]


TORCH, HE = Init("torch", "torch"), Init("he", "0")  # `init: torch` and `init: he` of params.yaml
INITS = (TORCH, Init("torch", "0"), Init("he", "torch"), HE)


class Row(NamedTuple):
    """One layer of one network after some epochs, over all training pictures."""

    network: str
    weights: str
    biases: str
    run: int
    epoch: int
    layer: int  # from 1; the last is the output, before its sigmoid
    power: float  # mean of Z squared
    signal: float  # variance of Z over pictures, mean over neurons: the power that tells them apart
    gradient: float  # mean square of dZ, of each picture's loss
    dead: int  # neurons that are 0 for every picture
    loss: float  # of the network: mean binary cross-entropy


class Pictures(NamedTuple):
    """Training pictures, and which are of the second class."""

    X: Floats  # float32 [m, n_0]; a row a picture, so that a batch is quickly gathered
    Y: Floats  # float32 [1, m]


def read_fold_0(prepared: Path) -> Pictures:
    """Read the pictures that fold 0 trains on: parts 2 to 9 of ten; 0 is tested, 1 validates."""
    try:
        with (prepared / "manifest.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        pictures = np.load(prepared / "pictures.npy", mmap_mode="r")
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: not found; `dvc repro prepare` makes it") from None
    train = [number for number, row in enumerate(rows) if int(row["fold"]) > 1]
    X = pictures[train].reshape(len(train), -1).astype(np.float32)
    X /= 127.5
    X -= 1
    return Pictures(X, np.array([[float(rows[number]["label"]) for number in train]], np.float32))


def draw_weights(
    inputs: int, hidden: Sequence[int], init: Init, rng: np.random.Generator
) -> Network:
    """Draw a network; all ways of drawing scale the same random numbers.

    `torch`: uniform in +- 1 / sqrt(n_prev), as `torch.nn.Linear`. `he`: in +- sqrt(6 / n_prev).
    """
    network = []
    for n_prev, n in itertools.pairwise([inputs, *hidden, 1]):
        W, b = (rng.uniform(-1, 1, (n, columns)) / np.sqrt(n_prev) for columns in (n_prev, 1))
        W *= np.sqrt(6) if init.weights == "he" else 1
        b *= init.biases == "torch"
        network.append((W.astype(np.float32), b.astype(np.float32)))
    return network


def train(pictures: Pictures, network: Network, rng: np.random.Generator) -> Iterator[Network]:
    """Yield the network before training, and after each epoch of mini-batch gradient descent."""
    yield network
    while True:
        order = rng.permutation(len(pictures.X))
        for rows in np.split(order, range(BATCH, len(order), BATCH)):
            _, caches = network_forward(pictures.X[rows].T, network)
            gradients = network_backward(pictures.Y[:, rows], caches)
            network = descend(network, gradients, lr=LR)
        yield network


def measure_layers(pictures: Pictures, network: Network) -> list[tuple[float, float, float, int]]:
    """Measure power, signal, gradient and dead neurons of each layer, as in Row."""
    A, caches = network_forward(pictures.X.T, network)
    dZ = sigmoid_backward(binary_cross_entropy_backward(A, pictures.Y), A)
    measured = []
    for (W, b), (A_prev, _, A) in zip(reversed(network), reversed(caches), strict=True):
        Z = linear_forward(A_prev, W, b)
        dead = int((A <= 0).all(axis=1).sum())
        power, signal = float(np.square(Z).mean()), float(Z.var(axis=1).mean())
        measured.append((power, signal, float(np.square(dZ).mean()), dead))
        if A_prev.shape != pictures.X.T.shape:
            dZ = relu_backward(W.T @ dZ, A_prev)
    return measured[::-1]


def measure_run(
    pictures: Pictures, name: str, init: Init, run: int, *, epochs: int = EPOCHS
) -> Iterator[Row]:
    """Train one network, and measure its layers after the epochs that are shown."""
    rng = np.random.default_rng(run)
    start = draw_weights(pictures.X.shape[1], HIDDEN[name], init, rng)
    for epoch, network in zip(range(epochs + 1), train(pictures, start, rng), strict=False):
        if epoch in SHOWN:
            loss = binary_cross_entropy(network_forward(pictures.X.T, network)[0], pictures.Y)
            for layer, found in enumerate(measure_layers(pictures, network), 1):
                yield Row(name, init.weights, init.biases, run, epoch, layer, *found, loss)


def measure_all(pictures: Pictures) -> Iterator[Row]:
    """Measure the deep network drawn in all four ways, and the shallow one in two."""
    networks = [("deep", init) for init in INITS] + [("shallow", init) for init in (TORCH, HE)]
    tasks = [(name, init, run) for (name, init), run in itertools.product(networks, range(RUNS))]
    with ThreadPoolExecutor(available_cores()) as pool:
        for rows in pool.map(lambda task: list(measure_run(pictures, *task)), tasks):
            yield from rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure signal and gradient by layer; write the figures, the chart and the page."""
    from lessons import depth_page

    parser = argparse.ArgumentParser("python -m lessons.depth", description=main.__doc__)
    parser.add_argument("--prepared", type=Path, default=Path("data/prepared"))
    parser.add_argument("--to", type=Path, default=Path(), help="folder of docs/ and benchmarks/")
    options = parser.parse_args(arguments)
    with one_line_errors("depth"), threadpool_limits(1):
        depth_page.write_figures(options.to, measure_all(read_fold_0(options.prepared)))
        depth_page.write_page(options.to)


if __name__ == "__main__":
    main()
