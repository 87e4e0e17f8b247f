"""Expected half width of the interval with more runs or more pictures.

It follows from the variance parts, not from the observed difference: power at the observed effect
adds nothing to its p (Hoenig and Heisey 2001, American Statistician 55, 19-24). Training and test
pictures are assumed to grow alike, and networks to stay of this kind.
"""

import math
from typing import NamedTuple

from shallowdeep.evaluation.intervals import Design, Estimate, Parts, variance_parts
from shallowdeep.evaluation.scores import RunScores

TIMES = (2, 10)  # as many runs, or pictures


class Outlook(NamedTuple):
    """The expected interval of so many runs and pictures."""

    runs: int  # of each network on each fold
    pictures: int  # that are tested
    margin: float  # half the width of the interval


def outlook(design: Design, scores: list[RunScores], *, alpha: float) -> list[Outlook]:
    """The interval now, then with more runs, then with more pictures.

    Args:
        design: the pictures.
        scores: of a difference, on each fold, by 2 or more runs.
        alpha: 1 - alpha is the interval's confidence.
    """
    parts, folds, runs = variance_parts(design, scores), len(scores), len(scores[0].runs)
    ways = [(1, 1), *((times, 1) for times in TIMES), *((1, times) for times in TIMES)]
    return [
        Outlook(
            runs * more_runs,
            len(design.labels) * more,
            _expected(
                parts, design.widening, folds=folds, runs=runs, more_runs=more_runs, more=more
            ).margin(alpha),
        )
        for more_runs, more in ways
    ]


def _expected(
    parts: Parts, widening: float, *, folds: int, runs: int, more_runs: int, more: int
) -> Estimate:
    """The variance with `more_runs` times the runs and `more` times the pictures."""
    pictures = max(parts.pictures - parts.remainder, 0.0) / more
    remainder = min(parts.remainder, parts.runs)  # which S_b contains, and which falls with both
    of_runs = ((parts.runs - remainder) + remainder / more) / more_runs
    freedom = float(folds * (runs * more_runs - 1))
    of_pictures = (widening * pictures, parts.freedom * more)
    return Estimate(math.nan, math.nan, (of_pictures, (widening * of_runs, freedom)))
