"""Which of the two networks of the question is better, in a word and in a sentence."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from shallowdeep.evaluation.intervals import Difference, Interval

DEEP, SHALLOW = "deep", "shallow"  # the two models of params.yaml that the verdict is about
SCORE = "balanced_accuracy"  # that a verdict is about: 0.5 for guessing, whatever the classes
GUESSING = 0.5

EQUAL, UNDECIDED = "equal", "undecided"
VERDICTS = (DEEP, SHALLOW, EQUAL, UNDECIDED)


class Pair(NamedTuple):
    """Two models whose difference is looked at."""

    first: str
    second: str  # whose scores are subtracted

    def __str__(self) -> str:
        return f"{self.first} minus {self.second}"


QUESTION = Pair(DEEP, SHALLOW)


def pairs(models: Sequence[str]) -> list[Pair]:
    """Every two models, the later one minus the earlier one; that of the question comes first."""
    others = [name for name in models if name not in QUESTION]
    return [Pair(late, early) for early, late in combinations((SHALLOW, DEEP, *others), 2)]


class Comparison(NamedTuple):
    """What a verdict stands on: the score of both networks on pictures that they had not seen."""

    pair: Pair
    scores: Mapping[str, Interval]  # by model
    difference: Difference
    runs: int  # of each network on each fold
    folds: int
    trained: int  # pictures that a network was trained on
    alpha: float  # 1 - alpha is the confidence of the intervals
    equivalence_margin: float  # so much of a difference does not matter


def verdict(of: Comparison) -> str:
    """Which network is better, by its name, `equal`, or `undecided`: these pictures cannot tell.

    It names a network where the interval of the difference leaves 0 out, so where p is below alpha,
    if that network does better than guessing. Networks are equal where the whole interval lies
    within the equivalence margin, either way: two one-sided tests (Schuirmann 1987; Lakens 2017),
    each at alpha / 2. One run of each decides nothing about architectures, however clear its
    pictures are.
    """
    low, high, margin = of.difference.low, of.difference.high, of.equivalence_margin
    if of.runs < 2:
        return UNDECIDED
    if -margin <= low and high <= margin:
        return EQUAL
    better = of.pair.first if of.difference.mean > 0 else of.pair.second
    if low <= 0 <= high or better in guessing(of):
        return UNDECIDED
    return better


def by_chance(experiments: int, *, alpha: float) -> float:
    """How often at most one or more of so many experiments find what is not there (Sidak 1967)."""
    return 1 - (1 - alpha) ** experiments


def tried(experiments: int, *, alpha: float) -> str:
    """How many experiments were tried on the same pictures, and what that does to a verdict."""
    if experiments == 1:
        return "This is the only experiment that this checkout has tried on these pictures."
    share = f"{100 * by_chance(experiments, alpha=alpha):.0f} %"
    return (
        f"This checkout has tried {experiments} experiments on these pictures: with nothing to"
        f" find, up to {share} of such series name a network."
    )


def guessing(of: Comparison) -> list[str]:
    """The networks that cannot be told from guessing, or are worse."""
    return [name for name in of.pair if of.scores[name].low <= GUESSING]


def covered(*, runs: int, folds: int) -> str:
    """The sources of chance that an interval covers."""
    if runs < 2:
        return "new pictures"
    if folds < 2:
        return "new pictures and new seeds"
    return "new pictures, new training sets and new seeds"


def sentence(of: Comparison) -> str:
    """The verdict on deep and shallow for a reader who knows no statistics."""
    right = {name: f"{100 * of.scores[name].mean:.1f} %" for name in (DEEP, SHALLOW)}
    low, high = 100 * of.difference.low, 100 * of.difference.high
    if of.runs == 1:
        return (
            f"One run of each network cannot tell whether depth helps: the deep one got "
            f"{right[DEEP]} of the test pictures right, the shallow one {right[SHALLOW]}, "
            "and another seed may turn that round."
        )
    both = (
        f"of new ones, the deep network gets {right[DEEP]} right and the shallow one "
        f"{right[SHALLOW]}"
    )
    trained = f"Trained on {of.trained:,} pictures like these,"
    chance = (
        f"with {100 * (1 - of.alpha):g} % confidence over {covered(runs=of.runs, folds=of.folds)}"
    )
    said = verdict(of)
    if said == EQUAL:
        apart = max(abs(low), abs(high))
        return (
            f"{trained} the two networks are equal for all that matters: {both}, and {chance} they "
            f"are at most {apart:.1f} points apart.{_learned(of)}"
        )
    if said == UNDECIDED:
        return (
            f"These pictures cannot tell whether depth helps: {both}, and {chance} the difference "
            f"is between {_points(low)} and {_points(high)}.{_learned(of)}"
        )
    least, most = sorted((abs(low), abs(high)))
    worse = SHALLOW if said == DEEP else DEEP
    return (
        f"{trained} the {said} network gets more of new ones right, {right[said]} against "
        f"{right[worse]}: it is ahead by {least:.1f} to {most:.1f} points, {chance}.{_learned(of)}"
    )


def _points(difference: float) -> str:
    """A difference, in points, in words."""
    if round(difference, 1) == 0:
        return "none"
    return f"{abs(difference):.1f} points for the {DEEP if difference > 0 else SHALLOW} one"


def _learned(of: Comparison) -> str:
    """Which networks have not learned anything that can be seen."""
    names = guessing(of)
    if len(names) == 2:
        return " Neither has learned to tell them apart: guessing, 50 %, is within their intervals."
    if names:
        return (
            f" The {names[0]} network has not learned to tell them apart: guessing, 50 %, is within"
            " its interval."
        )
    return ""
