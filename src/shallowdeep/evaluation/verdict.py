"""Which of the two networks of the question is better, in a word and in a sentence."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from shallowdeep.evaluation.intervals import Difference, Interval

DEEP, SHALLOW = "deep", "shallow"  # the two models of params.yaml that the verdict is about
DIFFERENCE = f"{DEEP} minus {SHALLOW}"
SCORE = "balanced_accuracy"  # that the verdict is about: 0.5 for guessing, whatever the classes
GUESSING = 0.5

Verdict = Literal["deep", "shallow", "equal", "undecided"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class Comparison(NamedTuple):
    """What a verdict stands on: the score of both networks on pictures that they had not seen."""

    scores: Mapping[str, Interval]  # by model
    difference: Difference  # of them, deep minus shallow
    runs: int  # of each network on each fold
    folds: int
    trained: int  # pictures that a network was trained on
    alpha: float  # 1 - alpha is the confidence of the intervals
    equivalence_margin: float  # so much of a difference does not matter


def verdict(of: Comparison) -> Verdict:
    """Which network is better, or that both are equal, or that these pictures cannot tell.

    It names a network where the interval of the difference leaves 0 out, so where p is below alpha,
    if that network does better than guessing. Networks are equal where the whole interval lies
    within the equivalence margin, either way: two one-sided tests (Schuirmann 1987; Lakens 2017),
    each at alpha / 2. One run of each decides nothing about architectures, however clear its
    pictures are.
    """
    low, high, margin = of.difference.low, of.difference.high, of.equivalence_margin
    if of.runs < 2:
        return "undecided"
    if -margin <= low and high <= margin:
        return "equal"
    better: Verdict = "deep" if of.difference.mean > 0 else "shallow"
    if low <= 0 <= high or better in guessing(of):
        return "undecided"
    return better


def guessing(of: Comparison) -> list[str]:
    """The networks that cannot be told from guessing, or are worse."""
    return [name for name in (DEEP, SHALLOW) if of.scores[name].low <= GUESSING]


def covered(*, runs: int, folds: int) -> str:
    """The sources of chance that an interval covers."""
    if runs < 2:
        return "new pictures"
    if folds < 2:
        return "new pictures and new seeds"
    return "new pictures, new training sets and new seeds"


def sentence(of: Comparison) -> str:
    """The verdict for a reader who knows no statistics."""
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
    if said == "equal":
        apart = max(abs(low), abs(high))
        return (
            f"{trained} the two networks are equal for all that matters: {both}, and {chance} they "
            f"are at most {apart:.1f} points apart.{_learned(of)}"
        )
    if said == "undecided":
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
