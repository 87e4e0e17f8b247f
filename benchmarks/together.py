"""How often do several intervals at once find what is not there? Real training, no difference.

    python benchmarks/together.py [--sets N] [--minutes M] [--out FOLDER]

On each data set networks of one kind are trained with seeds of their own, so that whatever is found
between them is false: a network ahead at some epoch, a pair of three that differs, a change marked
as real between two experiments whose seeds and folds alone differ. One longer experiment on the
same seeds shows what comparing by picture finds that comparing two intervals does not.

Data sets are lines of OUT/together.jsonl, in the worlds of simulated_sets.py. The
table goes to docs/together.md.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import simulated_sets
import torch
from numpy.typing import NDArray
from simulated_sets import ROOT, SPLIT, WORLDS, Sample, World
from threadpoolctl import threadpool_limits

from shallowdeep.evaluation.by_epoch import by_epoch
from shallowdeep.evaluation.change import Change, ExperimentPredictions, changes
from shallowdeep.evaluation.intervals import Design, estimate, paired
from shallowdeep.evaluation.max_t import MaxT
from shallowdeep.evaluation.scores import SCORES
from shallowdeep.evaluation.verdict import SCORE, Pair, pairs
from shallowdeep.files.atomic import write_text
from shallowdeep.files.cores import available_cores
from shallowdeep.files.errors import one_line_errors
from shallowdeep.pictures.splitting import cut
from shallowdeep.trained.predictions import Predictions
from shallowdeep.training.fitting import Fitting, asked_after, seeds
from shallowdeep.training.sgd import Settings

ALPHA = 0.05
COUNT, RUNS, LONGER = 200, 5, 3  # pictures; runs on each fold; times the epochs
CASES = {
    "band": "two networks of one kind, up to 16 epochs: one is ahead at some epoch",
    "epochs alone": "the same with an interval for each epoch by itself",
    "pairs": "three networks of one kind: some pair differs",
    "pairs alone": "the same with each pair by itself",
    "seed": "two experiments, other seed and folds: some change of the table is real",
    "seed alone": "the same with each change by itself",
    "longer": f"{LONGER} times the epochs, same seeds: the shallow network's log loss changed",
    "longer unpaired": "the same with two experiments that have nothing in common",
}


def trained(world: World, sample: Sample, seed: int, *, times: int = 1) -> NDArray[np.float64]:
    """A shallow network's predictions after up to 16 epochs: [A, R, N]."""
    how = Settings([4], times * world.epochs, 32, world.lrs[0], "last")
    by_fold = seeds(seed, folds=10, runs=RUNS)
    fitting = Fitting(sample, how, by_fold, solver="dual", device=torch.device("cpu"))
    return fitting.fit().predictions.test.astype(np.float64)


def one(task: tuple[World, Path, int]) -> dict[str, Any]:
    """What is found on one data set."""
    torch.set_num_threads(1)
    threadpool_limits(1)
    world, place, number = task
    everything, rng = simulated_sets.population(place), np.random.default_rng([3, COUNT, number])
    rows, _ = simulated_sets.draw(everything, COUNT, rng, number)
    labels = everything.labels[rows]
    samples, designs = [], []
    for seed in (2 * number, 2 * number + 1):
        parts = cut(labels, SPLIT, folds=10, classes=("cat", "dog"), seed=seed)
        samples.append(simulated_sets.sampled(everything, rows, parts, 10))
        designs.append(Design(labels, parts, int((parts > 1).sum())))
    first = 10 * number
    predictions = [trained(world, samples[0], first + k) for k in range(3)]
    other = [trained(world, samples[1], first + k) for k in (3, 4)]
    longer = [trained(world, samples[0], first + k, times=LONGER) for k in range(2)]
    epochs = asked_after(world.epochs)
    tests = [of.astype(np.float32) for of in predictions[:2]]  # as they were
    deep, shallow = (Predictions(list(epochs), test, test[0], test[0]) for test in tests)
    band = by_epoch(designs[0], deep, shallow, keep="last", alpha=ALPHA)
    score = SCORES[SCORE]
    alone = [
        estimate(designs[0], paired(designs[0], score, a, b)).p_value() < ALPHA
        for a, b in zip(predictions[0], predictions[1], strict=True)
    ]
    last = dict(zip(("shallow", "deep", "third"), (one[-1] for one in predictions), strict=True))
    of_pairs = [
        paired(designs[0], score, *(last[name] for name in pair)) for pair in pairs(list(last))
    ]
    max_t = MaxT(designs[0], of_pairs)
    p = [estimate(designs[0], scores).p_value() for scores in of_pairs]
    before = experiment(rows, designs[0], 0, predictions[:2])
    reseeded = changes(before, experiment(rows, designs[1], 1, other), alpha=ALPHA)[1]
    more = experiment(rows, designs[0], 0, longer)
    strangers = more._replace(pictures=np.char.add("x", more.pictures))
    return {
        "world": world.name,
        "number": number,
        "found": {
            "band": any(one.low > 0 or one.high < 0 for one in band),
            "epochs alone": any(alone),
            "pairs": any(max_t.p_value(one) < ALPHA for one in p),
            "pairs alone": any(one < ALPHA for one in p),
            "seed": any(change.real for change in reseeded),
            "seed alone": any(change.p_value < ALPHA for change in reseeded),
            "longer": _loss(changes(before, more, alpha=ALPHA)[1]).p_value < ALPHA,
            "longer unpaired": _loss(changes(before, strangers, alpha=ALPHA)[1]).p_value < ALPHA,
        },
    }


