"""Train networks on many data sets with a known truth, and keep their predictions.

    python benchmarks/simulated_sets.py [--photographs FOLDER] [--sets N] [--minutes M] [--out OUT]

Each data set is a new sample of a large population of pictures. Shallow and deep network, and a
second shallow one with seeds of its own, are trained on it by ten folds of ten runs with the
project's solver. The truth is the mean score of networks trained on many other samples of the same
size, on pictures of the population that they have not seen: over new pictures, new training sets
and new seeds. `benchmarks/coverage.py` holds the intervals of any version against it.

Every data set is one file below OUT, so that a longer run continues where the last one ended.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from shallowdeep.evaluation.scores import SCORES
from shallowdeep.files.atomic import replacing, write_text
from shallowdeep.files.cores import available_cores
from shallowdeep.files.errors import one_line_errors
from shallowdeep.pictures import listing, preparation
from shallowdeep.pictures.gram import gram
from shallowdeep.pictures.splitting import cut
from shallowdeep.prepared import prepared_set
from shallowdeep.prepared.folds import Fold
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.settings import params
from shallowdeep.settings.params import Split
from shallowdeep.training.fitting import Fitting, seeds
from shallowdeep.training.sgd import Settings, train

ROOT = Path(__file__).parent.parent
HALF = Normalisation((0.5,) * 3, (0.5,) * 3)
SPLIT = Split(train=0.8, validation=0.1, test=0.1)
FOLDS, RUNS, TRUTH_RUNS = 10, 10, 4
TRUTHS = 4  # samples for the truth for each data set: its error is in every coverage
NETWORKS = {"shallow": [4], "deep": [5, 5, 3], "again": [4]}  # the last for verdicts on nothing
CPU = torch.device("cpu")
WHOLE, HALVES = 15, 10  # random splits of a data set; pairs of halves, for "conservative z"


class World(NamedTuple):
    """A population of pictures, and the training of networks on samples of it."""

    name: str
    title: str
    epochs: int
    lrs: tuple[float, ...]  # of several, each fold takes one by validation
    counts: tuple[int, ...]  # of pictures in a sample
    splits: bool = False  # True: trained on random splits of some samples too


WORLDS = (
    World("drawn", "drawn cats and dogs, 32 x 32", 15, (0.05,), (200, 400, 1_000), splits=True),
    World("clusters", "Gaussian clusters, 8 x 8", 20, (0.1,), (200, 400, 1_000), splits=True),
    World("photographs", "photographs, 32 x 32", 15, (0.05,), (200, 400, 1_000), splits=True),
    World("copies-2", "clusters, each twice, with a little noise", 20, (0.1,), (400,)),
    World("copies-5", "clusters, each five times so", 20, (0.1,), (200, 400)),
    World("objects", "clusters, five noisy pictures of each object", 20, (0.1,), (200, 400)),
    World("uneven", "clusters, 1 to 16 noisy pictures of each object", 20, (0.1,), (400,)),
    World("tuned", "drawn, lr by validation", 15, (0.006, 0.02, 0.06, 0.2), (200, 400)),
)  # fmt: skip


class Population(NamedTuple):
    """All pictures that there are."""

    pictures: NDArray[np.uint8]  # [P, 3, S, S]
    labels: NDArray[np.int64]  # [P]
    groups: NDArray[np.int64]  # number of each picture's group [P]
    gram: NDArray[np.float32]  # [P, P]


class Sample(prepared_set.Prepared):
    """Some pictures of a population, their Gram matrix taken from it."""

    matrix: NDArray[np.float32]
    splits: Sequence[Fold] = ()  # instead of the folds of the manifest

    def gram(self) -> NDArray[np.float32]:
        """Products of all pictures."""
        return self.matrix

    def fold(self, number: int) -> Fold:
        """Rows of a fold, or of a random split."""
        return self.splits[number] if self.splits else super().fold(number)


def clusters(world: str) -> Iterator[NDArray[Any]]:
    """Three clusters a class in a space of six dimensions, shown as noisy pictures of 8 x 8.

    Yields pictures, labels and groups. A group is one point of that space; of a copy the noise of
    the pixels is that of the original and a little more, of an object's pictures their own.
    """
    rng = np.random.default_rng(5)
    sizes = {"copies-2": [2], "copies-5": [5], "objects": [5], "uneven": [1, 2, 4, 8, 16]}
    own = np.resize(np.repeat(sizes.get(world, [1]), 2), 6_000)  # as many groups of either class
    own = own[: np.searchsorted(own.cumsum(), 6_000)]
    groups = np.repeat(np.arange(len(own)), own)
    labels = np.arange(len(own)) % 2
    centres = 1.6 * rng.standard_normal((2, 3, 6))
    latent = centres[labels, rng.integers(0, 3, len(own))] + rng.standard_normal((len(own), 6))
    signal = 14 * latent @ rng.standard_normal((6, 192))
    if world.startswith("copies"):
        signal += 40 * rng.standard_normal(signal.shape)
    noise = 3 if world.startswith("copies") else 40
    pixels = 128 + signal[groups] + noise * rng.standard_normal((len(groups), 192))
    yield pixels.clip(0, 255).astype(np.uint8).reshape(-1, 3, 8, 8)
    yield labels[groups]
    yield groups


def decoded(folder: Path, array: Path) -> Iterator[NDArray[Any]]:
    """Yield pictures of a folder as `prepare` decodes them, labels, and a group for each."""
    data = params.read(ROOT / "params.yaml").data.model_copy(update={"size": 32})
    found = listing.listed(folder, listing.classes(folder)).files
    accepted = preparation.decode_all(folder, found, data, array).accepted
    yield np.load(array)
    yield np.array([one.label for one in accepted])
    yield np.arange(len(accepted))


def make_population(world: World, out: Path, photographs: Path | None) -> None:
    """Write the pictures, labels, groups and Gram matrix of a world."""
    place = out / world.name
    if (place / "gram.npy").exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    if world.name in ("drawn", "tuned"):
        from shallowdeep.datasets.sample import draw_sample

        if not (folder := out / "drawn-pictures").exists():
            draw_sample(folder, seed=1, per_class=3_000)
        made = decoded(folder, place / "decoded.npy")
    elif world.name == "photographs":
        assert photographs is not None
        made = decoded(photographs, place / "decoded.npy")
    else:
        made = clusters(world.name)
    pictures, labels, groups = made
    matrix = np.empty((len(pictures), len(pictures)), np.float32)
    gram(pictures, HALF, out=matrix)
    for name, array in zip(Population._fields, (pictures, labels, groups, matrix), strict=True):
        np.save(place / f"{name}.npy", array)


@cache
def population(place: Path) -> Population:
    """Read the output of `make_population`."""
    return Population(
        *(np.load(place / f"{name}.npy", mmap_mode="r") for name in Population._fields)
    )


def sampled(all_there_is: Population, rows: NDArray[np.intp], parts: Any, folds: int) -> Sample:
    """Some pictures as a prepared set."""
    manifest = prepared_set.as_table(
        prepared_set.ManifestRow(str(row), "", int(all_there_is.labels[row]), int(part), 0, 0)
        for row, part in zip(rows, parts, strict=True)
    )
    size = all_there_is.pictures.shape[-1]
    pictures = all_there_is.pictures[rows]
    sample = Sample(Path(), pictures, manifest, ("cat", "dog"), folds, size, *HALF)
    object.__setattr__(sample, "matrix", all_there_is.gram[np.ix_(rows, rows)])
    return sample


def draw(
    there: Population, count: int, rng: np.random.Generator, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Rows of a sample of whole groups, half of them of each class, and the part of each."""
    names, first, sizes = np.unique(there.groups, return_index=True, return_counts=True)
    labels = there.labels[first]
    taken = []
    for label in (0, 1):
        order = rng.permutation(np.flatnonzero(labels == label))
        enough = int(np.searchsorted(sizes[order].cumsum(), count // 2)) + 1
        taken.append(order[: max(enough, 2 * FOLDS)])  # two groups to test in every fold
    chosen = np.sort(np.concatenate(taken))
    parts = cut(labels[chosen], SPLIT, folds=FOLDS, classes=("cat", "dog"), seed=seed)
    part_of = dict(zip(names[chosen].tolist(), parts.tolist(), strict=True))
    rows = np.flatnonzero(np.isin(there.groups, names[chosen]))
    return rows, np.array([part_of[group] for group in there.groups[rows].tolist()])


def trained(
    world: World, sample: Sample, name: str, by_fold: list[list[int]]
) -> tuple[NDArray[np.float32], list[float]]:
    """Train a network; predictions of the tested pictures [R, N_tested], and each fold's lr."""
    tested, losses = [], []
    for lr in world.lrs:
        how = Settings(NETWORKS[name], world.epochs, 32, lr, "last")
        fitted = Fitting(sample, how, by_fold, solver="dual", device=CPU).fit()
        tested.append(fitted.predictions.test[-1])
        losses.append(fitted.history[0, :, :, -1, 1].mean(1))  # of one learning rate
    best = np.argmin(losses, 0)  # [K]; the smaller of equal ones
    parts = sample.parts[sample.tested()]
    said = np.choose(best[parts], tested).astype(np.float32)
    return said, [world.lrs[i] for i in best]


def predictions(world: World, place: Path, count: int, number: int) -> dict[str, Any]:
    """Predictions of all networks for one data set."""
    there, rng = population(place), np.random.default_rng([1, count, number])
    rows, parts = draw(there, count, rng, number)
    sample = sampled(there, rows, parts, FOLDS)
    first = 1_000_000 * (1 + count) + 2 * number
    found: dict[str, Any] = {"labels": there.labels[rows], "parts": parts}
    found["groups"] = there.groups[rows]
    for name in NETWORKS:
        seed = first + (name == "again")
        found[name], found[f"lr_{name}"] = trained(
            world, sample, name, seeds(seed, folds=FOLDS, runs=RUNS)
        )
    return found


def true_scores(world: World, place: Path, count: int, number: int) -> dict[str, Any]:
    """Scores of networks trained on another sample, on pictures that they have not seen."""
    there, rng = population(place), np.random.default_rng([2, count, number])
    rows, parts = draw(there, count, rng, number)
    learnt, validated = rows[parts > 1], rows[parts == 1]
    others = np.setdiff1d(np.arange(len(there.labels)), rows)
    others = rng.choice(others, min(1_000, len(others)), replace=False)
    rows = np.sort(np.concatenate([learnt, validated, others]))
    parts = np.select([np.isin(rows, others), np.isin(rows, learnt)], [0, 2], 1)
    sample = sampled(there, rows, parts, 1)
    labels = there.labels[rows[parts == 0]]
    scores: dict[str, Any] = {}
    runs = TRUTH_RUNS if len(world.lrs) == 1 else RUNS
    for name in ("shallow", "deep"):
        by_fold = seeds(7_000_000_000 + 1_000_000 * count + number, folds=1, runs=runs)
        said, _ = trained(world, sample, name, by_fold)
        scores[name] = [
            float(of.function(labels, said.astype(np.float64)).runs.mean())
            for of in SCORES.values()
        ]
    return scores


def split_scores(world: World, place: Path, count: int, number: int) -> dict[str, Any]:
    """Accuracies of networks trained on random splits of a data set and of its halves.

    As R's mlr3inferr wants them: `whole` [WHOLE] for the corrected t, `halves` [HALVES, 2, WHOLE]
    for the conservative z (Nadeau and Bengio 2003); a tenth of the whole set is tested each time.
    """
    there, rng = population(place), np.random.default_rng([1, count, number])
    rows, parts = draw(there, count, rng, number)
    sample = sampled(there, rows, parts, FOLDS)
    rng = np.random.default_rng([3, count, number])
    by_class = [np.flatnonzero(sample.labels == label) for label in (0, 1)]
    whole = [_split(by_class, count // 20, rng) for _ in range(WHOLE)]
    halves = []
    for _ in range(HALVES):
        mixed = [rng.permutation(own) for own in by_class]
        for half in (0, 1):
            own = [rows[half::2] for rows in mixed]
            halves += [_split(own, count // 20, rng) for _ in range(WHOLE)]
    scores: dict[str, Any] = {}
    for name in ("shallow", "deep"):
        scores[f"whole_{name}"] = _accuracies(world, sample, name, whole, number)
        found = _accuracies(world, sample, name, halves, number)
        scores[f"halves_{name}"] = found.reshape(HALVES, 2, WHOLE)
    return scores


def _split(by_class: Sequence[NDArray[Any]], tested: int, rng: np.random.Generator) -> Fold:
    """A random split that tests so many pictures of each class; two of each validate."""
    mixed = [rng.permutation(own) for own in by_class]
    cuts = (slice(tested + 2, None), slice(tested, tested + 2), slice(tested))
    return Fold(*(np.sort(np.concatenate([own[part] for own in mixed])) for part in cuts))


def _accuracies(
    world: World, sample: Sample, name: str, splits: Sequence[Fold], number: int
) -> NDArray[np.float64]:
    """Test accuracy of one run on each split."""
    object.__setattr__(sample, "splits", splits)
    how = Settings(NETWORKS[name], world.epochs, 32, world.lrs[0], "last")
    by_split = seeds(3_000_000_000 + number, folds=len(splits), runs=1)
    fitting = Fitting(sample, how, by_split, solver="dual", device=CPU)
    ready, found = fitting.ready(), np.empty(len(splits))
    for group, members in enumerate(fitting.groups):
        test = train(ready(group), how, predict_after=[world.epochs])[1][-1].numpy()
        for member, said in zip(members, test, strict=True):
            tested = splits[member.fold].test
            found[member.fold] = ((said > 0.5) == sample.labels[tested]).mean()
    return found


KINDS = {"found": predictions, "truth": true_scores, "splits": split_scores}
Task = tuple[str, World, int, int]


def file_of(out: Path, task: Task) -> Path:
    """File of one data set."""
    kind, world, count, number = task
    return out / world.name / f"{count}" / f"{kind}-{number}.npz"


def one(out: Path, task: Task) -> None:
    """Simulate one data set."""
    torch.set_num_threads(1)
    threadpool_limits(1)
    kind, world, count, number = task
    found = KINDS[kind](world, out / world.name, count, number)
    with replacing(file_of(out, task)) as path, path.open("wb") as file:
        np.savez(file, **found)


def tasks(worlds: Sequence[World], out: Path, sets: int) -> Iterator[Task]:
    """What is left to do; the first data sets of all cells before the second ones of any."""
    for number in range(sets):
        for world in worlds:
            for count in world.counts:
                numbers = {"truth": range(TRUTHS * number, TRUTHS * (number + 1))}
                if number < sets * min(1, 400 / count):
                    numbers["found"] = range(number, number + 1)
                if world.splits and count == 400 and number < sets / 3:
                    numbers["splits"] = range(number, number + 1)
                wanted = [(kind, world, count, n) for kind, own in numbers.items() for n in own]
                yield from (task for task in wanted if not file_of(out, task).exists())


def simulate(worlds: Sequence[World], out: Path, *, sets: int, minutes: float) -> None:
    """Train until all data sets are done or time is up."""
    end, left, cores = time.monotonic() + 60 * minutes, tasks(worlds, out, sets), available_cores()
    with ProcessPoolExecutor(cores) as pool:
        running = {
            pool.submit(one, out, task) for task, _ in zip(left, range(cores + 1), strict=False)
        }
        while running:
            finished = next(as_completed(running))
            running.remove(finished)
            finished.result()
            task = next(left, None) if time.monotonic() < end else None
            if task:
                running.add(pool.submit(one, out, task))


def main() -> None:
    """Simulate what is not there yet."""
    about, _, how = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(description=about, epilog=how)
    parser.add_argument("--photographs", type=Path, help="folder with a subfolder for each class")
    parser.add_argument("--sets", type=int, default=300, help="data sets of each cell")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--out", type=Path, default=Path("coverage"), help="where the files go")
    options = parser.parse_args()
    worlds = [w for w in WORLDS if w.name != "photographs" or options.photographs]
    for world in worlds:
        make_population(world, options.out, options.photographs)
        for count in world.counts:
            (options.out / world.name / f"{count}").mkdir(exist_ok=True)
    about_worlds = {world.name: world._asdict() for world in worlds}
    write_text(options.out / "worlds.json", json.dumps(about_worlds, indent=2) + "\n")
    simulate(worlds, options.out, sets=options.sets, minutes=options.minutes)


if __name__ == "__main__":
    with one_line_errors("simulated_sets"):
        main()
