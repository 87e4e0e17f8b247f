"""What changed from one experiment to another, and what of it is real.

    python -m shallowdeep.compare [FROM] [TO] [--all]

FROM and TO are git revisions, names of DVC experiments, or `workspace`.
"""

import argparse
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shallowdeep.aligned import aligned
from shallowdeep.errors import InputError, told_in_one_line
from shallowdeep.split import SPLITS

METRICS, PARAMS = "results/metrics.json", "params.yaml"
WORKSPACE = "workspace"

Score = Mapping[str, float]  # mean, low, high


class Experiment(NamedTuple):
    """What a revision says."""

    name: str
    metrics: Mapping[str, Any]
    runs: int
    alpha: float
    pictures: Mapping[str, Any]  # what decides which ones, and how they are prepared


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
    change = after["mean"] - before["mean"]
    below = math.hypot(after["mean"] - after["low"], before["high"] - before["mean"])
    above = math.hypot(after["high"] - after["mean"], before["mean"] - before["low"])
    return Change(score, before["mean"], after["mean"], change - below, change + above)


def compare(before: Experiment, after: Experiment, *, splits: tuple[str, ...]) -> list[Change]:
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


def _scores(metrics: Mapping[str, Any], splits: tuple[str, ...]) -> Iterator[tuple[str, Score]]:
    for name, content in metrics.items():
        if name != "verdict":
            for split in splits:
                for score, values in content[split].items():
                    yield f"{name}.{split}.{score}", values


def read(revision: str) -> Experiment:
    """Read an experiment's metrics and parameters.

    Raises:
        InputError: no such revision, or one without metrics.
    """
    import dvc.api  # takes a second
    from dvc.exceptions import DvcException

    rev = None if revision == WORKSPACE else revision
    try:
        metrics = dvc.api.metrics_show(METRICS, rev=rev)
        params = dvc.api.params_show(PARAMS, rev=rev)
        pictures = params["data"] | {"seed": params["seed"]}
        return Experiment(revision, metrics, params["runs"], params["alpha"], pictures)
    except (OSError, KeyError):
        raise InputError(f"{revision}: has no {METRICS} of this project") from None
    except DvcException as error:
        raise InputError(f"{revision}: {error}") from None


def table(before: Experiment, after: Experiment, changes: list[Change]) -> str:
    """The changes side by side, for the terminal."""
    single = min(before.runs, after.runs) == 1
    interval = f"{100 * (1 - before.alpha):g} % interval"
    rows = [("", before.name, after.name, "change", interval, "")]
    for one in changes:
        low_high = f"{one.low:+.3f} to {one.high:+.3f}"
        real = "real" if one.real and not single else ""
        numbers = (f"{one.before:.3f}", f"{one.after:.3f}", f"{one.after - one.before:+.3f}")
        rows.append((one.score, *numbers, low_high, real))
    verdict = f"verdict: {before.metrics['verdict']} -> {after.metrics['verdict']}"
    lines = [aligned(rows), "", verdict]
    there = before.pictures.keys() | after.pictures.keys()
    other = sorted(key for key in there if before.pictures.get(key) != after.pictures.get(key))
    if other:
        lines.append(
            f"The pictures are not the same ones, or not prepared alike: {', '.join(other)}"
        )
    if single:
        lines.append("One run of each network: nothing is marked, another seed may turn it round.")
    else:
        chance = max(1, round(before.alpha * len(changes)))
        lines.append(
            f"real: the interval leaves out 0. Of {len(changes)} scores that did not change, "
            f"at most about {chance} would be marked by chance."
        )
    return "\n".join(lines)


def main() -> None:
    """Read two experiments and print the table."""
    about, _, how = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog="python -m shallowdeep.compare", description=about, epilog=how
    )
    parser.add_argument("before", nargs="?", default="HEAD", metavar="FROM")
    parser.add_argument("after", nargs="?", default=WORKSPACE, metavar="TO")
    parser.add_argument("--all", action="store_true", help="all splits, not only the test pictures")
    options = parser.parse_args()
    if not Path("dvc.yaml").exists():
        raise InputError("there is no dvc.yaml here; run it at the top of the project")
    before, after = read(options.before), read(options.after)
    splits = SPLITS if options.all else ("test",)
    print(table(before, after, compare(before, after, splits=splits)))


if __name__ == "__main__":
    with told_in_one_line("compare"):
        main()
