"""What scores can and cannot show: intervals over pictures and runs, and a test.

Runs and pictures are two crossed samples: every run answers every picture. A score varies with
which pictures were drawn, which seeds were drawn, and how the two meet; the variance of its mean
over R runs is the sum of the three. Each is estimated from mean squares, as in a two-way layout
(Searle, Casella and McCulloch 1992, Variance Components), on what each picture adds to the score;
the interval is Student's, with degrees of freedom after Satterthwaite (1946). What is estimated is
the score expected of new runs on new pictures of the same kind and class proportions, after
training on the same pictures. On the training split it describes, no more: those are not new.

In the simulation of benchmarks/coverage.py, ten runs and 200 pictures, 95 % intervals cover in 93
to 97 % of 1,000 data sets (one model's f1 in 91 % where runs lean strongly to one class: ten show
too little of its skew), and p is uniform where there is no difference. Two better known methods
fail there. The two-level bootstrap counts what a run does with a picture three times over
(McCullagh 2000; Owen and Eckles 2012): 98 to 99 % for a difference of accuracies, classes being of
one size. A permutation test that swaps the models' answers picture by picture takes ten networks
for the architecture (compare Bouthillier et al. 2021): where seeds matter, it finds a difference in
log loss that is not there in 10 to 20 % of the data sets.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from shallowdeep.evaluation.scores import LEAST, SCORES, Floats, Labels, Score
from shallowdeep.files.errors import InputError

NOTHING = 1e-18  # a variance below this is rounding
LEAST_P = 1e-6  # six digits are written, and ten runs do not vouch for more
BOUNDS = dict.fromkeys(SCORES, 1.0) | {"log_loss": -math.log(LEAST)}  # every score is in [0, bound]


class Interval(NamedTuple):
    """A score of one model."""

    mean: float  # over runs
    std: float  # over runs, R - 1 in the denominator; 0 for one run
    low: float
    high: float


class Difference(NamedTuple):
    """A score of one model minus the same score of another."""

    mean: float
    low: float
    high: float
    p_value: float  # two-sided; below alpha exactly where [low, high] leaves out 0


class _Estimate(NamedTuple):
    """A mean over runs and how far to trust it."""

    mean: float
    error: float  # standard error, over pictures and runs
    freedom: float  # degrees of freedom of the error

    def margin(self, alpha: float) -> float:
        """Half the width of Student's interval."""
        return float(stdtrit(self.freedom, 1 - alpha / 2)) * self.error


def summarise(labels: Labels, probabilities: Floats, *, alpha: float) -> dict[str, Interval]:
    """All scores of one model on one split, each with an interval of confidence 1 - alpha.

    Args:
        labels: 0 or 1 for each picture [N].
        probabilities: of class 1, by R runs [R, N]. With a single run the intervals cover the
            choice of pictures only: what another seed would do cannot be known from one.
        alpha: share of such intervals that may miss.

    Returns:
        One interval per name in `SCORES`, finite and within the score's range. Those of scores
        between 0 and 1 are Wilson's (1927), with the sample size that would give the same standard
        error (Korn and Graubard 1998), since Student's reach too far up near 1; that of the log
        loss is symmetric in its logarithm.

    Raises:
        InputError: fewer than two pictures of a class, or a probability that is not finite.
    """
    _check(labels, probabilities)
    intervals = {}
    for name, function in SCORES.items():
        score = function(labels, probabilities)
        std = float(score.runs.std(ddof=1)) if len(score.runs) > 1 else 0.0
        estimate = _estimate(score, labels)
        between = _around_log if name == "log_loss" else _wilson
        low, high = between(estimate, alpha)
        intervals[name] = Interval(estimate.mean, std, max(low, 0.0), min(high, BOUNDS[name]))
    return intervals


