"""Do the intervals cover, and are the verdicts right? Real training on data with a known truth.

    python benchmarks/coverage.py [--photographs FOLDER] [--sets N] [--minutes M] [--out FOLDER]

Each data set is a new sample of pictures of a large population. Both networks, and a second shallow
one with seeds of its own, are trained on it by ten folds of ten runs with the project's solver, and
judged by the project's statistics; fewer runs and the single split are parts of the same training.
The truth is the mean score of networks trained on many other samples of the same size, on pictures
of the population that they have not seen: over new pictures, new training sets and new seeds.

Every data set is a line of OUT/coverage.jsonl, so that an interrupted or a longer run goes on where
the last one ended. The report goes to docs/coverage.md and docs/coverage.svg.
"""

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from shallowdeep.evaluation import intervals
from shallowdeep.evaluation.intervals import Design
from shallowdeep.evaluation.scores import SCORES
from shallowdeep.evaluation.verdict import QUESTION, Comparison, verdict
from shallowdeep.files.atomic import write_text
from shallowdeep.files.cores import available_cores
from shallowdeep.files.errors import InputError, one_line_errors
from shallowdeep.pictures import listing, preparation
from shallowdeep.pictures.gram import gram
from shallowdeep.pictures.splitting import cut
from shallowdeep.prepared import prepared_set
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.settings import params
from shallowdeep.settings.params import Split
from shallowdeep.training.fitting import Fitting, seeds
from shallowdeep.training.sgd import Settings

ROOT = Path(__file__).parent.parent
HALF = Normalisation((0.5,) * 3, (0.5,) * 3)
SPLIT = Split(train=0.8, validation=0.1, test=0.1)
ALPHA, MARGIN = 0.05, 0.02
FOLDS, RUNS = (10, 1), (10, 3, 2)
TRUTH_RUNS = 4
NETWORKS = {"shallow": [4], "deep": [5, 5, 3], "again": [4]}  # the last for verdicts on nothing


class World(NamedTuple):
    """A population of pictures, and how networks are trained on samples of it."""

    name: str
    title: str
    epochs: int
    lr: float
    counts: tuple[int, ...]  # of pictures in a sample


WORLDS = (
    World("drawn", "drawn cats and dogs, 32 x 32", 15, 0.05, (200, 400, 1_000)),
    World("clusters", "Gaussian clusters, 8 x 8", 20, 0.1, (200, 400, 1_000)),
    World("photographs", "photographs, 32 x 32", 15, 0.05, (200, 400)),
)


class Population(NamedTuple):
    """All pictures that there are."""

    pictures: NDArray[np.uint8]  # [P, 3, S, S]
    labels: NDArray[np.int64]  # [P]
    gram: NDArray[np.float32]  # [P, P]


class Sample(prepared_set.Prepared):
    """Some pictures of a population, their Gram matrix taken from it."""

    matrix: NDArray[np.float32]

    def gram(self) -> NDArray[np.float32]:
        """Products of all pictures."""
        return self.matrix


def drawn(folder: Path) -> Path:
    """Folder with 3,000 drawn pictures of each class."""
    from shallowdeep.datasets.sample import draw_sample

    if not folder.exists():
        draw_sample(folder, seed=1, per_class=3_000)
    return folder


def clusters() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Three clusters a class in a space of six dimensions, shown as noisy pictures of 8 x 8."""
    rng = np.random.default_rng(5)
    labels = np.arange(6_000) % 2
    centres = 1.6 * rng.standard_normal((2, 3, 6))
    latent = centres[labels, rng.integers(0, 3, 6_000)] + rng.standard_normal((6_000, 6))
    pixels = (
        128 + 14 * latent @ rng.standard_normal((6, 192)) + 40 * rng.standard_normal((6_000, 192))
    )
    return pixels.clip(0, 255).astype(np.uint8).reshape(-1, 3, 8, 8), labels


def decoded(folder: Path, array: Path, size: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures of a folder, as `prepare` decodes them."""
    data = params.read(ROOT / "params.yaml").data.model_copy(update={"size": size})
    found = listing.listed(folder, listing.classes(folder)).files
    accepted = preparation.decode_all(folder, found, data, array).accepted
    return np.load(array), np.array([one.label for one in accepted])


