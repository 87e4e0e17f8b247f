"""Intervals of scores over pictures, training sets and runs, and the test that agrees with them.

Runs and pictures are two crossed samples: every run of a fold predicts every picture that the fold
tests. That is the multi-reader multi-case design of diagnostic imaging (Dorfman, Berbaum and Metz
1992; Obuchowski and Rockette 1995; Gallas 2006; Hillis 2014), with runs for readers. For each fold,
and for a difference as for one model, the variance of the mean score has the parts

    S_p  pictures: the variance of a picture's mean part, class by class, since a fold fixes how
         many pictures it has of either
    S_e  remainder, run by picture, which S_p contains
    S_b  runs: the variance of the runs' scores, over R

Over K folds the mean is the mean of the folds' means, and each part is the sum of the folds' over
K^2. A new training set is a source of chance too, which enlarges the variance by 1 + tested/trained
(Nadeau and Bengio 2003; tested: all pictures that were, trained: those that one fold trains on):

    margin(alpha)^2 = (1 + tested/trained) * (t(nu)^2 * max(S_p - S_e, 0) + t(K (R - 1))^2 * S_b)

with t the quantile of Student's distribution at 1 - alpha/2 and nu after Satterthwaite (1946) from
the pictures' part. p is the alpha at which the margin equals the mean's distance from 0, so that p,
interval and verdict agree. The estimand is the expected score of new runs on new pictures of the
same kind and class proportions, after training on as many new ones. benchmarks/coverage.py measures
the coverage on data sets with a known truth (docs/coverage.md). For training pictures an interval
is a description only: those pictures are not new.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from shallowdeep.evaluation.scores import SCORES, Floats, Labels, RunScores, Score
from shallowdeep.files.errors import InputError

NOTHING = 1e-18  # a variance below this is rounding
LEAST_P = 1e-6  # tables have six digits, and ten runs do not support more


class Interval(NamedTuple):
    """A score of one model."""

    mean: float  # over runs and folds
    std: float  # over the runs of a fold, R - 1 in the denominator; 0 for one run
    low: float
    high: float


class Difference(NamedTuple):
    """A score of one model minus the same score of another."""

    mean: float
    std: float  # over the runs of a fold, each of the one minus its partner of the other
    low: float
    high: float
    p_value: float  # two-sided; below alpha exactly where [low, high] leaves out 0


class Design(NamedTuple):
    """The pictures of a split, and the fold that predicts each."""

    labels: Labels  # 0 or 1 for each picture [N]
    folds: NDArray[np.int64]  # whose runs predict [N]
    trained: int  # training pictures of a fold's runs; 0: these pictures themselves

    @property
    def widening(self) -> float:
        """Factor on the variance for new training sets."""
        return 1 + len(self.labels) / self.trained if self.trained else 1.0

    def by_fold(self) -> list[NDArray[np.intp]]:
        """Positions of each fold's pictures."""
        return [np.flatnonzero(self.folds == fold) for fold in np.unique(self.folds)]


class Parts(NamedTuple):
    """Parts of the variance of a mean over R runs of each of K folds, before it is widened.

    S_p and S_b are sums of squared contributions; a difference's contributions are differences.
    """

    pictures: float  # S_p
    remainder: float  # S_e
    runs: float  # S_b
    freedom: float  # nu, of S_p
    of_pictures: Floats  # contribution of each picture to the mean's error [N]
    of_runs: Floats  # of each run [K, R]


class Estimate(NamedTuple):
    """A mean over runs and folds, and its variance."""

    mean: float
    std: float  # of a run within its fold
    parts: tuple[tuple[float, float], ...]  # of the mean's variance, each with degrees of freedom

    @property
    def error(self) -> float:
        """Standard error."""
        return math.sqrt(sum(variance for variance, _ in self.parts))

    def margin(self, alpha: float) -> float:
        """Half the width of the interval."""
        level = 1 - alpha / 2
        parts = [part for part in self.parts if part[0]]
        return math.sqrt(sum(v * float(stdtrit(freedom, level)) ** 2 for v, freedom in parts))

    def p_value(self) -> float:
        """Two-sided p-value of "it is 0": the alpha whose margin just reaches 0."""
        from scipy.optimize import brentq

        distance = abs(self.mean)
        if self.margin(LEAST_P) <= distance:
            return LEAST_P
        if distance == 0:
            return 1.0
        return float(brentq(lambda alpha: self.margin(alpha) - distance, LEAST_P, 1.0, xtol=1e-12))


def summarise(design: Design, probabilities: Floats, *, alpha: float) -> dict[str, Interval]:
    """All scores of one model, each with an interval of confidence 1 - alpha.

    They are finite and within the score's range. Those of scores from 0 to 1 are Wilson's (1927),
    with the sample size that would give the same standard error (Korn and Graubard 1998), since
    Student's reach too far up near 1; those of the other scores are symmetric in the logarithm.
    The probabilities are of class 1, by R runs of each picture's fold [R, N]. With a single run the
    intervals cover new pictures only, not new seeds.

    Raises:
        InputError: fewer than two pictures of a class in a fold, or a probability that is not
            finite.
    """
    check_predictions(design, probabilities)
    intervals = {}
    for name, score in SCORES.items():
        found = estimate(design, scored(design, score, probabilities))
        low, high = (_wilson if score.bound == 1 else _around_log)(found, alpha)
        low, high = max(low, 0.0), min(high, score.bound)
        intervals[name] = Interval(found.mean, found.std, low, high)
    return intervals


