"""Measure what each loop of a layer costs."""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from lessons import loops, vectorization_page
from lessons.loops import VARIANTS, Loops
from lessons.needed_loops import all_layers, draw_deep, wrong_by
from lessons.propagation import Floats
from lessons.vectorization_page import Measured, Timing
from shallowdeep.files.errors import InputError, one_line_errors

SIZE = 64  # side of the pictures; at the article's 128 the slowest variant takes four times as long
NEURONS, SAMPLES = 4, 32  # the article's first layer and batch
ENOUGH = 0.5  # seconds after which something has been timed often enough
AGREEMENT = 1e-12  # of the variants, relative to the largest number of each array
DEPTHS, WIDTH = (1, 2, 4, 8, 16, 32, 64), 64


class Task(NamedTuple):
    """A layer, a batch for it, and the gradient that comes back."""

    A_prev: Floats  # [n_prev, m]
    W: Floats  # [n, n_prev]
    b: Floats  # [n, 1]
    dA: Floats  # [n, m]


def draw_task(features: int) -> Task:
    """Numbers of the sizes that the article's first layer sees, float64, always the same."""
    rng = np.random.default_rng(0)
    bound = 1 / np.sqrt(features)
    return Task(
        rng.uniform(-1, 1, (features, SAMPLES)),
        rng.uniform(-bound, bound, (NEURONS, features)),
        rng.uniform(-bound, bound, (NEURONS, 1)),
        rng.uniform(-1, 1, (NEURONS, SAMPLES)),
    )


def run(task: Task, variant: Loops) -> tuple[Floats, ...]:
    """Forward and backward: A, dA_prev, dW, db."""
    A = loops.forward(task.A_prev, task.W, task.b, loops=variant)
    return A, *loops.backward(task.dA, task.A_prev, task.W, A, loops=variant)


def disagreement(results: Sequence[Sequence[Floats]]) -> float:
    """Largest difference of any result from the first, relative to its array's largest number."""
    return max(
        float(np.abs(array - expected).max() / np.abs(expected).max())
        for result in results
        for array, expected in zip(result, results[0], strict=True)
    )


def timed(work: Callable[[], object]) -> Timing:
    """Time some work: processor time, which other programs do not add to; three times or more."""
    seconds: list[float] = []
    while sum(seconds) < ENOUGH or len(seconds) < 3:
        start = time.process_time()
        work()
        elapsed = time.process_time() - start
        if elapsed > 0:  # a virtual machine's processor clock can stand still for a moment
            seconds.append(elapsed)
    return Timing(min(seconds), statistics.median(seconds), max(seconds), len(seconds))


def measure(size: int) -> Measured:
    """Measure all variants on pictures of `size` x `size` pixels, and deeper and deeper networks.

    Raises:
        RuntimeError: the variants do not agree.
    """
    task = draw_task(3 * size**2)
    apart = disagreement([run(task, variant) for variant in VARIANTS])
    if not apart <= AGREEMENT:
        raise RuntimeError(f"the variants are {apart:.1e} apart, more than {AGREEMENT:.0e}")
    return Measured(
        shape=(task.A_prev.shape[0], NEURONS, SAMPLES),
        cores=os.cpu_count() or 1,
        apart=apart,
        variants={variant: _time_variant(task, variant) for variant in VARIANTS},
        wrong_by=wrong_by(),
        width=WIDTH,
        depths={depth: _time_depth(depth) for depth in DEPTHS},
    )


def _time_variant(task: Task, variant: Loops) -> Timing:
    return timed(lambda: run(task, variant))


def _time_depth(depth: int) -> Timing:
    X, network = draw_deep(depth, WIDTH, SAMPLES)
    return timed(lambda: all_layers(X, network))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what each loop of a layer costs; write the figures, the chart and the page."""
    parser = argparse.ArgumentParser("python -m lessons.vectorization", description=main.__doc__)
    parser.add_argument("--size", type=int, default=SIZE, help="side of the pictures, %(default)s")
    parser.add_argument(
        "--to", type=Path, default=Path(), help="folder of docs/ and benchmarks/, the current one"
    )
    options = parser.parse_args(arguments)
    with one_line_errors("vectorization"):
        if not 1 <= options.size <= 256:
            raise InputError(f"--size: {options.size} is not between 1 and 256")
        with threadpool_limits(1):  # on a busy machine a second thread made products 5 times slower
            measured = measure(options.size)
        print(vectorization_page.tables(measured))
        vectorization_page.write(options.to, measured)


if __name__ == "__main__":
    main()
