"""Do the intervals cover, and are the verdicts right? On data sets with a known truth.

    python benchmarks/simulated_sets.py --out OUT --photographs FOLDER
    python benchmarks/coverage.py OUT [--docs FOLDER]

Reads the predictions that simulated_sets.py keeps, judges each data set by the project's statistics
(fewer runs and the single split are parts of the same training), and writes docs/coverage.md and
docs/coverage.svg.

A sample of N of a population of P pictures is drawn without replacement, so that its mean is nearer
to the truth than that of a sample of all pictures in the world. Deviations from the truth are
enlarged by 1 / sqrt(1 - N / P) before they are held against an interval.

The truth has an error too. So it has two sources, weighted by their precision: networks trained on
other samples, and the cross-validated means of the other data sets, which are unbiased (but for F1,
whose mean over small folds is another quantity). No data set is a part of its own truth.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import matplotlib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from threadpoolctl import threadpool_limits

from shallowdeep.evaluation import intervals
from shallowdeep.evaluation.intervals import NOTHING, SEEDS, Design, Difference, Estimate, Interval
from shallowdeep.evaluation.scores import SCORES
from shallowdeep.evaluation.verdict import QUESTION, Comparison, verdict
from shallowdeep.files.atomic import write_text
from shallowdeep.files.cores import available_cores
from shallowdeep.files.errors import InputError, one_line_errors

Floats = NDArray[np.float64]

ROOT = Path(__file__).parent.parent
ALPHA, MARGIN = 0.05, 0.02
DESIGNS = tuple((folds, runs) for folds in (10, 1) for runs in (10, 3, 2))
NAMES = list(SCORES)
SHOWN = {"balanced_accuracy": "balanced accuracy", "roc_auc": "AUC", "log_loss": "log loss"}
SHOWN = dict.fromkeys(SCORES, "") | SHOWN
TITLES = {name: title or SCORES[name].title for name, title in SHOWN.items()}
_T = TypeVar("_T", Interval, Difference)
WANTED = 0.93  # least share of intervals that cover


class Truth(NamedTuple):
    """Mean scores over new pictures, training sets and seeds, in the order of SCORES."""

    alone: Mapping[str, Floats]  # by network
    apart: Floats  # deep minus shallow
    error: float  # standard error of the difference in balanced accuracy
    nearness: float  # sqrt(1 - N / P)


class Judged(NamedTuple):
    """Intervals and verdicts of one data set and design."""

    number: int  # of the data set
    alone: NDArray[np.bool_]  # True where an interval covers [2 networks, scores]
    apart: NDArray[np.bool_]  # of the difference [scores]
    width: float  # of the difference's interval, balanced accuracy
    before: tuple[bool, float]  # the same with f on both parts and no unseen runs
    verdict: str  # on deep and shallow
    again: str  # on two shallow networks


class Cell(NamedTuple):
    """All data sets of one world, size and design."""

    world: str
    pictures: int
    folds: int
    runs: int
    grouped: bool  # False: pictures that belong together are counted one by one
    truth: Truth
    sets: Sequence[Judged]

    @property
    def better(self) -> str:
        """Name of the truly better network."""
        return QUESTION.first if self.truth.apart[0] > 0 else QUESTION.second


def judged(path: Path, truth: Truth, folds: int, runs: int, *, grouped: bool) -> Judged:
    """Intervals and verdicts of one data set."""
    with np.load(path) as file:
        own = file["parts"] < folds
        labels, parts, groups = (file[key][own] for key in ("labels", "parts", "groups"))
        trained = int((file["parts"] > 1).sum())
        said = {name: file[name][:runs, own].astype(float) for name in ("shallow", "deep", "again")}
    design = Design(labels, parts, trained, groups if grouped else None)
    scores = list(SCORES.values())
    scored = {
        name: [intervals.scored(design, of, one) for of in scores] for name, one in said.items()
    }
    alone = {
        name: [
            intervals.interval(intervals.estimate(design, one), of.bound, ALPHA)
            for one, of in zip(found, scores, strict=True)
        ]
        for name, found in scored.items()
    }
    pairs = {  # of two shallow networks the verdict alone counts
        "deep": list(zip(scored["deep"], scored["shallow"], truth.apart, strict=True)),
        "again": [(scored["again"][0], scored["shallow"][0], 0.0)],
    }
    found = {
        name: [intervals.estimate(design, intervals.minus(one, other)) for one, other, _ in of]
        for name, of in pairs.items()
    }
    apart = {
        name: [
            moved(intervals.difference(one, score.bound, ALPHA), true, truth.nearness)
            for one, score, (*_, true) in zip(found[name], scores, of, strict=False)
        ]
        for name, of in pairs.items()
    }
    verdicts = {
        name: verdict(
            Comparison(
                QUESTION,
                {"deep": alone[name][0], "shallow": alone["shallow"][0]},
                apart[name][0],
                runs,
                folds,
                trained,
                ALPHA,
                MARGIN,
                training="",
            )
        )
        for name in apart
    }
    covers = [
        [
            covered(moved(one, value, truth.nearness), value)
            for one, value in zip(alone[name], truth.alone[name], strict=True)
        ]
        for name in truth.alone
    ]
    first, true = apart["deep"][0], truth.apart[0]
    margin = before(found["deep"][0], design).margin(ALPHA)
    return Judged(
        number_of(path),
        np.array(covers),
        np.array([covered(one, of) for one, of in zip(apart["deep"], truth.apart, strict=True)]),
        first.high - first.low,
        (abs(first.mean - true) <= margin, 2 * margin),
        verdicts["deep"],
        verdicts["again"],
    )


def moved(of: _T, true: float, nearness: float) -> _T:
    """The interval, as far from the truth as that of a sample of an endless population."""
    by = (of.mean - true) * (1 / nearness - 1)
    return of._replace(mean=of.mean + by, low=of.low + by, high=of.high + by)


def number_of(path: Path) -> int:
    """Number of the data set that a file holds."""
    return int(path.stem.partition("-")[2])


def covered(of: Interval | Difference, true: float) -> bool:
    """True if the interval holds the truth."""
    return of.low <= true <= of.high


def before(of: Estimate, design: Design) -> Estimate:
    """The estimate with f on both parts and nothing for unseen runs."""
    if len(of.parts) == 1:
        return of._replace(unseen=0.0)
    pictures, (runs, freedom) = of.parts
    return of._replace(parts=(pictures, (runs * design.widening / SEEDS, freedom)), unseen=0.0)


def cells(out: Path) -> list[Cell]:
    """All cells that have data sets, and a truth with an error."""
    worlds = json.loads((out / "worlds.json").read_text())
    found = []
    with ProcessPoolExecutor(
        available_cores(), initializer=threadpool_limits, initargs=(1,)
    ) as pool:
        for world in worlds:
            groups = np.load(out / world / "groups.npy")
            pool_size, together = len(groups), len(np.unique(groups)) < len(groups)
            for count in worlds[world]["counts"]:
                paths = sorted((out / world / str(count)).glob("found-*.npz"))
                lines = sorted((out / world / str(count)).glob("truth-*.npz"))
                if min(len(paths), len(lines)) < 2:
                    continue
                of_networks = np.array([_scores_of(np.load(path)) for path in lines])
                of_sets = np.array(list(pool.map(mean_scores, paths)))
                nearness = math.sqrt(1 - count / pool_size)
                truth = combined(of_networks, of_sets, nearness)
                own_truths = [
                    combined(of_networks, np.delete(of_sets, i, 0), nearness)
                    for i in range(len(paths))
                ]
                for grouped in (True, False)[: 1 + together]:
                    for folds, runs in DESIGNS:
                        jobs = [
                            pool.submit(judged, path, own, folds, runs, grouped=grouped)
                            for path, own in zip(paths, own_truths, strict=True)
                        ]
                        sets = [job.result() for job in jobs]
                        found.append(Cell(world, count, folds, runs, grouped, truth, sets))
    return found


def _scores_of(line: Mapping[str, Any]) -> list[Floats]:
    """Scores of the truth's networks on one sample [2, scores]."""
    return [np.asarray(line[name]) for name in ("shallow", "deep")]


