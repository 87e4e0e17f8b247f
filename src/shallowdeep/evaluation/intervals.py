"""Intervals of scores over pictures, training sets and runs, and the test that agrees with them.

Runs and pictures are two crossed samples: every run of a fold predicts every picture that the fold
tests. That is the multi-reader multi-case design of diagnostic imaging (Dorfman, Berbaum and Metz
1992; Obuchowski and Rockette 1995; Gallas 2006; Hillis 2014), with runs for readers. For each fold,
and for a difference as for one model, the variance of the mean score has the parts

    S_p  pictures: the variance of a picture's mean part, class by class, since a fold fixes how
         many pictures it has of either
    S_e  remainder, run by picture, which S_p contains
    S_b  runs: the variance of the runs' scores, over R

Pictures that belong together (frames of a clip, copies) are one sample: their contributions are
summed over each group before they are squared. Where a fold has few groups of a class, strata are
classes across folds.

Over K folds the mean is the mean of the folds' means, and each part is the sum of the folds' over
K^2. A new training set is a source of chance too, which enlarges what pictures say by
f = 1 + tested/trained (Nadeau and Bengio 2003; tested: all pictures that were, trained: those that
one fold trains on):

    margin(alpha)^2 = f * t(nu)^2 * max(S_p - S_e, 0) + g * t(K (R - 1))^2 * S_b + (d * p)^2

with t the quantile of Student's distribution at 1 - alpha/2 and nu after Satterthwaite (1946) from
the pictures' part. g is f for one network and 1.25 for a difference: S_b is the variance of seeds
itself, drawn anew in every fold. The last term is for runs of a kind that none has shown, such as
networks that die: d is the distance from guessing (of a difference both, in quadrature) and p the
share of such runs that K R runs miss with probability 1/4. The p-value is the alpha at which the
margin equals the mean's distance from 0, so that p-value, interval and verdict agree.

The estimand is the expected score of new runs on new pictures of the same kind and class
proportions, after training on as many new ones. benchmarks/coverage.py measures the coverage on
data sets with a known truth (docs/coverage.md). For training pictures an interval is a description
only: those pictures are not new.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from shallowdeep.evaluation.scores import SCORES, Floats, Labels, RunScores, Score
from shallowdeep.files.errors import InputError

NOTHING = 1e-18  # a variance below this is rounding
LEAST_P = 1e-6  # tables have six digits, and ten runs do not support more
FEW = 5  # groups of a fold and class, below which strata are classes across folds
SEEDS = 1.25  # g of a difference: true over estimated variance was 0.83 to 1.23 in eight pairs
MISSED = 0.25  # probability that no run shows a kind of runs whose share is p


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
    groups: NDArray[np.int64] | None = None  # number of each picture's group [N]; None: no groups

    @property
    def widening(self) -> float:
        """Factor f on the variance for new training sets."""
        return 1 + len(self.labels) / self.trained if self.trained else 1.0

    def by_fold(self) -> list[NDArray[np.intp]]:
        """Positions of each fold's pictures."""
        return [np.flatnonzero(self.folds == fold) for fold in np.unique(self.folds)]

    def strata(self) -> "Strata":
        """Groups of pictures that were sampled alike: of one class, in a fold or in all of them."""
        n, folds = len(self.labels), np.unique(self.folds, return_inverse=True)[1]
        alone = Strata(np.arange(n), np.ones(n), 2 * folds + self.labels, across=False)
        if self.groups is None:
            return alone
        _, first, group, sizes = np.unique(
            self.groups, return_index=True, return_inverse=True, return_counts=True
        )
        if len(sizes) == n:
            return alone
        stratum = (2 * folds + self.labels)[first]
        across = bool(np.bincount(stratum, minlength=2 * folds.max() + 2).min() < FEW)
        if across:
            stratum = self.labels[first]
        if np.bincount(stratum).min() < 2:
            stratum = np.zeros_like(stratum)
        return Strata(group, sizes.astype(np.float64), stratum, across)


class Strata(NamedTuple):
    """Groups of pictures and the stratum of each."""

    group: NDArray[np.intp]  # of each picture, 0 to G - 1 [N]
    sizes: Floats  # pictures of each group [G]
    stratum: NDArray[np.int64]  # of each group [G]
    across: bool  # True if strata are classes across folds

    def sums(self, values: Floats) -> Floats:
        """Sums over each group of values [..., N]: [..., G]."""
        if len(self.sizes) == len(self.group):
            return values
        flat = values.reshape(-1, values.shape[-1])
        sums = [np.bincount(self.group, row, len(self.sizes)) for row in flat]
        return np.array(sums, np.float64).reshape(*values.shape[:-1], -1)

    def total(self, values: Floats) -> Floats:
        """Sums over each stratum of values of groups."""
        sums: Floats = np.bincount(self.stratum, values).astype(np.float64)
        return sums

    def corrections(self) -> Floats:
        """Factor on each stratum's sum of squares, whose mean was subtracted: G / (G - 1).

        Of groups that are not of one size, the factor if pictures of a group are all alike.
        """
        m, square = self.total(self.sizes), self.total(self.sizes**2)
        left = square - 2 * self.total(self.sizes**3) / m + (square / m) ** 2
        factors: Floats = square / left
        return factors

    def freedoms(self) -> Floats:
        """Degrees of freedom of each stratum's variance: G - 1 of groups of one size."""
        alike = self.total(self.sizes**2) ** 2 / self.total(self.sizes**4)
        freedoms: Floats = np.maximum(alike - 1, 1.0)
        return freedoms


