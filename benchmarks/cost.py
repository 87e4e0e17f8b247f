"""Third table: what both solvers cost against the number of pictures, on random bytes."""

import math
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from epoch_times import NETWORKS
from peers import Material, Ours, Solver

from shallowdeep.pictures.gram import gram
from shallowdeep.pictures.splitting import cut
from shallowdeep.prepared import prepared_set
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.settings.params import Split

CLASSES, HALF = ("cat", "dog"), (0.5, 0.5, 0.5)
COUNTS = (500, 1_000, 2_000, 4_000, 8_000, 16_000)
GRAM_MEASURED = 4_000  # pictures; beyond, the Gram matrix takes minutes and the time is scaled


class Cost(NamedTuple):
    """Seconds with some number of pictures, 80 % of them for training; shallow network."""

    pictures: int
    gram: float  # once, in `prepare`, for all networks and runs
    gram_measured: bool  # or scaled by the square of the number of pictures
    primal: float  # per epoch and network, as below; ten runs take ten times as long
    dual_1: float  # one run
    dual_10: float  # a tenth of ten runs


def measure(counts: Sequence[int], *, size: int, repetitions: int) -> list[Cost]:
    """Measure; the Gram matrix on all cores, as `prepare` does, training on one thread."""
    costs: list[Cost] = []
    for count in counts:
        with TemporaryDirectory() as folder:
            data = random_pictures(Path(folder), count, size)
            if count <= GRAM_MEASURED:
                seconds = _gram(data)
            else:
                seconds = costs[-1].gram * (count / costs[-1].pictures) ** 2
                _write_zeros(data)  # training does not take longer for other numbers
            primal = _epoch(data, "primal", 1, repetitions)
            dual_1, dual_10 = (_epoch(data, "dual", runs, repetitions) for runs in (1, 10))
            costs.append(Cost(count, seconds, count <= GRAM_MEASURED, primal, dual_1, dual_10))
    return costs


def random_pictures(folder: Path, count: int, size: int) -> prepared_set.Prepared:
    """Prepared pictures of noise, without a Gram matrix."""
    rng = np.random.default_rng(0)
    shape = (count, 3, size, size)
    pictures = np.lib.format.open_memmap(folder / "pictures.npy", "w+", np.uint8, shape)
    for row in range(count):
        pictures[row] = rng.integers(0, 256, shape[1:], dtype=np.uint8)
    pictures.flush()
    labels = np.arange(count) % 2
    single = Split(train=0.8, validation=0.1, test=0.1)
    parts = cut(labels, single, folds=1, classes=CLASSES, seed=0).tolist()
    manifest = prepared_set.as_table(
        prepared_set.ManifestRow(f"{i}.png", "", int(label), part, size, size)
        for i, (label, part) in enumerate(zip(labels, parts, strict=True))
    )
    prepared_set.write(folder, manifest, prepared_set.Summary(CLASSES, 1, size, HALF, HALF))
    return prepared_set.read(folder)


def _gram(data: prepared_set.Prepared) -> float:
    """Write the Gram matrix; return seconds."""
    out = np.empty((len(data.manifest), len(data.manifest)), np.float32)
    start = time.perf_counter()
    gram(data.pictures, Normalisation(data.mean, data.std), out=out)
    seconds = time.perf_counter() - start
    np.save(data.folder / "gram.npy", out)
    return seconds


def _write_zeros(data: prepared_set.Prepared) -> None:
    np.save(
        data.folder / "gram.npy",
        np.zeros((len(data.manifest), len(data.manifest)), np.float32),
    )


def _epoch(data: prepared_set.Prepared, solver: Solver, runs: int, repetitions: int) -> float:
    """Seconds per epoch and run, the median; one epoch comes before, untimed."""
    torch.set_num_threads(1)
    trainer = Ours(Material(data.folder, data), NETWORKS["shallow"], solver=solver, runs=runs)
    trainer.train(1)
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        trainer.train(1)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) / runs


def crossover(costs: Sequence[Cost]) -> float:
    """Pictures at which ten runs cost the same with both solvers, the Gram matrix apart.

    Beyond the last measured count dual's seconds are taken to grow with the square of the number of
    pictures and primal's with the number, so their ratio as the number does.
    """
    ratios = [cost.dual_10 / cost.primal for cost in costs]
    counts = [float(cost.pictures) for cost in costs]
    if ratios[-1] < 1:
        return counts[-1] / ratios[-1]
    return math.exp(np.interp(0, np.log(ratios), np.log(counts)))