def mean_scores(path: Path) -> Floats:
    """Means of a data set's scores over ten folds of ten runs [2, scores]."""
    with np.load(path) as file:
        design = Design(file["labels"], file["parts"], 0)
        said = [file[name].astype(float) for name in ("shallow", "deep")]
    found = [
        [intervals.scored(design, of, one).runs.mean() for of in SCORES.values()] for one in said
    ]
    return np.array(found, np.float64)


def combined(of_networks: Floats, of_sets: Floats, nearness: float) -> Truth:
    """The truth, from the scores of its networks and of other data sets [n, 2, scores]."""
    biased = NAMES.index("f1")

    def best(networks: Floats, sets: Floats) -> tuple[Floats, Floats]:
        """Weighted mean and its standard error, by score."""
        mean, precision = networks.mean(0), _precision(networks)
        if len(sets) < 2:
            return mean, precision**-0.5
        of_sets = _precision(sets)
        of_sets[biased] = 0
        both = (precision * mean + of_sets * sets.mean(0)) / (precision + of_sets)
        return both, (precision + of_sets) ** -0.5

    shallow, deep = (best(of_networks[:, i], of_sets[:, i])[0] for i in (0, 1))
    apart, errors = best(*(of[:, 1] - of[:, 0] for of in (of_networks, of_sets)))
    return Truth({"shallow": shallow, "deep": deep}, apart, float(errors[0]), nearness)


