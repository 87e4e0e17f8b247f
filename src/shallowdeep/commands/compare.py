"""How the scores changed from one experiment to another, and what of it is real.

FROM and TO are git revisions, names of DVC experiments, or `workspace`.
"""

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shallowdeep.commands import experiments
from shallowdeep.commands.experiments import METRICS, WORKSPACE
from shallowdeep.commands.terminal import table
from shallowdeep.evaluation import metrics
from shallowdeep.evaluation.intervals import Difference, Interval
from shallowdeep.evaluation.metrics import Differences, Metrics, Scores
from shallowdeep.files.errors import InputError, told_in_one_line
from shallowdeep.prepared.folds import SPLITS, SplitName

Score = Interval | Difference


@dataclass(frozen=True)
class Side:
    """One of the two experiments."""

    name: str
    metrics: Metrics
    runs: int
    alpha: float
    pictures: Mapping[str, object]  # the settings that decide which ones, and how they are prepared


class Change(NamedTuple):
    """A score in two experiments, and the interval of its change."""

    score: str  # as in `dvc metrics diff`
    before: float
    after: float
    low: float
    high: float

    @property
    def real(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def change(score: str, before: Score, after: Score) -> Change:
    """The change of a score from the intervals of both.

    Each side of its interval is the root of the two margins' sum of squares, as if the experiments
    had nothing in common (MOVER: Zou and Donner 2008, Statistics in Medicine 27, 1693-1702). Two on
    the same pictures have, so the interval is rather too wide: what it calls real, is.
    """
    change = after.mean - before.mean
    below = math.hypot(after.mean - after.low, before.high - before.mean)
    above = math.hypot(after.high - after.mean, before.mean - before.low)
    return Change(score, before.mean, after.mean, change - below, change + above)


def changes(before: Side, after: Side, *, splits: Sequence[SplitName]) -> list[Change]:
    """The changes of all scores that both experiments have.

    Raises:
        InputError: their intervals are of different confidence.
    """
    if before.alpha != after.alpha:
        raise InputError(
            f"alpha is {before.alpha:g} in {before.name} and {after.alpha:g} in {after.name}; "
            "intervals of different confidence cannot be compared"
        )
    there = dict(_scores(after.metrics, splits))
    return [
        change(name, score, there[name])
        for name, score in _scores(before.metrics, splits)
        if name in there
    ]


def _scores(found: Metrics, splits: Sequence[SplitName]) -> Iterator[tuple[str, Score]]:
    """Every score and its name, as in `dvc metrics diff`."""
    parts: dict[str, Scores | Differences] = {**found.models, "difference": found.difference}
    for name in sorted(parts):
        for split in splits:
            for score, value in parts[name][split].items():
                yield f"{name}.{split}.{score}", value


def read(revision: str) -> Side:
    """Read an experiment.

    Raises:
        InputError: no such revision, or one without metrics of this project.
    """
    found = experiments.read(revision)
    try:
        scores = metrics.parsed(found.metrics)
        pictures = found.params["data"] | {key: found.params.get(key) for key in ("seed", "folds")}
        return Side(revision, scores, found.params["runs"], found.params["alpha"], pictures)
    except (ValueError, LookupError, TypeError) as error:
        raise InputError(f"{revision}: {METRICS} is not of this project: {error}") from None


def shown(before: Side, after: Side, found: Sequence[Change]) -> str:
    """The changes side by side, for the terminal."""
    single = min(before.runs, after.runs) == 1
    interval = f"{100 * (1 - before.alpha):g} % interval"
    rows = []
    for one in found:
        low_high = f"{one.low:+.3f} to {one.high:+.3f}"
        real = "real" if one.real and not single else ""
        numbers = (f"{one.before:.3f}", f"{one.after:.3f}", f"{one.after - one.before:+.3f}")
        rows.append((one.score, *numbers, low_high, real))
    verdict = f"verdict: {before.metrics.verdict} -> {after.metrics.verdict}"
    head = ["", before.name, after.name, "change", interval, ""]
    lines = [table(head, rows), "", verdict]
    there = before.pictures.keys() | after.pictures.keys()
    other = sorted(key for key in there if before.pictures.get(key) != after.pictures.get(key))
    if other:
        lines.append(
            f"The pictures are not the same ones, or not prepared alike: {', '.join(other)}"
        )
    if single:
        lines.append("One run of each network: nothing is marked, another seed may turn it round.")
    else:
        chance = max(1, round(before.alpha * len(found)))
        lines.append(
            f"real: the interval leaves out 0. Of {len(found)} scores that did not change, "
            f"at most about {chance} would be marked by chance."
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Read two experiments and print the changes."""
    about, _, how = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser("shallowdeep compare", description=about, epilog=how)
    parser.add_argument("before", nargs="?", default="HEAD", metavar="FROM")
    parser.add_argument("after", nargs="?", default=WORKSPACE, metavar="TO")
    parser.add_argument("--all", action="store_true", help="all splits, not only the test pictures")
    options = parser.parse_args(arguments)
    with told_in_one_line("compare"):
        before, after = read(options.before), read(options.after)
        splits: Sequence[SplitName] = SPLITS if options.all else ("test",)
        print(shown(before, after, changes(before, after, splits=splits)))