def difference(found: Estimate, bound: float, alpha: float) -> Difference:
    """The interval of a difference, within -bound and bound."""
    margin = found.margin(alpha)
    low, high = max(found.mean - margin, -bound), min(found.mean + margin, bound)
    return Difference(found.mean, found.std, low, high, found.p_value())


def paired(design: Design, score: Score, first: Floats, second: Floats) -> list[RunScores]:
    """Every fold's runs of one model minus their partners of the other, picture by picture.

    Run r of both models starts from the same seed: pairs are independent of each other, partners
    need not be.
    """
    pairs = zip(scored(design, score, first), scored(design, score, second), strict=True)
    return [RunScores(a.runs - b.runs, a.parts - b.parts) for a, b in pairs]


def scored(design: Design, score: Score, probabilities: Floats) -> list[RunScores]:
    """A score of every fold's runs on the fold's own pictures."""
    return [score.function(design.labels[own], probabilities[:, own]) for own in design.by_fold()]


def variance_parts(design: Design, scores: list[RunScores]) -> Parts:
    """Parts of the variance of the mean of all folds' means, from the scores of each fold."""
    runs = np.array([score.runs for score in scores])
    folds, of_fold = runs.shape
    pictures = np.empty(len(design.labels))
    strata: list[tuple[float, int]] = []  # variance and degrees of freedom of each fold and class
    remainder = between = 0.0
    for own, score in zip(design.by_fold(), scores, strict=True):
        for label in (0, 1):
            mine = design.labels[own] == label
            parts = score.parts[:, mine]
            means, n = parts.mean(0), parts.shape[1]
            strata.append((n * float(means.var(ddof=1)), n - 1))
            pictures[own[mine]] = math.sqrt(n / (n - 1)) * (means - means.mean()) / folds
            left = parts - means - parts.mean(1, keepdims=True) + means.mean()
            remainder += n / (n - 1) * float((left**2).sum()) / max(of_fold * (of_fold - 1), 1)
        if of_fold > 1:
            between += float(score.runs.var(ddof=1)) / of_fold
    total = sum(variance for variance, _ in strata)
    uncertainty = sum(variance**2 / freedom for variance, freedom in strata)
    freedom = total**2 / uncertainty if uncertainty > NOTHING**2 else 1.0
    apart = runs - runs.mean(1, keepdims=True)
    return Parts(
        total / folds**2,
        remainder / folds**2,
        between / folds**2,
        freedom,
        pictures,
        apart / (folds * math.sqrt(max(of_fold * (of_fold - 1), 1))),
    )


def check_predictions(design: Design, probabilities: Floats) -> None:
    """Refuse predictions that allow no interval.

    Raises:
        InputError: fewer than two pictures of a class in a fold, or a probability that is not
            between 0 and 1.
    """
    for own in design.by_fold():
        for label in (0, 1):
            if (count := int((design.labels[own] == label).sum())) < 2:
                raise InputError(
                    f"a split has {count} of the pictures of class {label}; an interval needs 2"
                    " or more"
                )
    if wrong := int((~((probabilities >= 0) & (probabilities <= 1))).sum()):
        raise InputError(f"probabilities: {wrong} of {probabilities.size} are not from 0 to 1")


def estimate(design: Design, scores: list[RunScores]) -> Estimate:
    """The mean of the folds' means and its variance.

    If every picture of a class has the same part, the error is that of one exception in the
    smaller class: N equal pictures do not show that the next one is equal.
    """
    parts = variance_parts(design, scores)
    runs = np.array([score.runs for score in scores])  # [K, R]
    mean = float(runs.mean())
    std = math.sqrt(float(runs.var(1, ddof=1).mean())) if runs.shape[1] > 1 else 0.0
    of_runs = float(max(runs.shape[0] * (runs.shape[1] - 1), 1))
    pictures = max(parts.pictures - parts.remainder, 0.0)
    if pictures + parts.runs < NOTHING:
        smaller = int(np.bincount(design.labels).min())
        return Estimate(mean, std, ((1 / smaller**2, float(smaller - 1)),))
    wider = design.widening
    return Estimate(mean, std, ((wider * pictures, parts.freedom), (wider * parts.runs, of_runs)))


def _wilson(found: Estimate, alpha: float) -> tuple[float, float]:
    """Interval for a score from 0 to 1, good near both ends."""
    mean = found.mean
    spread = max(mean * (1 - mean), found.error)  # the error only where all scores are 0 or 1
    a = found.margin(alpha) ** 2 / spread  # t**2 over the equivalent sample size
    middle = (mean + a / 2) / (1 + a)
    half = math.sqrt(a * mean * (1 - mean) + a * a / 4) / (1 + a)
    return middle - half, middle + half


def _around_log(found: Estimate, alpha: float) -> tuple[float, float]:
    """Interval for a positive score."""
    ratio = math.exp(min(found.margin(alpha) / found.mean, 100.0))
    return found.mean / ratio, found.mean * ratio