def _precision(values: Floats) -> Floats:
    """One over the squared standard error of each column's mean."""
    precision: Floats = len(values) / np.maximum(values.var(0, ddof=1), NOTHING)
    return precision


class OtherWays(NamedTuple):
    """Coverage and width of the accuracy difference by three ways, on the same data sets."""

    world: str
    sets: int
    ways: Mapping[str, Sequence[float]]  # by way: share that covers, mean width


def other_ways(out: Path, found: Sequence[Cell]) -> list[OtherWays]:
    """The corrected t and the conservative z of R's mlr3inferr (Nadeau and Bengio 2003)."""
    accuracy, rows = NAMES.index("accuracy"), []
    for cell in found:
        folder = out / cell.world / str(cell.pictures)
        paths = sorted(folder.glob("splits-*.npz"))
        if (cell.folds, cell.runs) != (10, 10) or len(paths) < 2:
            continue
        true = cell.truth.apart[accuracy]
        ways: dict[str, list[tuple[bool, float]]] = {"corrected t": [], "conservative z": []}
        split = set()
        for path in paths:
            with np.load(path) as file:
                whole = file["whole_deep"] - file["whole_shallow"]  # [J]
                halves = (file["halves_deep"] - file["halves_shallow"]).mean(2)  # [M, 2]
            j, ratio = len(whole), 1 / 9  # tested to trained
            t = stats.t(j - 1).ppf(1 - ALPHA / 2)
            corrected = t * math.sqrt((1 / j + ratio) * whole.var(ddof=1))
            z = stats.norm.ppf(1 - ALPHA / 2)
            conservative = z * math.sqrt(((halves[:, 0] - halves[:, 1]) ** 2).mean() / 2)
            off = abs(whole.mean() - true) / cell.truth.nearness
            ways["corrected t"].append((off <= corrected, 2 * corrected))
            ways["conservative z"].append((off <= conservative, 2 * conservative))
            split.add(number_of(path))
        same = [one for one in cell.sets if one.number in split]
        ways["ours"] = [(bool(one.apart[accuracy]), one.width) for one in same]
        means = {way: np.mean(pairs, 0).tolist() for way, pairs in ways.items()}
        rows.append(OtherWays(cell.world, len(paths), means))
    return rows


def share(hits: Sequence[Any] | NDArray[Any]) -> str:
    """A share in per cent, with its standard error."""
    mean = float(np.mean(hits))
    return f"{100 * mean:.1f} ± {100 * math.sqrt(mean * (1 - mean) / len(hits)):.1f}"


def named(cell: Cell) -> dict[str, str]:
    """Columns that say which cell it is."""
    world = cell.world if cell.grouped else f"{cell.world}, counted one by one"
    return {"world": world, "N": f"{cell.pictures:,}", "K": str(cell.folds), "R": str(cell.runs)}