class Scored(NamedTuple):
    """A score of R runs on each of K folds, or a difference of two."""

    folds: Sequence[RunScores]
    distance: float  # of the mean from guessing; of a difference both, in quadrature
    is_difference: bool

    @property
    def runs(self) -> Floats:
        """Scores of the runs [K, R]."""
        return np.array([score.runs for score in self.folds], np.float64)


class Parts(NamedTuple):
    """Parts of the variance of a mean over R runs of each of K folds, before it is widened.

    S_p and S_b are sums of squared contributions; a difference's contributions are differences.
    """

    pictures: float  # S_p
    remainder: float  # S_e
    runs: float  # S_b
    freedom: float  # nu, of S_p
    of_groups: Floats  # contribution of each group to the mean's error [G]
    of_runs: Floats  # of each run [K, R]


class Estimate(NamedTuple):
    """A mean over runs and folds, and its variance."""

    mean: float
    std: float  # of a run within its fold
    parts: tuple[tuple[float, float], ...]  # of the mean's variance, each with degrees of freedom
    unseen: float  # d p: for runs of a kind that none has shown

    @property
    def error(self) -> float:
        """Standard error."""
        return math.sqrt(sum(variance for variance, _ in self.parts))

    def margin(self, alpha: float) -> float:
        """Half the width of the interval."""
        level = 1 - alpha / 2
        parts = [part for part in self.parts if part[0]]
        known = sum(v * float(stdtrit(freedom, level)) ** 2 for v, freedom in parts)
        return math.sqrt(known + self.unseen**2)

    def p_value(self) -> float:
        """Two-sided p-value of "it is 0": the alpha whose margin just reaches 0."""
        from scipy.optimize import brentq

        distance = abs(self.mean)
        if self.margin(LEAST_P) <= distance:
            return LEAST_P
        if self.margin(1.0) >= distance:
            return 1.0
        return float(brentq(lambda alpha: self.margin(alpha) - distance, LEAST_P, 1.0, xtol=1e-12))


def summarise(design: Design, probabilities: Floats, *, alpha: float) -> dict[str, Interval]:
    """All scores of one model, each with an interval of confidence 1 - alpha.

    The probabilities are of class 1, by R runs of each picture's fold [R, N]. With a single run the
    intervals cover new pictures only, not new seeds.

    Raises:
        InputError: fewer than two pictures of a class in a fold, or a probability that is not
            finite.
    """
    check_predictions(design, probabilities)
    return {
        name: interval(estimate(design, scored(design, score, probabilities)), score.bound, alpha)
        for name, score in SCORES.items()
    }


def interval(found: Estimate, bound: float, alpha: float) -> Interval:
    """The interval of a score of one model, finite and within the score's range.

    Those of scores from 0 to 1 are Wilson's (1927), with the sample size that would give the same
    standard error (Korn and Graubard 1998), since Student's reach too far up near 1; those of the
    other scores are symmetric in the logarithm. Unseen runs enlarge both sides in quadrature.
    """
    mean, unseen = found.mean, found.unseen
    low, high = (_wilson if bound == 1 else _around_log)(found._replace(unseen=0.0), alpha)
    low, high = mean - math.hypot(mean - low, unseen), mean + math.hypot(high - mean, unseen)
    return Interval(mean, found.std, max(low, 0.0), min(high, bound))


def difference(found: Estimate, bound: float, alpha: float) -> Difference:
    """The interval of a difference, within -bound and bound."""
    margin = found.margin(alpha)
    low, high = max(found.mean - margin, -bound), min(found.mean + margin, bound)
    return Difference(found.mean, found.std, low, high, found.p_value())


def paired(design: Design, score: Score, first: Floats, second: Floats) -> Scored:
    """Every fold's runs of one model minus their partners of the other, picture by picture.

    Run r of both models starts from the same seed: pairs are independent of each other, partners
    need not be.
    """
    return minus(scored(design, score, first), scored(design, score, second))


def minus(first: Scored, second: Scored) -> Scored:
    """The difference of two scores of the same pictures and runs."""
    pairs = zip(first.folds, second.folds, strict=True)
    apart = [RunScores(a.runs - b.runs, a.parts - b.parts) for a, b in pairs]
    return Scored(apart, math.hypot(first.distance, second.distance), is_difference=True)


