"""First table: seconds per epoch and network, and memory, of every peer on the same pictures."""

import math
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from peers import BATCH_SIZE, LR, Material, TorchLoop, Trainer, peers
from threadpoolctl import threadpool_limits

from shallowdeep.files.cores import available_cores
from shallowdeep.pictures.gram import gram
from shallowdeep.prepared import prepared_set
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.training.fitting import Fitting, seeds
from shallowdeep.training.sgd import Settings

NETWORKS = {"shallow": [4], "deep": [5, 5, 3]}


class Effort(NamedTuple):
    """Effort of a measurement."""

    repetitions: int = 5
    shortest: float = 0.2  # seconds; a repetition has as many epochs as take this long
    slow: float = 10.0  # seconds; a repetition that takes longer is the only one


class Spread(NamedTuple):
    """Seconds of several repetitions."""

    median: float
    low: float
    high: float
    repetitions: int


class Row(NamedTuple):
    """Measurements of one peer with one network."""

    peer: str
    network: str
    runs: int
    seconds: Spread  # per epoch and network: for ten runs a tenth of an epoch of all
    epochs: int  # trained in all, the first one untimed
    first_loss: float
    last_loss: float


def measure(material: Material, effort: Effort) -> list[Row]:
    """Measure all peers with both networks, on one thread each (loader workers have their own)."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        return [row for name in NETWORKS for row in _measure_network(material, name, effort)]


def _measure_network(material: Material, network: str, effort: Effort) -> list[Row]:
    """The peers take turns, so that whatever else the machine does hits all alike."""
    all_peers = peers()
    trainers = [peer.make(material, NETWORKS[network]) for peer in all_peers]
    losses: list[list[float]] = [[] for _ in all_peers]
    counts, slow = [], []
    for trainer, seen in zip(trainers, losses, strict=True):
        seen.extend(trainer.train(1))
        seconds = _timed(trainer, 1, seen)
        counts.append(max(1, math.ceil(effort.shortest / seconds)))
        slow.append(seconds > effort.slow)
    timings: list[list[float]] = [[] for _ in all_peers]
    for repetition in range(effort.repetitions):
        for i, trainer in enumerate(trainers):
            if not (repetition and slow[i]):
                timings[i].append(_timed(trainer, counts[i], losses[i]) / counts[i])
    return [
        Row(
            peer.name,
            network,
            peer.runs,
            spread([t / peer.runs for t in seconds]),
            len(seen),
            seen[0],
            seen[-1],
        )
        for peer, seconds, seen in zip(all_peers, timings, losses, strict=True)
    ]


def _timed(trainer: Trainer, epochs: int, losses: list[float]) -> float:
    start = time.perf_counter()
    losses.extend(trainer.train(epochs))
    return time.perf_counter() - start


def spread(seconds: Sequence[float]) -> Spread:
    """Median and range of repetitions."""
    return Spread(statistics.median(seconds), min(seconds), max(seconds), len(seconds))


def floor(material: Material, effort: Effort) -> Spread:
    """Seconds to read the training pictures' bytes from memory once, on one thread."""
    pictures = np.array(material.data.pictures[material.data.rows("train")])
    words = pictures.reshape(-1).view(np.uint64)
    timings = [_seconds(lambda: np.bitwise_or.reduce(words)) for _ in range(effort.repetitions)]
    return spread(timings)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Before(NamedTuple):
    """Seconds of what the dual solver needs before its first step, on all cores."""

    gram: Spread  # the Gram matrix, once for all networks, in `prepare`
    outputs: dict[str, Spread]  # by network: first layers drawn, and what they say of all pictures


def before_training(material: Material, effort: Effort, *, folds: int) -> Before:
    """Measure for ten runs on each fold."""
    data = material.data
    matrix = np.empty((len(data.manifest), len(data.manifest)), np.float32)
    normalisation = Normalisation(data.mean, data.std)
    by_fold = seeds(0, folds=folds, runs=10)

    def outputs(hidden: list[int]) -> None:
        settings = Settings(hidden, epochs=1, batch_size=BATCH_SIZE, lr=LR, keep="last")
        device, cores = torch.device("cpu"), available_cores()
        Fitting(data, settings, by_fold, solver="dual", device=device, cores=cores).ready()

    def measured(work: Callable[[], object]) -> Spread:
        return spread([_seconds(work) for _ in range(effort.repetitions)])

    return Before(
        measured(lambda: gram(data.pictures, normalisation, out=matrix)),
        {name: measured(partial(outputs, hidden)) for name, hidden in NETWORKS.items()},
    )


class Memory(NamedTuple):
    """MiB that setting up and an epoch of the shallow network add to a process's peak."""

    peak: float
    mapped: float  # of it pages of mapped files, which the system takes back when it needs them


def peak_memory(material: Material) -> dict[str, Memory]:
    """Memory by peer.

    A process each. Pages of mapped files count once they are touched. Loader workers and other
    devices have memory of their own, so peers with those are left out.
    """
    if not Path("/proc/self/status").exists():
        return {}
    context = multiprocessing.get_context("forkserver")  # a fork would begin with this one's memory
    context.set_forkserver_preload(["torch", "torchvision", "sklearn.neural_network"])
    found = {}
    for peer in peers():
        if peer.memory:
            with context.Pool(1) as pool:
                folders = (material.photographs, material.data.folder)
                found[peer.name] = pool.apply(_added_memory, (peer.name, *folders))
    return found


def _added_memory(name: str, photographs: Path, folder: Path) -> Memory:
    torch.set_num_threads(1)
    peer = next(peer for peer in peers() if peer.name == name)
    _load_libraries()
    peak, mapped = _memory("VmHWM"), _memory("RssFile")
    trainer = peer.make(Material(photographs, prepared_set.read(folder)), NETWORKS["shallow"])
    trainer.train(1)
    return Memory(_memory("VmHWM") - peak, _memory("RssFile") - mapped)


def _load_libraries() -> None:
    """Import them, and train on one pixel: they load much at first use, no algorithm's memory."""
    from sklearn import neural_network  # noqa: F401
    from torchvision import datasets, transforms  # noqa: F401

    pixel = torch.zeros(BATCH_SIZE, 3, 1, 1), torch.zeros(BATCH_SIZE)
    TorchLoop(lambda: iter([pixel]), 1, [1], torch.device("cpu")).train(1)


def _memory(kind: str) -> float:
    """Of this process, MiB; getrusage would count its parent's peak too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) / 1024