def verdict_rows(cell: Cell) -> dict[str, str]:
    """A row of the table of verdicts."""
    true, said = cell.truth.apart[0], [one.verdict for one in cell.sets]
    worse = QUESTION[1 - QUESTION.index(cell.better)]
    equal = [one == "equal" for one in said]
    return named(cell) | {
        "sets": str(len(said)),
        "truth": f"{100 * true:+.1f} ± {100 * cell.truth.error:.1f}",
        "covers": share([one.apart[0] for one in cell.sets]),
        "width": f"{100 * np.mean([one.width for one in cell.sets]):.1f}",
        "before: covers": share([one.before[0] for one in cell.sets]),
        "before: width": f"{100 * np.mean([one.before[1] for one in cell.sets]):.1f}",
        "false": share([one.again in QUESTION for one in cell.sets]),
        "wrong": share([one == worse for one in said]),
        "right": share([one == cell.better for one in said]),
        "equal": share(equal),
        "false equal": share(equal) if abs(true) > MARGIN else "",
    }


def coverage_rows(cell: Cell, kind: str) -> dict[str, str]:
    """A row of a table of coverage."""
    hits = np.array([getattr(one, kind) for one in cell.sets])
    hits = hits.reshape(-1, hits.shape[-1])
    return named(cell) | {TITLES[name]: share(hits[:, i]) for i, name in enumerate(NAMES)}


def short_rows(cell: Cell) -> list[dict[str, str]]:
    """Rows of the intervals that cover too rarely, by more than two standard errors or not."""
    rows = []
    for kind, title in (("alone", "one network"), ("apart", "difference")):
        hits = np.array([getattr(one, kind) for one in cell.sets])
        hits = hits.reshape(-1, hits.shape[-1])
        rows += [
            named(cell) | {"of": title, "score": TITLES[name], "covers": share(hits[:, i])}
            for i, name in enumerate(NAMES)
            if hits[:, i].mean() < WANTED
        ]
    return rows


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """A table in Markdown."""
    if not rows:
        return "Nowhere."
    return pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)


def report(out: Path, found: Sequence[Cell], machine: str) -> str:
    """The page docs/coverage.md."""
    worlds = json.loads((out / "worlds.json").read_text())
    titles = "\n".join(
        f"- **{name}**: {world['title']}; {world['epochs']} epochs, learning rate"
        f" {' or '.join(f'{lr:g}' for lr in world['lrs'])}; a population of"
        f" {len(np.load(out / name / 'labels.npy')):,}"
        for name, world in worlds.items()
    )
    told = [cell for cell in found if cell.grouped]
    central = [cell for cell in told if (cell.folds, cell.runs) == (10, 10)]
    least = {
        kind: min(
            np.array([getattr(one, kind) for one in cell.sets])
            .reshape(-1, len(NAMES))
            .mean(0)
            .min()
            for cell in central
        )
        for kind in ("alone", "apart")
    }
    false = max(np.mean([one.again in QUESTION for one in cell.sets]) for cell in told)
    ways = [
        {
            "world": one.world,
            "sets": str(one.sets),
            **{
                f"{way}: {what}": f"{100 * value:.1f}"
                for way, both in one.ways.items()
                for what, value in zip(("covers", "width"), both, strict=True)
            },
        }
        for one in other_ways(out, found)
    ]
    return f"""# Do the intervals cover?

Real networks are trained on data whose truth is known. Made by
`python benchmarks/simulated_sets.py --out OUT --photographs FOLDER`, then
`python benchmarks/coverage.py OUT` ({machine}). Each data set is a new sample of N pictures of a
large population. Shallow and deep network, and a second shallow one with other seeds, train on it:
K folds of R runs, by the project's solver. The truth is the mean score of networks trained on other
samples of the same size, on pictures that they have not seen, and of the other data sets, weighted
by their precision. Shares of data sets are in per cent, with their standard error over the data
sets; intervals are of 95 %.

{titles}

A sample is drawn without replacement: deviations from the truth are enlarged by
1 / sqrt(1 - N / population) before they are held against an interval.
That of seeds is enlarged too: for 1,000 photographs of 2,000 it is by 1.41, and their figures are
a lower bound. So are those of cells whose truth has an error (beside it) that is not small against
the interval.

With ten folds of ten runs, every score's interval covers in {100 * least["alone"]:.1f} % or more
for one network and in {100 * least["apart"]:.1f} % or more for a difference. Between two networks
of one kind a verdict is found in at most {100 * false:.1f} % of the data sets of any cell.

![Share of intervals that cover, by cell](coverage.svg)

## Verdicts on balanced accuracy

`truth`: deep minus shallow, points. `before`: the same pictures and runs with one factor
1 + tested/trained on both parts of the variance and no term for unseen runs.
`false`: a verdict for one of two shallow networks. `wrong`: for the worse one of deep and shallow.
`right`: for the better one. `false equal`: though the truth is beyond {100 * MARGIN:g} points.

{table([verdict_rows(cell) for cell in found])}

## Beside the intervals of R's mlr3inferr

Accuracy, deep minus shallow, the same data sets of 400 pictures. The corrected t has 15 random
splits of 90/10, one run each; the conservative z ten pairs of halves besides, with 15 splits each
(Nadeau and Bengio 2003). Ours: ten folds of ten runs.

{table(ways)}

## Coverage of one network's scores

{table([coverage_rows(cell, "alone") for cell in told])}

## Coverage of the difference

{table([coverage_rows(cell, "apart") for cell in told])}

## Where it falls short of {100 * WANTED:g} %

{table([row for cell in told for row in short_rows(cell)])}

In *clusters* some deep networks die: a layer's ReLUs all go silent, and the prediction is the same
for every picture. F1 is far from a mean of its pictures where a network barely leaves 50 % and
calls nearly everything one class; two or three runs of a single split do not show how far such runs
scatter. In *tuned* the choice of a learning rate is a source of chance of its own: the interval of
one network is too narrow by an eighth; in a difference most of it cancels. With ten folds of ten
runs no difference is below {100 * WANTED:g} % by more than a standard error. The report says
beside the verdict where runs are dead and the others good, as in *clusters* with 1,000 pictures,
and where learning rates were chosen.
"""