def scored(design: Design, score: Score, probabilities: Floats) -> Scored:
    """A score of every fold's runs on the fold's own pictures.

    Guessing is to predict for every picture the share of class 1.
    """
    folds = [score.function(design.labels[own], probabilities[:, own]) for own in design.by_fold()]
    share = np.full((1, len(design.labels)), design.labels.mean())
    mean = float(np.mean([fold.runs.mean() for fold in folds]))
    guess = float(score.function(design.labels, share).runs[0])
    return Scored(folds, abs(mean - guess), is_difference=False)


def variance_parts(design: Design, scores: Scored) -> Parts:
    """Parts of the variance of the mean of all folds' means, from the scores of each fold."""
    runs, strata = scores.runs, design.strata()
    folds, of_fold = runs.shape
    means, left = np.empty(len(design.labels)), np.empty((of_fold, len(design.labels)))
    classes = [(own, design.labels[own] == label) for own in design.by_fold() for label in (0, 1)]
    parts = [scores.folds[i // 2].parts[:, mine] for i, (_, mine) in enumerate(classes)]
    centres = np.array([of_class.mean(0).sum() for of_class in parts])  # [2 K]
    if strata.across:
        centres = np.tile(centres.reshape(-1, 2).mean(0), folds)
    for (own, mine), of_class, centre in zip(classes, parts, centres, strict=True):
        means[own[mine]] = of_class.mean(0) - centre / of_class.shape[1]
        left[:, own[mine]] = of_class - of_class.mean(1, keepdims=True)
    contributions = strata.sums(means) / folds
    left = strata.sums(left - left.mean(0)) / folds
    variances = strata.corrections() * strata.total(contributions**2)
    total, pairs = float(variances.sum()), max(of_fold * (of_fold - 1), 1)
    uncertainty = float((variances**2 / strata.freedoms()).sum())
    apart = (runs - runs.mean(1, keepdims=True)) / (folds * math.sqrt(pairs))
    return Parts(
        total,
        float((_within(design, strata) * strata.total((left**2).sum(0))).sum()) / pairs,
        float((apart**2).sum()),
        total**2 / uncertainty if uncertainty > NOTHING**2 else 1.0,
        np.sqrt(strata.corrections())[strata.stratum] * contributions,
        apart,
    )


def _within(design: Design, strata: Strata) -> Floats:
    """Factor on the sums of squares of a stratum, of which each fold's mean was subtracted."""
    groups = strata.total(np.ones(len(strata.sizes)))
    if not strata.across:
        return strata.corrections()
    places = np.unique(np.array([strata.stratum[strata.group], design.folds]), axis=1)
    folds = np.bincount(places[0], minlength=len(groups))
    return np.where(groups > folds, groups / np.maximum(groups - folds, 1), 0.0)


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
    if (few := _fewest(design)) < 2:
        raise InputError(f"one class has pictures of {few} group only; an interval needs 2 or more")
    if wrong := int((~((probabilities >= 0) & (probabilities <= 1))).sum()):
        raise InputError(f"probabilities: {wrong} of {probabilities.size} are not from 0 to 1")


def estimate(design: Design, scores: Scored) -> Estimate:
    """The mean of the folds' means and its variance.

    If every picture of a class has the same part, the error is that of one exception in the
    smaller class: N equal pictures do not show that the next one is equal.
    """
    parts, runs = variance_parts(design, scores), scores.runs
    folds, of_fold = runs.shape
    std = math.sqrt(float(runs.var(1, ddof=1).mean())) if of_fold > 1 else 0.0
    unseen = scores.distance * unseen_share(folds * of_fold) if of_fold > 1 else 0.0
    variances = widened(design, scores, parts)
    if sum(variances) < NOTHING:
        smaller = _fewest(design)
        one = ((1 / smaller**2, float(smaller - 1)),)
        return Estimate(float(runs.mean()), std, one, unseen)
    freedoms = parts.freedom, float(max(folds * (of_fold - 1), 1))
    return Estimate(float(runs.mean()), std, tuple(zip(variances, freedoms, strict=True)), unseen)


def widened(design: Design, scores: Scored, parts: Parts) -> tuple[float, float]:
    """Variance of pictures and of runs, with that of new training sets."""
    wider, of_seeds = wideners(design, scores)
    return wider * max(parts.pictures - parts.remainder, 0.0), of_seeds * parts.runs


def wideners(design: Design, scores: Scored) -> tuple[float, float]:
    """Factors f on the variance of pictures and g on that of runs."""
    wider = design.widening
    return wider, SEEDS if scores.is_difference and design.trained else wider


def contributions(design: Design, scores: Scored) -> Floats:
    """Contributions of groups and runs to the mean's error [G + K R], widened as variances are."""
    parts = variance_parts(design, scores)
    wider, of_seeds = wideners(design, scores)
    runs = math.sqrt(of_seeds) * parts.of_runs
    return np.append(math.sqrt(wider) * parts.of_groups, runs)


def unseen_share(runs: int) -> float:
    """Share of runs of a kind that so many runs miss with probability MISSED."""
    return 1 - float(MISSED ** (1 / runs))


def _fewest(design: Design) -> int:
    """Number of groups of pictures in the smaller class."""
    group = design.strata().group
    return min(len(np.unique(group[design.labels == label])) for label in (0, 1))


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