def differences(
    labels: Labels, first: Floats, second: Floats, *, alpha: float
) -> dict[str, Difference]:
    """All scores of one model minus those of another, on the same pictures.

    Runs are paired too: run r of both models starts from the same seed and shares initial weights
    with its partner, so that the pairs are independent of each other but the partners need not be.

    Args:
        labels: 0 or 1 for each picture [N].
        first: probabilities of class 1 by the one model [R, N].
        second: by the other, whose scores are subtracted [R, N].
        alpha: share of intervals that may miss.

    Returns:
        One difference per name in `SCORES`, with Student's interval and the p-value of the same t.
        With a single run both say something about these two networks only.

    Raises:
        InputError: fewer than two pictures of a class, or a probability that is not finite.
    """
    _check(labels, first)
    _check(labels, second)
    found = {}
    for name, function in SCORES.items():
        a, b = function(labels, first), function(labels, second)
        estimate = _estimate(Score(a.runs - b.runs, a.parts - b.parts), labels)
        margin, bound = estimate.margin(alpha), BOUNDS[name]
        found[name] = Difference(
            estimate.mean,
            max(estimate.mean - margin, -bound),
            min(estimate.mean + margin, bound),
            _p_value(estimate),
        )
    return found


def _check(labels: Labels, probabilities: Floats) -> None:
    for label in (0, 1):
        if (count := int((labels == label).sum())) < 2:
            raise InputError(
                f"a split has {count} of the pictures of class {label}; an interval needs 2 or more"
            )
    if wrong := int((~np.isfinite(probabilities)).sum()):
        raise InputError(f"probabilities: {wrong} of {probabilities.size} are not finite numbers")


def _estimate(score: Score, labels: Labels) -> _Estimate:
    """Mean over runs, with the variance of a two-way layout, class by class.

    With S_p, S_r, S_e the variance of the pictures' means, of the runs' means, and of what is left,
    the mean's variance is S_p / N + S_r / R - S_e / (R N), since the first two contain the third.
    Where the runs vary no more than S_e explains, the pictures' part alone is the better estimate.
    Classes are strata: their sizes are the split's choice, not chance. If every picture of a class
    scores the same, the error is that of one exception in the smaller class.
    """
    runs = len(score.runs)
    pictures = interaction = uncertainty = 0.0  # the last: the sum of variance**2 / freedom
    for label in (0, 1):
        parts = score.parts[:, labels == label]
        means, n = parts.mean(0), parts.shape[1]
        variance = n * float(means.var(ddof=1))
        pictures += variance
        uncertainty += variance**2 / (n - 1)
        left = parts - means - parts.mean(1, keepdims=True) + means.mean()
        interaction += n / (n - 1) * float((left**2).sum()) / max(runs * (runs - 1), 1)
    between = float(score.runs.var(ddof=1)) / runs if runs > 1 else 0.0
    if between > interaction:
        uncertainty += between**2 / (runs - 1)
    variance = pictures + max(between - interaction, 0.0)
    mean = float(score.runs.mean())
    if variance < NOTHING:  # nor has N pictures' sameness shown that the next will be the same
        smaller = int(np.bincount(labels).min())
        return _Estimate(mean, 1 / smaller, smaller - 1)
    return _Estimate(mean, math.sqrt(variance), variance**2 / uncertainty)


def _p_value(estimate: _Estimate) -> float:
    """Two-sided p-value of "no difference"."""
    p = 2 * float(stdtr(estimate.freedom, -abs(estimate.mean) / estimate.error))
    return max(p, LEAST_P)


def _wilson(estimate: _Estimate, alpha: float) -> tuple[float, float]:
    """Interval for a score between 0 and 1, good near both ends."""
    mean = estimate.mean
    spread = max(mean * (1 - mean), estimate.error)  # the error only where all scores are 0 or 1
    a = estimate.margin(alpha) ** 2 / spread  # t**2 over the equivalent sample size
    middle = (mean + a / 2) / (1 + a)
    half = math.sqrt(a * mean * (1 - mean) + a * a / 4) / (1 + a)
    return middle - half, middle + half


def _around_log(estimate: _Estimate, alpha: float) -> tuple[float, float]:
    """Interval for a score that is above 0."""
    ratio = math.exp(min(estimate.margin(alpha) / estimate.mean, 100.0))
    return estimate.mean / ratio, estimate.mean * ratio