def draw_report(found: Sequence[Cell], path: Path) -> None:
    """Draw coverage of balanced accuracy and its difference, a panel a design."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 8), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True, squeeze=False)
    for axes, (folds, runs) in zip(panels.flat, DESIGNS, strict=True):
        own = [cell for cell in found if (cell.folds, cell.runs) == (folds, runs) and cell.grouped]
        alone = [100 * np.mean([one.alone[:, 0] for one in cell.sets]) for cell in own]
        apart = [100 * np.mean([one.apart[0] for one in cell.sets]) for cell in own]
        axes.plot(alone, range(len(own)), "o", label="one network")
        axes.plot(apart, range(len(own)), "x", label="difference")
        axes.axvline(95, color="#999", linewidth=1)
        axes.axvline(100 * WANTED, color="#999", linewidth=1, linestyle=":")
        axes.set(title=f"{folds} fold{'s' * (folds > 1)}, {runs} runs", yticks=range(len(own)))
        axes.set_yticklabels([f"{cell.world} {cell.pictures:,}" for cell in own], fontsize=8)
    panels[0][0].invert_yaxis()
    keys = panels[0][0].get_legend_handles_labels()
    figure.legend(*keys, loc="outside upper right", ncols=2, frameon=False)
    figure.supxlabel("intervals of balanced accuracy that hold the truth, % (93, 95 marked)")
    with matplotlib.rc_context({"svg.hashsalt": "coverage", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Judge all data sets and report."""
    about, _, how = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(description=about, epilog=how)
    parser.add_argument("out", type=Path, help="folder that simulated_sets.py wrote")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the report goes")
    options = parser.parse_args()
    if not (options.out / "worlds.json").exists():
        raise InputError(f"{options.out}: no worlds.json; benchmarks/simulated_sets.py writes it")
    found = cells(options.out)
    if not found:
        raise InputError(f"{options.out}: no cell has two data sets yet")
    machine = f"{available_cores()} cores, {date.today():%Y-%m-%d}"
    write_text(options.docs / "coverage.md", report(options.out, found, machine))
    draw_report(found, options.docs / "coverage.svg")


if __name__ == "__main__":
    with one_line_errors("coverage"):
        main()
