"""The verdict on two networks as a word and as a sentence."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from shallowdeep.evaluation.intervals import Difference, Interval

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


def verdict(of: Comparison) -> str:
    """The better network's name, `equal`, or `undecided`.

    A network is better if the interval of the difference leaves out 0 (p is below alpha) and the
    network does better than guessing. Networks are equal if the whole interval lies within the
    equivalence margin: two one-sided tests (Schuirmann 1987; Lakens 2017), each at alpha / 2. One
    run of each decides nothing about architectures, however clear its pictures are.
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


def familywise_error_rate(experiments: int, *, alpha: float) -> float:
    """Probability of one or more false positives in so many experiments (Sidak 1967)."""
    return 1 - (1 - alpha) ** experiments


def familywise_note(experiments: int, *, alpha: float) -> str:
    """Number of experiments on the same pictures and their familywise error rate, in words."""
    if experiments == 1:
        return "This is the only experiment that this checkout has tried on these pictures."
    share = f"{100 * familywise_error_rate(experiments, alpha=alpha):.0f} %"
    return (
        f"This checkout has tried {experiments} experiments on these pictures: with nothing to"
        f" find, up to {share} of such series name a network."
    )


def guessing(of: Comparison) -> list[str]:
    """Networks that cannot be told from guessing, or are worse."""
    return [name for name in of.pair if of.scores[name].low <= GUESSING]


def best_sentence(compared: Sequence[Comparison]) -> str:
    """The network with the highest score and its pairs' verdicts; empty with two networks.

    The differences of all pairs have simultaneous intervals.
    """
    scores = {name: of.scores[name] for of in compared for name in of.pair}
    if len(scores) < 3:
        return ""
    best = max(scores, key=lambda name: scores[name].mean)
    found = (
        f"Of all networks {best} has the highest balanced accuracy, {100 * scores[best].mean:.1f} %"
    )
    if compared[0].runs < 2:
        return f"{found}; one run of each cannot tell whether another seed changes that."
    clauses = []
    for word, clause in (
        (best, "is ahead of"),
        (EQUAL, "is equal for all that matters to"),
        (UNDECIDED, "cannot be told from"),
    ):
        judged = [of.pair for of in compared if best in of.pair and verdict(of) == word]
        if names := [name for pair in judged for name in pair if name != best]:
            listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
            clauses.append(f"{clause} {listed}")
    confidence = f"{100 * (1 - compared[0].alpha):g} % confidence for all pairs together"
    return f"{found}; with {confidence} it {', '.join(clauses)}."


def covered(*, runs: int, folds: int) -> str:
    """Sources of chance that an interval covers."""
    if runs < 2:
        return "new pictures"
    if folds < 2:
        return "new pictures and new seeds"
    return "new pictures, new training sets and new seeds"


def sentence(of: Comparison) -> str:
    """The verdict on deep and shallow for readers without statistics."""
    right = {name: f"{100 * of.scores[name].mean:.1f} %" for name in of.pair}
    low, high = 100 * of.difference.low, 100 * of.difference.high
    deep, shallow = right[DEEP], right[SHALLOW]
    if of.runs == 1:
        return (
            f"One run of each network cannot tell whether depth helps: the deep one got {deep} of"
            f" the test pictures right, the shallow one {shallow}, and another seed may turn that"
            " round."
        )
    both = f"of new ones, the deep network gets {deep} right and the shallow one {shallow}"
    trained = f"Trained on {of.trained:,} pictures like these,"
    chance = (
        f"with {100 * (1 - of.alpha):g} % confidence over {covered(runs=of.runs, folds=of.folds)}"
    )
    better = verdict(of)
    if better == EQUAL:
        return (
            f"{trained} the two networks are equal for all that matters: {both}, and {chance} they "
            f"are at most {max(abs(low), abs(high)):.1f} points apart.{_learned(of)}"
        )
    if better == UNDECIDED:
        return (
            f"These pictures cannot tell whether depth helps: {both}, and {chance} the difference "
            f"is between {_points(low)} and {_points(high)}.{_learned(of)}"
        )
    least, most = sorted((abs(low), abs(high)))
    worse = SHALLOW if better == DEEP else DEEP
    return (
        f"{trained} the {better} network gets more of new ones right, {right[better]} against "
        f"{right[worse]}: it is ahead by {least:.1f} to {most:.1f} points, {chance}.{_learned(of)}"
    )


def _points(difference: float) -> str:
    """A difference in points, in words."""
    if round(difference, 1) == 0:
        return "none"
    return f"{abs(difference):.1f} points for the {DEEP if difference > 0 else SHALLOW} one"


def _learned(of: Comparison) -> str:
    """A remark on networks that cannot be told from guessing."""
    names = guessing(of)
    if len(names) == 2:
        return " Neither has learned to tell them apart: guessing, 50 %, is within their intervals."
    if names:
        return (
            f" The {names[0]} network has not learned to tell them apart: guessing, 50 %, is within"
            " its interval."
        )
    return ""
