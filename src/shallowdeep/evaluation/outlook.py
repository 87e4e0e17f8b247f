"""Expected half width of the interval with more runs or more pictures.

It follows from the variance parts, not from the observed difference: power at the observed effect
adds nothing to its p (Hoenig and Heisey 2001, American Statistician 55, 19-24). Training and test
pictures are assumed to grow alike. Networks that are trained on more pictures are other networks,
usually less noisy ones: with more pictures the width is an upper bound (7.8 points were found where
8.9 were expected), and it is the width of a question about those networks.
"""

import math
from typing import NamedTuple

from shallowdeep.evaluation.intervals import (
    NOTHING,
    Design,
    Estimate,
    Scored,
    unseen_share,
    variance_parts,
    widened,
    wideners,
)

TIMES = (2, 10)  # as many runs, or pictures


class Outlook(NamedTuple):
    """The expected interval of so many runs and pictures."""

    runs: int  # of each network on each fold
    pictures: int  # that are tested
    margin: float  # half the width of the interval


def outlook(design: Design, scores: Scored, *, alpha: float) -> list[Outlook]:
    """The interval of a difference now, then with more runs, then with more pictures."""
    parts, (folds, runs) = variance_parts(design, scores), scores.runs.shape
    if sum(widened(design, scores, parts)) < NOTHING:
        return []  # all contributions are alike: nothing tells how they would vary
    wider, of_seeds = wideners(design, scores)
    remainder = min(parts.remainder, parts.runs)  # which S_b contains, and which falls with both
    found = []
    for more_runs, more in [(1, 1), *((n, 1) for n in TIMES), *((1, n) for n in TIMES)]:
        pictures = max(parts.pictures - parts.remainder, 0.0) / more
        of_runs = ((parts.runs - remainder) + remainder / more) / more_runs
        freedom = float(folds * (runs * more_runs - 1))
        variances = ((wider * pictures, parts.freedom * more), (of_seeds * of_runs, freedom))
        unseen = scores.distance * unseen_share(folds * runs * more_runs)
        margin = Estimate(math.nan, 0.0, variances, unseen).margin(alpha)
        found.append(Outlook(runs * more_runs, len(design.labels) * more, margin))
    return found