def make_population(world: World, out: Path, photographs: Path | None) -> None:
    """Write the pictures, labels and Gram matrix of a world."""
    place = out / world.name
    if (place / "gram.npy").exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    if world.name == "clusters":
        pictures, labels = clusters()
        np.save(place / "pictures.npy", pictures)
    else:
        folder = drawn(out / "drawn-pictures") if world.name == "drawn" else photographs
        assert folder is not None
        pictures, labels = decoded(folder, place / "pictures.npy", 32)
    np.save(place / "labels.npy", labels)
    matrix = np.empty((len(pictures), len(pictures)), np.float32)
    gram(pictures, HALF, out=matrix)
    np.save(place / "gram.npy", matrix)


@cache
def population(place: Path) -> Population:
    """What `make_population` wrote."""
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


def draw(all_there_is: Population, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows of a sample with as many pictures of either class."""
    of = [np.flatnonzero(all_there_is.labels == label) for label in (0, 1)]
    return np.sort(np.concatenate([rng.choice(rows, count // 2, replace=False) for rows in of]))


def answers(world: World, sample: Sample, name: str, by_fold: Any) -> NDArray[np.float64]:
    """Train a network; what its runs say about the tested pictures: [R, N_tested]."""
    how = Settings(NETWORKS[name], world.epochs, 32, world.lr, "last")
    fitting = Fitting(sample, how, by_fold, solver="dual", device=torch.device("cpu"))
    said: NDArray[np.float64] = fitting.fit().predictions.test[-1].astype(np.float64)
    return said


def judged(world: World, place: Path, count: int, number: int) -> dict[str, Any]:
    """What the statistics say about one data set, by folds and runs."""
    all_there_is, rng = population(place), np.random.default_rng([1, count, number])
    rows = draw(all_there_is, count, rng)
    labels = all_there_is.labels[rows]
    parts = cut(labels, SPLIT, folds=10, classes=("cat", "dog"), seed=number)
    sample = sampled(all_there_is, rows, parts, 10)
    first = 1_000_000 * (1 + count) + 2 * number
    drawn = {name: first + (name == "again") for name in NETWORKS}
    said = {
        name: answers(world, sample, name, seeds(seed, folds=10, runs=10))
        for name, seed in drawn.items()
    }
    found = {}
    for folds in FOLDS:
        own = parts < folds
        design = Design(labels[own], parts[own], int((parts > 1).sum()))
        for runs in RUNS:
            some = {name: probabilities[:runs, own] for name, probabilities in said.items()}
            found[f"{folds} {runs}"] = of_one(design, some, folds, runs)
    return {"world": world.name, "count": count, "number": number, "found": found}


def of_one(design: Design, said: Mapping[str, Any], folds: int, runs: int) -> dict[str, Any]:
    """Intervals, differences and verdicts of one design."""
    alone = {name: intervals.summarise(design, one, alpha=ALPHA) for name, one in said.items()}
    pairs = {"deep": said["deep"], "again": said["again"]}
    apart = {
        name: {
            score: intervals.difference(
                intervals.estimate(design, intervals.paired(design, of, one, said["shallow"])),
                of.bound,
                ALPHA,
            )
            for score, of in SCORES.items()
        }
        for name, one in pairs.items()
    }
    score = "balanced_accuracy"
    verdicts = {}
    for name, difference in apart.items():
        scores = {"deep": alone[name][score], "shallow": alone["shallow"][score]}
        of = Comparison(
            QUESTION, scores, difference[score], runs, folds, design.trained, ALPHA, MARGIN
        )
        verdicts[name] = verdict(of)
    return {
        "alone": {
            name: {score: [one.low, one.high] for score, one in alone[name].items()}
            for name in ("shallow", "deep")
        },
        "apart": {
            name: {score: [one.low, one.high, one.p_value] for score, one in of_pair.items()}
            for name, of_pair in apart.items()
        },
        "verdicts": verdicts,
    }


def true_scores(world: World, place: Path, count: int, number: int) -> dict[str, Any]:
    """Scores of networks trained on another sample, on pictures that they have not seen."""
    all_there_is, rng = population(place), np.random.default_rng([2, count, number])
    rows = draw(all_there_is, count, rng)
    parts = cut(all_there_is.labels[rows], SPLIT, folds=10, classes=("cat", "dog"), seed=number)
    learnt = rows[parts > 1]
    others = np.setdiff1d(np.arange(len(all_there_is.labels)), rows)
    others = rng.choice(others, min(1_000, len(others)), replace=False)
    rows = np.sort(np.concatenate([learnt, rows[parts == 1], others]))
    parts = np.select([np.isin(rows, others), np.isin(rows, learnt)], [0, 2], 1)
    sample = sampled(all_there_is, rows, parts, 1)
    labels = all_there_is.labels[rows[parts == 0]]
    scores = {}
    for name in ("shallow", "deep"):
        by_fold = seeds(7_000_000_000 + 1_000_000 * count + number, folds=1, runs=TRUTH_RUNS)
        said = answers(world, sample, name, by_fold)
        scores[name] = {
            score: float(of.function(labels, said).runs.mean()) for score, of in SCORES.items()
        }
    return {"world": world.name, "count": count, "number": number, "truth": scores}


def one(task: tuple[str, World, Path, int, int]) -> dict[str, Any]:
    """A line of the file."""
    torch.set_num_threads(1)
    threadpool_limits(1)
    kind, world, place, count, number = task
    return (judged if kind == "found" else true_scores)(world, place, count, number)


def tasks(
    worlds: Sequence[World], out: Path, sets: int, done: set[tuple[str, str, int, int]]
) -> Iterator[tuple[str, World, Path, int, int]]:
    """What is left to do; the first data sets of all cells before the second ones of any."""
    for number in range(sets):
        for world in worlds:
            for count in world.counts:
                for kind in ("found", "truth"):
                    wanted = kind == "truth" or number < sets * min(1, 400 / count)
                    if wanted and (kind, world.name, count, number) not in done:
                        yield kind, world, out / world.name, count, number


def simulate(worlds: Sequence[World], out: Path, *, sets: int, minutes: float) -> None:
    """Append lines to the file until all sets are done or time is up."""
    path, end = out / "coverage.jsonl", time.monotonic() + 60 * minutes
    done = {
        ("truth" if "truth" in line else "found", line["world"], line["count"], line["number"])
        for line in lines(path)
    }
    left = tasks(worlds, out, sets, done)
    cores = available_cores()
    with path.open("a") as file, ProcessPoolExecutor(cores) as pool:
        running = {pool.submit(one, task) for task, _ in zip(left, range(cores + 1), strict=False)}
        while running:
            finished = next(as_completed(running))
            running.remove(finished)
            file.write(json.dumps(finished.result()) + "\n")
            file.flush()
            task = next(left, None) if time.monotonic() < end else None
            if task:
                running.add(pool.submit(one, task))


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines of the file; the last may have been cut off."""
    if path.exists():
        for line in path.read_text().splitlines(keepends=True):
            if line.endswith("}\n"):
                yield json.loads(line)


class Cell(NamedTuple):
    """What came of all data sets of one world, size and design; shares of data sets."""

    world: str
    pictures: int
    folds: int
    runs: int
    sets: int
    alone: dict[str, float]  # by score: intervals of one model that cover, both models together
    apart: dict[str, float]  # by score: intervals of the difference that cover
    width: float  # mean width of the difference's interval, balanced accuracy
    error: float  # standard error of the true difference, balanced accuracy
    true: float  # deep minus shallow, balanced accuracy
    false: float  # verdicts for one of two networks of the same kind
    wrong: float  # verdicts for the network that is worse
    right: float  # verdicts for the one that is better
    equal: float  # verdicts of equality
    false_equal: float  # the same, where the truth is beyond the margin


def cells(path: Path) -> list[Cell]:
    """Every cell of the simulation that has data sets, and a truth with an error."""
    found, truths = defaultdict(list), defaultdict(list)
    for line in lines(path):
        key = line["world"], line["count"]
        if "truth" in line:
            truths[key].append(line["truth"])
        else:
            found[key].append(line["found"])
    return [
        cell(world, count, folds, runs, found[world, count], truths[world, count])
        for world, count in sorted(found)
        if len(truths[world, count]) > 1
        for folds in FOLDS
        for runs in RUNS
    ]


def cell(
    world: str, count: int, folds: int, runs: int, found: list[Any], truths: list[Any]
) -> Cell:
    """Hold what was found against the truth."""
    own = [one[f"{folds} {runs}"] for one in found]
    true = {
        name: {score: float(np.mean([one[name][score] for one in truths])) for score in SCORES}
        for name in ("shallow", "deep")
    }

    def share(hits: list[bool]) -> float:
        return float(np.mean(hits))

    alone, apart = {}, {}
    for score in SCORES:
        alone[score] = share(
            [
                one["alone"][name][score][0] <= true[name][score] <= one["alone"][name][score][1]
                for one in own
                for name in true
            ]
        )
        difference = true["deep"][score] - true["shallow"][score]
        apart[score] = share(
            [
                one["apart"]["deep"][score][0] <= difference <= one["apart"]["deep"][score][1]
                for one in own
            ]
        )
    score = "balanced_accuracy"
    difference = true["deep"][score] - true["shallow"][score]
    by_truth = [one["deep"][score] - one["shallow"][score] for one in truths]
    better, worse = ("deep", "shallow") if difference > 0 else ("shallow", "deep")
    verdicts = [one["verdicts"]["deep"] for one in own]
    widths = [one["apart"]["deep"][score][1] - one["apart"]["deep"][score][0] for one in own]
    equal = share([said == "equal" for said in verdicts])
    return Cell(
        world,
        count,
        folds,
        runs,
        len(own),
        alone,
        apart,
        float(np.mean(widths)),
        float(np.std(by_truth, ddof=1)) / math.sqrt(len(by_truth)),
        difference,
        share([one["verdicts"]["again"] in ("deep", "shallow") for one in own]),
        share([said == worse for said in verdicts]),
        share([said == better for said in verdicts]),
        equal,
        equal if abs(difference) > MARGIN else 0.0,
    )


SHOWN = {  # scores in the tables
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "roc_auc": "AUC",
    "log_loss": "log loss",
    "brier": "Brier",
    "f1": "F1",
}
WANTED = 0.93  # least share of intervals that cover


def report(found: Sequence[Cell], machine: str) -> str:
    """The page docs/coverage.md."""
    central = [cell for cell in found if (cell.folds, cell.runs) == (10, 10)]
    below = [
        (cell, score, kind, share)
        for cell in found
        for kind, shares in (("one network", cell.alone), ("difference", cell.apart))
        for score, share in shares.items()
        if share < WANTED
    ]
    ratios = [ten.width / one.width for ten, one in zip(central, _only(found, 1, 10), strict=True)]
    titles = "\n".join(
        f"- **{world.name}**: {world.title}; {world.epochs} epochs, learning rate {world.lr:g}"
        for world in WORLDS
    )
    least_alone = min(min(cell.alone.values()) for cell in central)
    least_apart = min(min(cell.apart.values()) for cell in central)
    short = f"{100 * WANTED:g} %"
    return f"""# Do the intervals cover?

Simulated by training real networks on data whose truth is known; made by
`python benchmarks/coverage.py --photographs FOLDER` ({machine}). Each data set is
a new sample of N pictures of a large population. Shallow and deep network, and a second shallow one
with other seeds, train on it: K folds of R runs, by the project's solver. The truth is the mean
score of networks trained on other samples of the same size, on pictures that they have not seen:
over new pictures, new training sets and new seeds. Shares of data sets, in per cent; intervals of
95 %. A share of 95 % of 300 data sets has a standard error of 1.3, of 120 data sets 2.0; the
truth's own stands beside it.

{titles}

With ten folds of ten runs, every score's interval covers in {100 * least_alone:.1f} % or more for
one network and in {100 * least_apart:.1f} % or more for a difference. Between two networks of one
kind a verdict is found in at most {100 * max(cell.false for cell in found):.1f} % of the data sets
of any cell, for the worse one of two in at most {100 * max(cell.wrong for cell in found):.1f} %.
From the same pictures, the interval of the difference is {min(ratios):.2f} to {max(ratios):.2f}
times as wide as the single split's.

![Share of intervals that cover, by cell](coverage.svg)

## Verdicts on balanced accuracy

`false`: for one of two shallow networks. `wrong`: for the worse one of deep and shallow. `right`:
for the better one. `false equal`: though the truth is beyond the margin of {100 * MARGIN:g} points.
Width in points.

{_verdicts(found)}

## Coverage of one network's scores

{_coverage(found, "alone")}

## Coverage of the difference

{_coverage(found, "apart")}

## Where it falls short of {short}

{_short(below)}

In *clusters* 8 to 12 % of the deep networks die (counted on four samples of each size): a layer's
ReLUs all go silent, the answer is the same for every picture; the others get 75 to 88 % right.
Where that happens to one run in ten, ten runs often show none of it, and no interval that is made
from them can know. Folds help, since they bring ten times as many runs. F1 is far from a mean of
its pictures where a network barely leaves 50 % and calls nearly everything one class; two or three
runs of a single split do not show how far such runs scatter.
"""


def _only(found: Sequence[Cell], folds: int, runs: int) -> list[Cell]:
    return [cell for cell in found if (cell.folds, cell.runs) == (folds, runs)]


def _verdicts(found: Sequence[Cell]) -> str:
    rows = [
        {
            "world": cell.world,
            "N": f"{cell.pictures:,}",
            "K": cell.folds,
            "R": cell.runs,
            "sets": cell.sets,
            "truth": f"{100 * cell.true:+.1f} ± {100 * cell.error:.1f}",
            "width": f"{100 * cell.width:.1f}",
            "false": f"{100 * cell.false:.1f}",
            "wrong": f"{100 * cell.wrong:.1f}",
            "right": f"{100 * cell.right:.1f}",
            "equal": f"{100 * cell.equal:.1f}",
            "false equal": f"{100 * cell.false_equal:.1f}",
        }
        for cell in found
    ]
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)


