"""The verdict on two networks, as a word."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from shallowdeep.evaluation.intervals import (
    Design,
    Difference,
    Interval,
    difference,
    estimate,
    interval,
    paired,
    scored,
)
from shallowdeep.evaluation.scores import SCORES, Floats

DEEP, SHALLOW = "deep", "shallow"  # the two networks of the question
SCORE = "balanced_accuracy"  # of the verdict: 0.5 for guessing, for classes of any size
GUESSING = 0.5

EQUAL, UNDECIDED = "equal", "undecided"
VERDICTS = (DEEP, SHALLOW, EQUAL, UNDECIDED)


class Pair(NamedTuple):
    """Two networks and the sign of their difference."""

    first: str
    second: str  # whose scores are subtracted

    def __str__(self) -> str:
        return f"{self.first} minus {self.second}"


QUESTION = Pair(DEEP, SHALLOW)


def pairs(models: Sequence[str]) -> list[Pair]:
    """All pairs of networks, the later minus the earlier one; the question's comes first."""
    others = [name for name in models if name not in QUESTION]
    return [Pair(late, early) for early, late in combinations((SHALLOW, DEEP, *others), 2)]


class Comparison(NamedTuple):
    """The basis of a verdict: balanced accuracy of two networks on out-of-fold pictures."""

    pair: Pair
    scores: Mapping[str, Interval]  # by model
    difference: Difference
    runs: int  # of each network on each fold
    folds: int
    trained: int  # pictures that a network was trained on
    alpha: float  # 1 - alpha is the confidence of the intervals
    equivalence_margin: float  # the largest difference that does not matter
    training: str  # settings of the training, in words


def compare(
    pair: Pair,
    design: Design,
    first: Floats,
    second: Floats,
    *,
    alpha: float,
    equivalence_margin: float,
    training: str = "",
) -> Comparison:
    """Compare two networks by the predictions [R, N] of their runs for pictures of their folds."""
    score = SCORES[SCORE]
    scores = {
        name: interval(estimate(design, scored(design, score, own)), score.bound, alpha)
        for name, own in zip(pair, (first, second), strict=True)
    }
    return Comparison(
        pair,
        scores,
        difference(estimate(design, paired(design, score, first, second)), score.bound, alpha),
        runs=len(first),
        folds=len(np.unique(design.folds)),
        trained=design.trained,
        alpha=alpha,
        equivalence_margin=equivalence_margin,
        training=training,
    )


def verdict(of: Comparison) -> str:
    """The better network's name, `equal`, or `undecided`.

    A network is better if the interval of the difference leaves out 0 (p is below alpha) and the
    network does better than guessing. Networks are equal if the whole interval lies within the
    equivalence margin (two one-sided tests, each at alpha / 2: Schuirmann 1987; Lakens 2017) and
    one of them does better than guessing. One run of each decides nothing about architectures,
    however clear its pictures are.
    """
    low, high, margin = of.difference.low, of.difference.high, of.equivalence_margin
    if of.runs < 2 or len(guessing(of)) == 2:
        return UNDECIDED
    if -margin <= low and high <= margin:
        return EQUAL
    return leader(of.pair, of.scores, of.difference) or UNDECIDED


def leader(pair: Pair, scores: Mapping[str, Interval], difference: Difference) -> str:
    """The network that is ahead: not by chance, and better than guessing; empty if none is."""
    better = pair.first if difference.mean > 0 else pair.second
    clear = not difference.low <= 0 <= difference.high
    return better if clear and scores[better].low > GUESSING else ""


def familywise_error_rate(experiments: int, *, alpha: float) -> float:
    """Probability of one or more false positives in so many experiments (Sidak 1967)."""
    return 1 - (1 - alpha) ** experiments


def familywise_note(experiments: int, *, alpha: float) -> str:
    """Number of experiments on the same pictures and their familywise error rate, in words."""
    if experiments == 1:
        return "No other experiment on these pictures is on record in this checkout."
    share = f"{100 * familywise_error_rate(experiments, alpha=alpha):.0f} %"
    return (
        f"This checkout has tried {experiments} experiments on these pictures: with nothing to"
        f" find, up to {share} of such series name a network."
    )


def guessing(of: Comparison) -> list[str]:
    """Networks that cannot be told from guessing, or are worse."""
    return [name for name in of.pair if of.scores[name].low <= GUESSING]