def experiment(
    rows: NDArray[np.intp], design: Design, seed: int, predictions: list[Any]
) -> ExperimentPredictions:
    """Two networks' last predictions as those of an experiment."""
    pictures = np.array([f"{row:06}" for row in rows])
    return ExperimentPredictions(
        pictures,
        design,
        seed,
        dict(zip(Pair("deep", "shallow"), (of[-1] for of in predictions), strict=True)),
    )


def _loss(found: list[Change]) -> Change:
    return next(one for one in found if one[:2] == ("shallow", "log_loss"))


def simulate(worlds: list[World], out: Path, *, sets: int, minutes: float) -> None:
    """Append lines to the file until all sets are done or time is up."""
    path, end = out / "together.jsonl", time.monotonic() + 60 * minutes
    done = {(line["world"], line["number"]) for line in lines(path)}
    left = (
        (world, out / world.name, number)
        for number in range(sets)
        for world in worlds
        if (world.name, number) not in done
    )
    cores = available_cores()
    with path.open("a") as file, ProcessPoolExecutor(cores) as pool:
        while time.monotonic() < end and (some := list(islice(left, 2 * cores))):
            for line in pool.map(one, some):
                file.write(json.dumps(line) + "\n")
                file.flush()


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines of the file; the last may have been cut off."""
    if path.exists():
        for line in path.read_text().splitlines(keepends=True):
            if line.endswith("}\n"):
                yield json.loads(line)


def report(path: Path, worlds: list[World]) -> str:
    """docs/together.md."""
    by_world: dict[str, list[dict[str, bool]]] = {world.name: [] for world in worlds}
    for line in lines(path):
        by_world[line["world"]].append(line["found"])
    rows = []
    for case, title in CASES.items():
        shares = [np.mean([found[case] for found in of]) for of in by_world.values()]
        errors = [
            math.sqrt(share * (1 - share) / len(of))
            for share, of in zip(shares, by_world.values(), strict=True)
        ]
        cells = " | ".join(
            f"{100 * share:.1f} % ± {100 * error:.1f}"
            for share, error in zip(shares, errors, strict=True)
        )
        rows.append(f"| {title} | {cells} |")
    head = " | ".join(f"{world.title}, {len(by_world[world.name])} sets" for world in worlds)
    return f"""# Several intervals at once

How often something is found at a level of 5 %. In all but the last two rows there is nothing to
find: networks of one kind, trained by ten folds of {RUNS} runs on {COUNT} pictures, with seeds of
their own. `python benchmarks/together.py`, {date.today()};
± is the simulation's own standard error. Of n data sets none means less than 3 / n, with 95 %
confidence.

| | {head} |
|---|{"---:|" * len(worlds)}
{chr(10).join(rows)}
"""


def main() -> None:
    """Simulate, then write the report of all data sets there are."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=300, help="data sets in each world")
    parser.add_argument("--minutes", type=float, default=30, help="start none after so many")
    parser.add_argument("--out", type=Path, default=ROOT / "coverage", help="what is simulated")
    options = parser.parse_args()
    with one_line_errors("together"):
        worlds = [world for world in WORLDS if world.name in ("drawn", "clusters")]
        for world in worlds:
            simulated_sets.make_population(world, options.out, None)
        simulate(worlds, options.out, sets=options.sets, minutes=options.minutes)
        write_text(ROOT / "docs/together.md", report(options.out / "together.jsonl", worlds))


if __name__ == "__main__":
    main()