def _coverage(found: Sequence[Cell], kind: Literal["alone", "apart"]) -> str:
    rows = [
        {"world": cell.world, "N": f"{cell.pictures:,}", "K": cell.folds, "R": cell.runs}
        | {title: f"{100 * getattr(cell, kind)[score]:.1f}" for score, title in SHOWN.items()}
        for cell in found
    ]
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)


def _short(below: Sequence[tuple[Cell, str, str, float]]) -> str:
    rows = [
        {
            "world": cell.world,
            "N": f"{cell.pictures:,}",
            "K": cell.folds,
            "R": cell.runs,
            "of": kind,
            "score": SHOWN[score],
            "covers": f"{100 * share:.1f} ± {100 * math.sqrt(share * (1 - share) / cell.sets):.1f}",
        }
        for cell, score, kind, share in below
    ]
    return (
        pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True) if rows else "Nowhere."
    )


def draw_report(found: Sequence[Cell], path: Path) -> None:
    """The picture: coverage of balanced accuracy and its difference, a panel a design."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5.4), layout="constrained")
    panels = figure.subplots(len(FOLDS), len(RUNS), sharex=True, sharey=True, squeeze=False)
    names = [f"{cell.world} {cell.pictures:,}" for cell in _only(found, 10, 10)]
    for row, folds in zip(panels, FOLDS, strict=True):
        for axes, runs in zip(row, RUNS, strict=True):
            own = _only(found, folds, runs)
            for kind, mark, title in (("alone", "o", "one network"), ("apart", "x", "difference")):
                shares = [100 * getattr(cell, kind)["balanced_accuracy"] for cell in own]
                axes.plot(shares, range(len(own)), mark, label=title)
            axes.axvline(95, color="#999", linewidth=1)
            axes.axvline(100 * WANTED, color="#999", linewidth=1, linestyle=":")
            axes.set(title=f"{folds} fold{'s' * (folds > 1)}, {runs} runs", yticks=range(len(own)))
            axes.set_yticklabels(names)
    panels[0][0].invert_yaxis()
    panels[0][0].legend(loc="lower left", frameon=False)
    figure.supxlabel("intervals of balanced accuracy that hold the truth, % (93, 95 marked)")
    with matplotlib.rc_context({"svg.hashsalt": "coverage", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Simulate what is not there yet, then report."""
    about, _, how = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(description=about, epilog=how)
    parser.add_argument("--photographs", type=Path, help="folder with a subfolder for each class")
    parser.add_argument("--sets", type=int, default=300, help="data sets of each cell")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--out", type=Path, default=Path("coverage"), help="where the lines go")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the report goes")
    options = parser.parse_args()
    worlds = [w for w in WORLDS if w.name != "photographs" or options.photographs]
    options.out.mkdir(parents=True, exist_ok=True)
    for world in worlds:
        make_population(world, options.out, options.photographs)
    simulate(worlds, options.out, sets=options.sets, minutes=options.minutes)
    found = cells(options.out / "coverage.jsonl")
    if not found:
        raise InputError(
            f"--sets {options.sets} --minutes {options.minutes:g}: no cell has two data sets yet"
        )
    machine = f"{available_cores()} cores, {date.today():%Y-%m-%d}"
    write_text(options.docs / "coverage.md", report(found, machine))
    draw_report(found, options.docs / "coverage.svg")


if __name__ == "__main__":
    with one_line_errors("coverage"):
        main()
